"""The table of contents: every route of the API."""

from fastapi import APIRouter

from app.api import auth, contacts, customers, imports, me, opportunities, picklists, products, settings, users

router = APIRouter(prefix="/v1")
for each in (
    auth.router,
    me.router,
    users.router,
    customers.router,
    contacts.router,
    products.router,
    opportunities.router,
    picklists.pipelines,
    picklists.picklists,
    imports.router,
    settings.router,
):
    router.include_router(each)
