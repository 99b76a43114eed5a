"""How does somebody who met a hidden customer ask to be let in, and who lets them?

The answer to the one who asks is the same whether there is such a customer or not.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db import access_requests, keys
from app.db.keys import among
from app.db.models.contacts import Contact
from app.db.models.customers import Customer
from app.domain import assigning
from app.domain.entities.access_requests import AccessRequestCreate
from app.domain.entities.contacts import CONTACTS
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.rules import invalid
from app.domain.entities.values import to_e164
from app.errors import Conflict, FieldError, Forbidden, NotFound, TooMany
from app.policies.access import Access, Reason, not_found

MOST_A_DAY = 20
_DAY = timedelta(days=1)
# By which field of a customer such evidence is seen.
SEEN_BY = {"email": "emails", "phone": "phones", "tax_id": "tax_id", "external_id": "external_ids"}


async def ask(session: AsyncSession, access: Access, said: AccessRequestCreate) -> UUID:
    """Ask to be let in to the customer that the evidence means, if it means one that the caller does not reach.

    Answers the request's id. Raises `Forbidden` where the profile reads no customers, `Invalid`, `TooMany`.
    """
    access.require("customers", "read")
    evidence = said.model_dump(exclude={"reason"}, exclude_none=True)
    wanted = _match_keys(access, evidence)
    await access_requests.take_turns(session, access.user_id)
    at = clock.now()
    if await access_requests.made_since(session, access.user_id, at - _DAY) >= MOST_A_DAY:
        raise TooMany(
            f"At most {MOST_A_DAY} requests a day", headers={"Retry-After": str(_DAY // timedelta(seconds=1))}
        )
    customer_id = await _hidden(session, access, await _candidates(session, access, evidence, wanted))
    return await access_requests.ask(session, uuid7(), access.user_id, evidence, said.reason, customer_id, at)


async def grant(session: AsyncSession, access: Access, id: UUID) -> None:
    """Make the requester an assignee of the customer. Raises as `_deciding` does."""
    requester_id, customer = await _deciding(session, access, id)
    await assigning.assign(session, access, customer, requester_id)
    await access_requests.decide(session, id, "granted", None, access.user_id, clock.now())


async def refuse(session: AsyncSession, access: Access, id: UUID, note: str | None) -> None:
    """Say no. Raises as `_deciding` does."""
    await _deciding(session, access, id)
    await access_requests.decide(session, id, "refused", note, access.user_id, clock.now())


def seen_evidence(access: Access) -> list[str]:
    """The kinds of evidence that the caller's profile may see of others."""
    of_customers = access.fields(CUSTOMERS)
    details = {"emails", "phones"} <= access.fields(CONTACTS)
    return [
        kind for kind, field in SEEN_BY.items() if field in of_customers and (details or kind not in ("email", "phone"))
    ]


async def _deciding(session: AsyncSession, access: Access, id: UUID) -> tuple[UUID, Customer]:
    """Who asks, and for which customer, both held.

    Raises `NotFound` for a request to others, `Forbidden` for the caller's own, `Conflict` (`already_decided`).
    """
    request = await access_requests.hold(session, id)
    customer = None
    if request is not None and request.customer_id is not None:
        customer = await _customer(session, access, request.customer_id)
    if request is not None and customer is None and request.requester_id == access.user_id:
        raise Forbidden("Others decide about your requests")
    if request is None or customer is None:
        raise not_found("access request")
    if request.state != "open":
        raise Conflict("Somebody has decided about it", code="already_decided")
    return request.requester_id, customer


async def _customer(session: AsyncSession, access: Access, id: UUID) -> Customer | None:
    """The customer, if the caller may assign it or owns it and may change it."""
    for action in ("assign", "update"):
        try:
            customer = await access.row(session, Customer, id, action)
        except (NotFound, Forbidden):
            continue
        if action == "assign" or customer.owner_id in access.own:
            return customer if customer.archived_at is None else None
    return None


def _match_keys(access: Access, evidence: dict[str, Any]) -> set[tuple[str, str]]:
    """The evidence as records are matched by it, (kind, key). Raises `Invalid` for what is no telephone."""
    values: dict[str, Any] = {"name_key": "", "tax_id": evidence.get("tax_id")}
    if "email" in evidence:
        values["emails"] = [{"address": evidence["email"]}]
    if "phone" in evidence:
        try:
            values["phones"] = [{"number": to_e164(evidence["phone"], access.vocabulary.country)}]
        except PydanticCustomError as error:
            raise invalid([FieldError("/phone", error.type, error.message())]) from None
    assert CUSTOMERS.match_keys is not None
    return {(kind, key) for kind, key in CUSTOMERS.match_keys(values) if kind != "name"}


async def _candidates(
    session: AsyncSession, access: Access, evidence: dict[str, Any], wanted: set[tuple[str, str]]
) -> list[UUID]:
    """The customers that are meant, themselves or by a contact or another record of theirs."""
    if known := evidence.get("external_id"):
        record_id = await keys.find_external(session, known["entity"], known["system"], known["external_id"])
        found = record_id and await access_requests.customer_with(session, known["entity"], record_id)
        return [found] if found else []
    ids: list[UUID] = []
    product = Access.acting_for(access, Reason.ACCESS_REQUEST)
    for kind, key in wanted:
        ids += await keys.found_by(session, "customers", kind, [key])
        people = product.rows(Contact).with_only_columns(Contact.customer_id).where(Contact.archived_at.is_(None))
        met = await keys.found_by(session, "contacts", kind, [key])
        ids += await session.scalars(people.where(among(Contact.id, met)))
    return ids


async def _hidden(session: AsyncSession, access: Access, ids: list[UUID]) -> UUID | None:
    """The oldest of the customers that are in use and not reached by the caller."""
    if not ids:
        return None
    reached = set(
        await session.scalars(access.rows(Customer).with_only_columns(Customer.id).where(among(Customer.id, ids)))
    )
    product = Access.acting_for(access, Reason.ACCESS_REQUEST)
    query = product.rows(Customer).with_only_columns(Customer.id)
    query = query.where(among(Customer.id, set(ids) - reached), Customer.archived_at.is_(None))
    found: UUID | None = await session.scalar(query.order_by(Customer.id).limit(1))
    return found
