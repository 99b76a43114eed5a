"""What is the same for every record: create, change, archive, restore, and create or change by another system's id."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db import archiving, children, keys, ledger
from app.db.base import Record
from app.db.models import RECORDS
from app.db.session import operation_of
from app.domain import consequences, references
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, Values, specs
from app.errors import Conflict, FieldError, Forbidden, NotFound, Stale
from app.policies.access import Access

SINGULARS = {entity.name: entity.singular for entity in ENTITIES.values()}


async def create(
    session: AsyncSession, access: Access, entity: Entity, data: BaseModel, also: Values | None = None
) -> Record:
    """A new record with what follows from it. Without an owner it is the caller's.

    also: columns that no body gives, such as the workflow's run that makes it.
    """
    access.require(entity.name, "create")
    given = rules.given_values(data)
    access.require_fields(entity, given, "create")
    model = RECORDS[entity.name]
    owned = "owner_id" in model.__table__.c
    if owned and "owner_id" not in given:
        given["owner_id"] = access.user_id
    # What a workflow plans is a reminder to somebody, who gives what the company wants to know.
    asked = () if "workflow_run_id" in (also or {}) else None
    values = rules.prepare(entity, given, None, access.vocabulary, asked)
    if owned:
        _may_name_owner(access, entity, values["owner_id"])
    await references.check(session, access, entity, given)
    await _may_be_of(session, access, entity, "create", given)
    rows = {name: values.pop(name) for name in entity.children}
    now = clock.now()
    values |= {f"{field}_entered_at": now for field in entity.stays if values.get(field)}
    if entity.name == "customers":
        number = await keys.next_customer_number(session)
        values |= {
            "number": f"{access.vocabulary.customer_number_prefix}{number:06}",
            "assigned": values["owner_id"] is not None,
        }
    if entity.name == "opportunities":
        values["opened_at"] = values["opened_at"] or now
    values |= also or {}
    record = access.new(session, model, values | {"id": uuid7(), "created_at": now, "updated_at": now})
    await session.flush()
    for name, items in rows.items():
        if not items:
            continue
        rows[name] = await children.replace(session, entity.name, name, record.id, items, values.get("currency"))
    shown = {name: value for name, value in (values | rows).items() if name in specs(entity.read)}
    consequences.record_event(
        session, access, entity, record, "created", {n: (None, v) for n, v in shown.items() if v not in (None, [])}
    )
    consequences.follow(
        session, access, entity, record, {field for field in entity.stays if values.get(field)}, now, None
    )
    consequences.make_responsible(session, entity, record)
    if entity.name == "customers":
        operation_of(session).pending.new_customers.add(record.id)
    return record


async def change(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    record: Record,
    data: BaseModel,
    *,
    verb: str = "changed",
    at: datetime | None = None,
) -> None:
    """Change what is given and what follows from it; without a difference nothing is written.

    verb: what the ledger calls the change; at: when it is made, if not now.
    """
    given = rules.given_values(data)
    access.require_fields(entity, given, "update")
    not_archived(record)
    before = consequences.values_of(record)
    for name in set(entity.children) & set(access.vocabulary.minimum_information.get(entity.name, ())) - given.keys():
        before[name] = await children.read(session, entity.name, name, record.id)
    values = rules.prepare(entity, given, before, access.vocabulary, access.fields(entity, "update"))
    if "owner_id" in values and values["owner_id"] != before["owner_id"]:
        _may_name_owner(access, entity, values["owner_id"])
    named = {name: value for name, value in given.items() if name in entity.children or value != before.get(name)}
    await references.check(session, access, entity, named)
    await _may_be_of(session, access, entity, "update", named)
    await write(session, access, entity, record, values, verb=verb, at=at)


async def write(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    record: Record,
    values: Values,
    *,
    verb: str = "changed",
    note: str | None = None,
    at: datetime | None = None,
) -> None:
    """Write values that are in order already, with event, stays, keys and assignees."""
    before = consequences.values_of(record)
    changed: dict[str, tuple[Any, Any]] = {}
    for name in entity.children:
        if name in values:
            old = await children.read(session, entity.name, name, record.id)
            currency = (before | values).get("currency")
            new = await children.replace(session, entity.name, name, record.id, values[name], currency)
            if old != new:
                changed[name] = (old, new)
    columns = inspect(type(record)).columns
    for name, value in values.items():
        if name in columns and before[name] != value:
            setattr(record, name, value)
            changed[name] = (before[name], value)
    # Of columns that only serve to find and to compare, nobody is told: they change no version.
    if changed.keys().isdisjoint(specs(entity.read)):
        return
    await references.check_chains(session, entity, record.id, {name: new for name, (_, new) in changed.items()})
    now = at or clock.now()
    moved = {field for field in entity.stays if field in changed}
    for field in moved:
        setattr(record, f"{field}_entered_at", now if values[field] else None)
    record.version += 1
    record.updated_at, record.updated_by = now, access.user_id
    await session.flush()
    shown = {name: pair for name, pair in changed.items() if name in specs(entity.read)}
    consequences.record_event(session, access, entity, record, verb, shown)
    consequences.follow(session, access, entity, record, moved, now, note)
    if changed.keys() & consequences.decides(entity):
        await consequences.change_responsible(session, entity, record, before)


def not_archived(record: Record) -> None:
    """Raise `Conflict` if the record is archived: it must be restored before it changes."""
    if record.archived_at is not None:
        raise Conflict("The record is archived; restore it first", code="archived")


async def unchanged_since(
    session: AsyncSession, access: Access, entity: Entity, record: Record, if_match: str | None
) -> None:
    """Raise `Stale` unless `If-Match` names the record's version; it says which visible fields changed, and to what."""
    if if_match is None or if_match.strip() == "*":
        return
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    if str(record.version) in tags:
        return
    known = max((int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10), default=0)
    names = await ledger.fields_changed_since(session, record.id, known)
    visible = names & access.fields(entity)
    values = consequences.values_of(record)
    raise Stale(
        "The record changed since the version that If-Match names",
        extra={
            "version": record.version,
            "changed": {name: consequences.shown(values[name]) for name in visible if name in values},
        },
    )


async def archive(session: AsyncSession, access: Access, entity: Entity, record: Record) -> None:
    """Archive a record and what belongs to it, under one operation; an archived one stays as it is."""
    if record.archived_at is None:
        await archiving.archive(session, entity.name, SINGULARS, record.id, access.user_id, clock.now())


async def restore(session: AsyncSession, access: Access, entity: Entity, record: Record) -> None:
    """Bring back what the record's archiving took along; one that is in use stays as it is."""
    if record.archive_id is not None:
        for above, archive_id in await archiving.archived_above(session, entity.name, record.id):
            if archive_id == record.archive_id:
                raise Conflict(f"It was archived with its {SINGULARS[above]}; restore that", code="archived")
            raise Conflict(f"Its {SINGULARS[above]} is archived; restore that first", code="archived")
        await archiving.restore(session, entity.name, SINGULARS, record.archive_id, access.user_id, clock.now())
        if entity.name in ("customers", "opportunities"):
            consequences.look_back_at_stays(session, access)


def _may_name_owner(access: Access, entity: Entity, owner_id: UUID | None) -> None:
    if owner_id != access.user_id and not access.may(entity.name, "assign"):
        raise Forbidden(
            "Your profile may not assign to others",
            errors=[FieldError("/owner_id", "forbidden", "Needs the right to assign")],
        )


async def _may_be_of(session: AsyncSession, access: Access, entity: Entity, action: str, named: Values) -> None:
    """Whose a record without an owner is, the customer's assignees say: to read the customer is not enough."""
    if "customer_id" in named and "owner_id" not in RECORDS[entity.name].__table__.c:
        await access.require_below(session, entity.name, action, named["customer_id"])


async def upsert(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    system: str,
    external_id: str,
    data: BaseModel,
    create: Callable[[AsyncSession, Access, Entity, BaseModel], Awaitable[Record]],
    change: Callable[[AsyncSession, Access, Entity, Record, BaseModel], Awaitable[None]],
) -> tuple[Record, bool]:
    """Create or change the record that another system knows by its own id. Answers the record and whether it is new.

    Raises `Conflict`: `archived`, or `taken` when the id belongs to a record out of the caller's reach.
    """
    id = await keys.find_external(session, entity.name, system, external_id)
    if id is None:
        record = await create(
            session, access, entity, entity.create.model_validate(data.model_dump(exclude_unset=True))
        )
        operation_of(session).pending.external_ids.append(
            {"entity": entity.name, "system": system, "external_id": external_id, "record_id": record.id}
        )
        return record, True
    try:
        record = await access.row(session, RECORDS[entity.name], id, "update")
    except NotFound:
        # As if the id were free: whoever creates none learns nothing about those there are.
        access.require(entity.name, "create")
        raise Conflict("This external id is taken", code="taken") from None
    await change(session, access, entity, record, data)
    return record, False
