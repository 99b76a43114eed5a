"""The table of contents: every route of the API."""

from fastapi.routing import APIRoute

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
    reports,
    sessions,
    settings,
    submissions,
    users,
    workflows,
)
from app.api.routers import PREFIX, share

ROUTERS = (
    # The first route that fits is taken, and finding it costs time: first what is asked most, and what anybody may ask.
    customers.router,
    opportunities.router,
    activities.router,
    contacts.router,
    submissions.router,
    auth.router,
    openid.router,
    sessions.router,
    me.router,
    agenda.router,
    leads.router,
    users.router,
    api_keys.router,
    profiles.router,
    access_requests.router,
    products.router,
    reports.router,
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
)
share(ROUTERS)


def methods(path: str) -> set[str]:
    """What may be asked of a path below `PREFIX`."""
    routes = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
    below = path.removeprefix(PREFIX)
    return {method for route in routes if route.path_regex.match(below) for method in route.methods or ()}
