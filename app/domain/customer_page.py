"""What stands on a customer's page, as far as somebody may look: the customer and the first of what belongs to it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.db.queries.customer_page import OF_CUSTOMER, CustomerPage, compiled
from app.db.statements import Compiled, Statement
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.customers import CUSTOMERS
from app.domain.listing import Listing, list_shape, record_shape
from app.policies.access import Access

# Each as the list that it begins; where nothing is said of the order, newest first.
SECTIONS = {
    "contacts": Listing(sort=("-primary",), limit=50),
    "activities": Listing(limit=20),
    "opportunities": Listing(where={("stage_kind", "any"): ["open"]}, limit=50),
}


def statement(access: Access, id: UUID) -> Statement:
    """The SQL and values of a customer's page; its answer is `compiled`'s, without the sections that are closed."""
    page, values = access.once("customer_page", _page)
    return page.bound(values | {"id": id, "id__is": id, "customer_id__is": id})


def _page(access: Access) -> tuple[Compiled, dict[str, Any]]:
    customer, values = record_shape(access, CUSTOMERS)
    values |= {"reached_own": list(access.own), "reached_team": list(access.team)}
    sections = []
    for name, listing in SECTIONS.items():
        if access.may(name, "read"):
            shape, more = list_shape(access, ENTITIES[name], listing)
            sections.append(replace(shape, filters=(OF_CUSTOMER, *shape.filters)))
            values = more | values
    return compiled(CustomerPage(customer, tuple(sections))), values
