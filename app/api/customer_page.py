"""A customer's page over HTTP: all that somebody looks at first, in one answer."""

from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from app.api.deps import Reading
from app.api.render import PRIVATE
from app.domain.customer_page import SECTIONS, statement
from app.domain.entities.activities import ActivityRead
from app.domain.entities.contacts import ContactRead
from app.domain.entities.customers import CustomerRead
from app.domain.entities.opportunities import OpportunityRead
from app.policies.access import not_found


class Counts(BaseModel):
    """How many there are that you may see, archived ones left out; null for a section that is closed to you."""

    contacts: int | None
    activities: int | None
    opportunities: int | None
    open_opportunities: int | None


class CustomerPage(BaseModel):
    """A customer, archived or not, and what belongs to it, as its lists show it; null for a section that is closed to
    you. What there is beyond comes from the lists, by `customer_id`."""

    customer: CustomerRead
    contacts: list[ContactRead] | None = Field(description="50 at most, primary ones first, then the newest.")
    activities: list[ActivityRead] | None = Field(description="The 20 newest.")
    opportunities: list[OpportunityRead] | None = Field(description="Open ones, the 50 newest.")
    counts: Counts


async def page(reader: Reading, id: UUID) -> Response:
    """The page of a customer. Raises `NotFound` for one out of reach."""
    _, row = await reader.read(lambda access: statement(access, id))
    if row["customer"] is None:
        raise not_found("customer")
    parts = b"".join(b',"%b":%b' % (name.encode(), _items(row.get(name))) for name in SECTIONS)
    contacts, activities, opportunities = (row.get(f"counts_{name}") or (None, None) for name in SECTIONS)
    counts = Counts(
        contacts=contacts[0],
        activities=activities[0],
        opportunities=opportunities[0],
        open_opportunities=opportunities[1],
    )
    body = b'{"customer":%b%b,"counts":%b}' % (row["customer"].encode(), parts, counts.model_dump_json().encode())
    return Response(body, 200, PRIVATE, "application/json")


def _items(items: str | None) -> bytes:
    return b"null" if items is None else b"[%b]" % items.encode()
