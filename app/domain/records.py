"""What is the same for every record: create, change, archive, restore."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import archiving, children, keys, ledger
from app.db.base import Record
from app.db.models import RECORDS
from app.db.queries import import_rows
from app.db.session import Operation, operation_of
from app.domain import consequences, owning, references
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, Values, specs
from app.errors import Conflict, FieldError, Forbidden, Stale
from app.policies.access import Access

SINGULARS = {entity.name: entity.singular for entity in ENTITIES.values()}


async def create(
    session: AsyncSession, access: Access, entity: Entity, data: BaseModel, also: Values | None = None
) -> Record:
    """A new record with what follows from it. Without an owner it is the caller's.

    also: columns that no body gives, such as the workflow's run that makes it.
    """
    now = clock.now()
    given, values = new_values(access, entity, rules.given_values(data), now, also)
    await references.check(session, access, entity, given)
    if owning.is_to_be_done(entity, values):
        await owning.check(session, access, entity.name, "owner_id", given["owner_id"])
    await _may_be_of(session, access, entity, "create", given)
    rows = {name: values.pop(name) for name in entity.children}
    if entity.name == "customers":
        values["number"] = await keys.next_customer_number(session, access.vocabulary.customer_number_prefix)
    record = access.new(session, RECORDS[entity.name], values | {"created_at": now, "updated_at": now})
    await session.flush()
    for name, items in rows.items():
        if not items:
            continue
        rows[name] = await children.replace(session, entity.name, name, record.id, items, values.get("currency"))
    operation = operation_of(session)
    tell_of_new(operation, access, entity, consequences.values_of(record), values | rows)
    if entity.name == "customers":
        operation.pending.new_customers.add(record.id)
    return record


def new_values(
    access: Access, entity: Entity, given: Values, at: datetime, also: Values | None = None
) -> tuple[Values, Values]:
    """What was given, with whose it is; and the columns and lists of the record. A customer has its number yet to get.

    at: when it is made; also: as in `create`. Raises `Forbidden`, `Invalid`.
    """
    access.require(entity.name, "create")
    access.require_fields(entity, given, "create")
    owned = "owner_id" in RECORDS[entity.name].__table__.c
    if owned and "owner_id" not in given:
        given = given | {"owner_id": access.user_id}
    # What a workflow plans is a reminder to somebody, who gives what the company wants to know.
    asked = () if "workflow_run_id" in (also or {}) else None
    values = rules.prepare(entity, given, None, access.vocabulary, asked)
    if owned:
        _may_name_owner(access, entity, values["owner_id"])
    values |= {f"{field}_entered_at": at for field in entity.stays if values.get(field)}
    if entity.name == "customers":
        values["assigned"] = values["owner_id"] is not None
    if entity.name == "opportunities":
        values["opened_at"] = values["opened_at"] or at
    return given, values | (also or {})


def tell_of_new(operation: Operation, access: Access, entity: Entity, record: Values, shown: Values) -> None:
    """What is to be written with a new record.

    record: its columns; shown: all that was written, of which the ledger tells what is ever shown.
    """
    ever = specs(entity.read)
    told = {name: (None, value) for name, value in shown.items() if value is not None and value != [] and name in ever}
    consequences.record_event(operation, access, entity, record, "created", told)
    entered = {field for field in entity.stays if record[field]}
    consequences.follow(operation, access, entity, record, entered, record["created_at"], None)
    consequences.make_responsible(operation, entity, record)


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
    # Given anew, or required, or in need of the digits of another currency.
    asked = given.keys() | access.vocabulary.minimum_information.get(entity.name, ())
    for name in entity.children if "currency" in given else asked.intersection(entity.children):
        before[name] = await children.read(session, entity.name, name, record.id)
    values = rules.prepare(entity, given, before, access.vocabulary, access.fields(entity, "update"))
    gives = "owner_id" in values and values["owner_id"] != before["owner_id"]
    if gives:
        _may_name_owner(access, entity, values["owner_id"])
    await references.check(session, access, entity, given, before)
    if gives and owning.is_to_be_done(entity, before | values):
        await owning.check(session, access, entity.name, "owner_id", values["owner_id"])
    await _may_be_of(session, access, entity, "update", differing(before, given))
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
    columns = differing(before, values)
    changed |= {name: (before[name], value) for name, value in columns.items()}
    # Of columns that only serve to find and to compare, nobody is told: they change no version.
    told = not changed.keys().isdisjoint(specs(entity.read))
    if told:
        await references.check_chains(session, entity, record.id, {name: new for name, (_, new) in changed.items()})
        columns = stamped(access, entity, before, columns, at or clock.now())
    for name, value in columns.items():
        setattr(record, name, value)
    if not told:
        return
    await session.flush()
    after = before | columns
    tell_of_change(operation_of(session), access, entity, after, changed, verb, note)
    if changed.keys() & consequences.decides(entity):
        await consequences.change_responsible(session, entity, after, before)


def differing(before: Values, values: Values) -> Values:
    """Those among the values that are columns of the record, and others than it has.

    With another currency an amount is another if it has other digits, such as 100 JPY and 100.00 EUR.
    """
    changed = {name: value for name, value in values.items() if name in before and before[name] != value}
    if "currency" in changed:
        amounts = {name: value for name, value in values.items() if isinstance(value, Decimal) and name in before}
        changed |= {name: value for name, value in amounts.items() if str(value) != str(before[name])}
    return changed


def stamped(access: Access, entity: Entity, before: Values, columns: Values, at: datetime) -> Values:
    """Columns that change, with those that go along: since when it is in its stage, version, when and by whom."""
    entered = {f"{field}_entered_at": at if columns[field] else None for field in entity.stays if field in columns}
    return columns | entered | {"version": before["version"] + 1, "updated_at": at, "updated_by": access.user_id}


def tell_of_change(
    operation: Operation,
    access: Access,
    entity: Entity,
    record: Values,
    changed: Mapping[str, tuple[Any, Any]],
    verb: str,
    note: str | None,
) -> None:
    """What is to be written with a change. record: its columns after it; changed: field → (old, new)."""
    shown = {name: pair for name, pair in changed.items() if name in specs(entity.read)}
    consequences.record_event(operation, access, entity, record, verb, shown)
    moved = {field for field in entity.stays if field in changed}
    consequences.follow(operation, access, entity, record, moved, record["updated_at"], note)


def not_archived(record: Record) -> None:
    """Raise `Conflict` if the record is archived: it must be restored before it changes."""
    if record.archived_at is not None:
        raise Conflict("The record is archived; restore it first", code="archived")


def names_version(if_match: str | None, version: int) -> bool:
    """Whether a change meant for the versions that `If-Match` names, if it is there, may be made to this one."""
    return if_match is None or if_match.strip() == "*" or str(version) in _tags(if_match)


def _tags(if_match: str) -> set[str]:
    return {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}


async def unchanged_since(
    session: AsyncSession, access: Access, entity: Entity, record: Record, if_match: str | None
) -> None:
    """Raise `Stale` unless `If-Match` names the record's version; it says which visible fields changed, and to what."""
    if names_version(if_match, record.version):
        return
    tags = _tags(str(if_match))
    known = max((int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10), default=0)
    names = await ledger.fields_changed_since(session, record.id, known)
    visible = names & access.fields(entity)
    lists = {name: await children.read(session, entity.name, name, record.id) for name in visible & {*entity.children}}
    values = consequences.values_of(record) | lists
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
        await _be_patient(session, entity)
        await archiving.archive(session, entity.name, SINGULARS, record.id, access.user_id, clock.now())


async def restore(session: AsyncSession, access: Access, entity: Entity, record: Record) -> None:
    """Bring back what the record's archiving took along; one that is in use stays as it is."""
    if record.archive_id is not None:
        for above, archive_id in await archiving.archived_above(session, entity.name, record.id):
            if archive_id == record.archive_id:
                raise Conflict(f"It was archived with its {SINGULARS[above]}; restore that", code="archived")
            raise Conflict(f"Its {SINGULARS[above]} is archived; restore that first", code="archived")
        await _be_patient(session, entity)
        now = clock.now()
        await archiving.restore(session, entity.name, SINGULARS, record.id, record.archive_id, access.user_id, now)
        if entity.name in ("customers", "opportunities"):
            consequences.look_back_at_stays(session, access)


async def _be_patient(session: AsyncSession, entity: Entity) -> None:
    """What belongs to a record goes and comes with it in one statement, however much that is."""
    if entity.name in archiving.BELONGING:
        await import_rows.be_patient(session)


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
