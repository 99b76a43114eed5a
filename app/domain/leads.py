"""What is done to convert a lead: customer, contact and opportunity, all in one transaction and only once."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import children, keys
from app.db.keys import among
from app.db.models.contacts import Contact
from app.db.models.leads import Lead
from app.db.models.opportunities import Opportunity
from app.domain import consequences, records, references
from app.domain.entities import rules
from app.domain.entities.contacts import CONTACTS
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.fields import Entity, Values
from app.domain.entities.lead_conversion import (
    LeadConversion,
    contact_values,
    customer_values,
    opportunity_values,
    out_of_place,
)
from app.domain.entities.leads import LEADS, STAGED, converted, person
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityUpdate
from app.domain.entities.stages import check_stage, forbidden_move
from app.domain.workflows import can_work
from app.errors import AppError, FieldError, Forbidden, Invalid, NotFound
from app.policies.access import Access, Reason

PARTS = {entity.singular: entity for entity in (CUSTOMERS, CONTACTS, OPPORTUNITIES)}
# Stands for the customer that is still to be made while the rest is checked.
TO_BE_MADE = UUID(int=0)


async def convert(session: AsyncSession, access: Access, id: UUID, said: LeadConversion) -> Lead:
    """Convert a lead; one that is converted already is answered as it is.

    Raises `Conflict` (`forbidden_move` for a discarded one, `archived`), `Invalid` with all that is missing,
    `Forbidden`, `NotFound`.
    """
    lead = await access.row(session, Lead, id, "update")
    records.not_archived(lead)
    if lead.stage_kind == "won":
        return lead
    pipeline = access.vocabulary.pipelines[lead.pipeline_id]
    if lead.stage_kind == "lost":
        may_reopen = access.may("pipelines", "configure")
        raise forbidden_move(pipeline, pipeline.stages[lead.stage], STAGED, may_reopen)
    customer_id = said.customer_id or lead.customer_id
    if problems := [*out_of_place(said, customer_id is not None)]:
        raise rules.invalid(problems)
    if customer_id is not None:
        await references.check(session, access, LEADS, {"customer_id": customer_id})
    # The lead's data go on whole, whatever the caller may write elsewhere, and to whoever has the lead.
    product = Access.acting_for(access, Reason.CONVERSION)
    contact_id = await _contact(session, access, product, lead, said, customer_id)
    opportunities = await _opportunities(session, access, product, lead, customer_id)
    going_on = next((each for each in opportunities if each.stage_kind != "lost"), None)
    if going_on is not None:
        await _change(session, access, going_on, said)

    known = consequences.values_of(lead)
    made = [] if customer_id is not None else ["customers"]
    made += [] if going_on is not None or said.refuses("opportunity") else ["opportunities"]
    if lead.owner_id is not None and await can_work(session, lead.owner_id, *made) is None:
        known["owner_id"] = access.user_id  # whoever had it has left, or would not see what becomes of it
    new = _new_parts(known, said, customer_id, contact_id, going_on)
    await _check(session, access, new, said)
    if "contact" in new and customer_id is not None:
        await access.require_below(session, CONTACTS.name, "create", customer_id)
    target = converted(pipeline)
    after = consequences.values_of(lead) | {"customer_id": customer_id or TO_BE_MADE}
    check_stage(after, target, STAGED)

    if customer_id is None:
        customer_id = await _create(session, product, CUSTOMERS, new["customer"], {"lead_id": lead.id})
    if "contact" in new:
        contact_id = await _create(session, product, CONTACTS, new["contact"] | {"customer_id": customer_id})
    people = [] if contact_id is None else [{"contact_id": str(contact_id), "role": None}]
    for each in opportunities:
        values: Values = {"customer_id": customer_id}
        if people and not await children.read(session, "opportunities", "contacts", each.id):
            values["contacts"] = people
        await records.write(session, product, OPPORTUNITIES, each, values)
    opportunity_id = None if going_on is None else going_on.id
    if "opportunity" in new:
        values = new["opportunity"] | {"customer_id": customer_id, "lead_id": lead.id}
        opportunity_id = await _create(session, product, OPPORTUNITIES, {"contacts": people} | values)

    at = clock.now()
    values = {"stage": target.key, "stage_kind": target.kind, "converted_at": at, "customer_id": customer_id}
    values |= {"contact_id": contact_id, "opportunity_id": opportunity_id}
    await records.write(session, access, LEADS, lead, values, verb="converted", at=at)
    return lead


async def _contact(
    session: AsyncSession, access: Access, product: Access, lead: Lead, said: LeadConversion, customer_id: UUID | None
) -> UUID | None:
    """The contact that is there already: the one said, or the customer's with an e-mail of the lead's."""
    if said.contact_id is not None:
        mine = access.rows(Contact).with_only_columns(Contact.id).where(Contact.id == said.contact_id)
        mine = mine.where(Contact.customer_id == customer_id, Contact.archived_at.is_(None))
        if await session.scalar(mine.with_for_update(read=True, key_share=True, of=Contact)) is None:
            problem = FieldError("/contact_id", "not_found", "No such record in contacts of the customer")
            raise NotFound("The body names a record that does not exist", errors=[problem])
        return said.contact_id
    if customer_id is None or "contact" in said.model_fields_set:
        return None
    same = await keys.found_by(session, "contacts", "email", [each["address"].casefold() for each in lead.emails])
    query = product.rows(Contact).with_only_columns(Contact.id).where(among(Contact.id, same))
    query = query.where(Contact.customer_id == customer_id, Contact.archived_at.is_(None))
    found: UUID | None = await session.scalar(query.order_by(Contact.id).limit(1))
    return found


async def _opportunities(
    session: AsyncSession, access: Access, product: Access, lead: Lead, customer_id: UUID | None
) -> list[Opportunity]:
    """The lead's own, but for those that another customer has meanwhile; oldest first.

    Taking one from the lead's customer to another is the caller's own change: raises `Forbidden`.
    """
    theirs = (lead.customer_id, customer_id)
    query = product.rows(Opportunity).with_only_columns(Opportunity.id, Opportunity.customer_id).where(
        Opportunity.lead_id == lead.id,
        Opportunity.archived_at.is_(None),
        or_(Opportunity.customer_id.is_(None), Opportunity.customer_id.in_([each for each in theirs if each])),
    )  # fmt: skip
    rows = (await session.execute(query.order_by(Opportunity.id))).all()
    return [
        await product.row(session, Opportunity, row.id, "update")
        if row.customer_id in (None, customer_id)
        else await _to_change(session, access, row.id)
        for row in rows
    ]


async def _to_change(session: AsyncSession, access: Access, id: UUID) -> Opportunity:
    try:
        return await access.row(session, Opportunity, id, "update")
    except NotFound:
        raise Forbidden("You may not change the lead's opportunity") from None


async def _change(session: AsyncSession, access: Access, opportunity: Opportunity, said: LeadConversion) -> None:
    """What the body says of the opportunity that the lead has is the caller's own change."""
    given = rules.given_values(said.opportunity) if said.opportunity else {}
    if not given:
        return
    with _under("opportunity"):
        if "pipeline_id" in given:
            problem = FieldError("/pipeline_id", "not_applicable", "The lead has an opportunity, in its own pipeline")
            raise rules.invalid([problem])
        await _to_change(session, access, opportunity.id)
        await records.change(session, access, OPPORTUNITIES, opportunity, OpportunityUpdate.model_validate(given))


def _new_parts(
    known: Values, said: LeadConversion, customer_id: UUID | None, contact_id: UUID | None, going_on: Opportunity | None
) -> dict[str, Values]:
    """What is to be made: the lead's values with the body's over them."""
    new: dict[str, Values] = {}
    if customer_id is None:
        new["customer"] = customer_values(known)
    if contact_id is None and not said.refuses("contact") and (said.contact is not None or person(known)):
        new["contact"] = contact_values(known) | {"primary": customer_id is None}
    if going_on is None and not said.refuses("opportunity"):
        new["opportunity"] = opportunity_values(known)
    for name, values in new.items():
        if (part := getattr(said, name)) is not None:
            values |= rules.given_values(part)
    return new


async def _check(session: AsyncSession, access: Access, new: dict[str, Values], said: LeadConversion) -> None:
    """Raise what speaks against making these, before anything is made: all that is missing at once."""
    problems: list[FieldError] = []
    for name, values in new.items():
        entity = PARTS[name]
        access.require(entity.name, "create")
        part = getattr(said, name)
        given = rules.given_values(part) if part else {}
        access.require_fields(entity, given, "create", at=f"/{name}")
        with _under(name):
            await references.check(session, access, entity, given)
        placed = {} if entity is CUSTOMERS else {"customer_id": TO_BE_MADE}
        try:
            with _under(name):
                data = entity.create.model_validate(values | placed)
                rules.prepare(entity, rules.given_values(data), None, access.vocabulary)
        except Invalid as error:
            problems += error.errors
    if problems:
        raise rules.invalid(problems)


async def _create(
    session: AsyncSession, product: Access, entity: Entity, values: Values, also: Values | None = None
) -> UUID:
    with _under(entity.singular):
        return (await records.create(session, product, entity, entity.create.model_validate(values), also)).id


@contextmanager
def _under(part: str) -> Iterator[None]:
    """What is wrong with a part is told by where it stands in the body."""
    try:
        yield
    except AppError as error:
        error.errors = [FieldError(f"/{part}{each.pointer}", each.code, each.message) for each in error.errors]
        raise
