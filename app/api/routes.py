"""The table of contents: every route of the API."""

from fastapi import APIRouter

from app.api import (
    activities,
    agenda,
    auth,
    contacts,
    customers,
    forms,
    imports,
    leads,
    me,
    messages,
    opportunities,
    picklists,
    products,
    settings,
    submissions,
    users,
    workflows,
)

router = APIRouter(prefix="/v1")
for each in (
    auth.router,
    me.router,
    agenda.router,
    users.router,
    customers.router,
    contacts.router,
    products.router,
    leads.router,
    opportunities.router,
    activities.router,
    messages.messages,
    messages.templates,
    forms.router,
    submissions.router,
    submissions.sent_in,
    workflows.router,
    picklists.pipelines,
    picklists.picklists,
    imports.router,
    settings.router,
):
    router.include_router(each)
