"""The table of contents: every route of the API."""

from fastapi import APIRouter

from app.api import (
    access_requests,
    activities,
    agenda,
    api_keys,
    auth,
    contacts,
    customers,
    explaining,
    forms,
    imports,
    leads,
    me,
    messages,
    openid,
    opportunities,
    picklists,
    products,
    profiles,
    sessions,
    settings,
    submissions,
    users,
    workflows,
)

router = APIRouter(prefix="/v1")
for each in (
    # First, since anybody may ask: the first route that fits is taken, and finding it costs time.
    submissions.router,
    auth.router,
    openid.router,
    sessions.router,
    me.router,
    agenda.router,
    users.router,
    api_keys.router,
    profiles.router,
    customers.router,
    access_requests.router,
    contacts.router,
    products.router,
    leads.router,
    opportunities.router,
    activities.router,
    messages.messages,
    messages.templates,
    forms.router,
    submissions.sent_in,
    workflows.router,
    picklists.pipelines,
    picklists.picklists,
    imports.router,
    settings.router,
    explaining.router,
):
    router.include_router(each)
