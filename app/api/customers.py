"""Customers over HTTP."""

from typing import Annotated

from fastapi import Query, Response

from app.api import customer_page, timeline
from app.api.assignees import add_assignee_routes
from app.api.claiming import add_claim_route
from app.api.customer_page import CustomerPage
from app.api.deps import Id, Reader
from app.api.records import record_routes
from app.api.render import Page
from app.api.stages import add_lifecycle_route
from app.api.timeline import TimelineEvent
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.values import Short

router = record_routes(CUSTOMERS)
add_claim_route(router, CUSTOMERS)
add_assignee_routes(router)
add_lifecycle_route(router)


@router.get("/{id}/page", response_model=CustomerPage)
async def read_customer_page(reader: Reader, id: Id) -> Response:
    """A customer with what belongs to it, in one answer: of each kind the first records, and how many there are."""
    return await customer_page.page(reader, id)


@router.get("/{id}/timeline", response_model=Page[TimelineEvent])
async def read_customer_timeline(
    reader: Reader,
    id: Id,
    type: Annotated[list[Short] | None, Query(max_length=50, description="Only events of these types.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Everything that happened with a customer, newest first, as far as you may see it."""
    return await timeline.page(reader, id, type, limit, cursor)
