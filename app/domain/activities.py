"""What one can do with activities beyond what is the same for every record: say what they are about, and end them."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import children
from app.db.base import Record
from app.db.models.activities import Activity
from app.db.models.contacts import Contact
from app.db.models.leads import Lead
from app.db.models.opportunities import Opportunity
from app.domain import records
from app.domain.entities import rules
from app.domain.entities.activities import ACTIVITIES, ActivityCreate, ActivityDone, AsDone, FollowUp
from app.domain.entities.fields import Entity
from app.domain.workflows import can_work
from app.errors import AppError, Conflict, FieldError, NotFound
from app.policies.access import Access

ABOUT: dict[str, type[Opportunity] | type[Lead]] = {"opportunity_id": Opportunity, "lead_id": Lead}


async def create(
    session: AsyncSession, access: Access, entity: Entity, data: BaseModel, also: dict[str, Any] | None = None
) -> Record:
    """A new activity, with the customer of what it is about. also: as in `records.create`."""
    data = await _with_customer(session, access, data, None)
    return await records.create(session, access, entity, data, also)


async def change(session: AsyncSession, access: Access, entity: Entity, activity: Record, data: BaseModel) -> None:
    """Change an activity; it follows what it is about to another customer."""
    assert isinstance(activity, Activity)
    if activity.state == "done" and getattr(data, "state", None) == "cancelled":
        raise Conflict("It is done; plan it again first", code="already_done")
    data = await _with_customer(session, access, data, activity)
    await records.change(session, access, entity, activity, data)


async def end(session: AsyncSession, access: Access, id: UUID, said: ActivityDone) -> tuple[Record, Record | None]:
    """An activity is done: how it ended, and the activity that comes next, all or nothing.

    Raises `Conflict` (`already_done`) and `Invalid`, where the company wants to be told more.
    """
    activity = await access.row(session, Activity, id, "update")
    records.not_archived(activity)
    if activity.state == "done":
        raise Conflict("It is done already", code="already_done")
    at = clock.now()
    following = None
    if said.next_activity is not None:
        # Made first: being responsible for the one that ends may be all that lets them reach the customer.
        try:
            following = await _plan_next(session, access, activity, said.next_activity)
        except AppError as error:
            error.errors = [FieldError(f"/next_activity{e.pointer}", e.code, e.message) for e in error.errors]
            raise
    report = {"done_at": at} | said.model_dump(exclude_unset=True, exclude={"next_activity"})
    ended = AsDone(**report, state="done")
    await records.change(session, access, ACTIVITIES, activity, ended, verb="done", at=at)
    return activity, following


async def _plan_next(session: AsyncSession, access: Access, after: Activity, plan: FollowUp) -> Record:
    """The owner of the one before goes on with it, if they are still here, and is not named anew: that needs no right
    to assign."""
    same = {name: value for name in ("customer_id", *ABOUT) if (value := getattr(after, name)) is not None}
    stays = after.owner_id is not None and await can_work(session, after.owner_id, "activities") is not None
    goes_on = stays and "owner_id" not in plan.model_fields_set
    data = ActivityCreate(**plan.model_dump(exclude_unset=True), **same, state="planned")
    return await create(session, access, ACTIVITIES, data, {"owner_id": after.owner_id} if goes_on else None)


async def _with_customer(session: AsyncSession, access: Access, data: Any, before: Activity | None) -> Any:
    """What is given, with the customer of what it is about; contacts are that customer's.

    Raises `Invalid` (`customer_mismatch`) where the body says otherwise, `NotFound`.
    """
    given = data.model_fields_set

    def would(name: str) -> Any:
        return getattr(data if name in data.model_fields_set else before, name, None)

    about = [name for name in ABOUT if would(name) is not None]
    if given & {"customer_id", *ABOUT} and len(about) == 1:
        customer_id = await _customer_of(session, access, about[0], would(about[0]), before)
        # Nothing is said by a null in a new one; in a change it would clear.
        says = "customer_id" in given and (before is not None or data.customer_id is not None)
        if says and data.customer_id != customer_id:
            raise _mismatch("/customer_id", "It has the customer of what it is about")
        data = data.model_copy(update={"customer_id": customer_id})
    if "contacts" in given:
        contacts = {each.contact_id: f"/contacts/{at}/contact_id" for at, each in enumerate(data.contacts)}
    elif before is not None and would("customer_id") != before.customer_id:
        present = await children.read(session, "activities", "contacts", before.id)
        contacts = {UUID(each["contact_id"]): "/contacts" for each in present}
    else:
        return data
    known = access.rows(Contact).with_only_columns(Contact.id).where(Contact.id.in_(contacts))
    for id in await session.scalars(known.where(Contact.customer_id.is_distinct_from(would("customer_id")))):
        raise _mismatch(contacts[id], "The contact is not of the activity's customer")
    return data


async def _customer_of(
    session: AsyncSession, access: Access, name: str, id: UUID, before: Activity | None
) -> UUID | None:
    """The customer of an opportunity or a lead, which keeps it until the transaction ends."""
    if before is not None and getattr(before, name) == id:
        return before.customer_id
    model: Any = ABOUT[name]
    query = access.rows(model).with_only_columns(model.customer_id).where(model.id == id, model.archived_at.is_(None))
    query = query.with_for_update(key_share=True, of=model)
    # A conversion that was waited for may have put it under a customer whose assignees only the next statement sees.
    found = (await session.execute(query)).one_or_none() or (await session.execute(query)).one_or_none()
    if found is None:
        problem = FieldError(f"/{name}", "not_found", f"No such record in {model.__tablename__}")
        raise NotFound("The body names a record that does not exist", errors=[problem])
    customer_id: UUID | None = found[0]
    return customer_id


def _mismatch(pointer: str, message: str) -> AppError:
    return rules.invalid([FieldError(pointer, "customer_mismatch", message)])
