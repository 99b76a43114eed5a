"""What follows from writing a record: its line in the ledger, stays, match keys, and who is responsible for it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import assignees, following, jobs, ledger
from app.db.base import Record
from app.db.session import Operation, operation_of
from app.domain.entities.fields import Entity, Values
from app.policies.access import Access

# By which column activities and messages say what they are about.
ABOUT = {"leads": "lead_id", "opportunities": "opportunity_id"}
_INSTANT: TypeAdapter[datetime] = TypeAdapter(datetime)


def values_of(record: Record) -> Values:
    """The record's columns as they stand."""
    return {name: getattr(record, name) for name in inspect(type(record)).columns.keys()}  # noqa: SIM118


def shown(value: Any) -> Any:
    """A value as the API shows it."""
    match value:
        case None | str() | int() | list():
            return value
        case datetime():
            return _INSTANT.dump_python(value, mode="json")
        case Decimal() | UUID():
            return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def customer_of(entity: Entity, record: Values) -> UUID | None:
    """The customer that a record's history belongs to."""
    return record.get("id" if entity.name == "customers" else "customer_id")


def record_event(
    operation: Operation,
    access: Access,
    entity: Entity,
    record: Values,
    verb: str,
    changes: Mapping[str, tuple[Any, Any]],
) -> None:
    """The change's line in the ledger, and the promise of what the workflows that listen do because of it.

    record: its columns after the change.
    """
    ledger.event(
        operation.pending,
        type=f"{entity.singular}.{verb}",
        entity=entity.name,
        record_id=record["id"],
        version=record["version"],
        customer_id=customer_of(entity, record),
        changes={name: [shown(old), shown(new)] for name, (old, new) in changes.items()},
        actor=access.user_id,
        source=operation.source,
        operation_id=operation.id,
        at=record["updated_at"],
    )
    for listener in access.vocabulary.listeners:
        if listener.event == f"{entity.singular}.{verb}" and operation.source in listener.sources:
            promise = partial(jobs.promise, kind=jobs.Job.RUN_WORKFLOW, run_as=listener.owner_id)
            operation.before_commit.append(partial(promise, workflow_id=listener.workflow_id, record_id=record["id"]))


def look_back_at_stays(session: AsyncSession, access: Access) -> None:
    """Stays that began long ago are there anew, by a file or by restoring: workflows that watch stays look at all."""
    for workflow_id in access.vocabulary.watching_stays:
        promise = partial(jobs.promise, kind=jobs.Job.SCAN_STAYS, run_as=None)
        operation_of(session).before_commit.append(partial(promise, workflow_id=workflow_id, from_the_beginning=True))


def follow(
    operation: Operation,
    access: Access,
    entity: Entity,
    record: Values,
    moved: set[str],
    at: datetime,
    note: str | None,
) -> None:
    """Stays for the stages entered, and the keys by which the record may be found to be another."""
    for field in moved:
        ledger.stay(
            operation.pending,
            entity=entity.name,
            record_id=record["id"],
            field=field,
            pipeline_id=record.get("pipeline_id"),
            stage=record[field],
            at=at,
            by=access.user_id,
            source=operation.source,
            note=note,
        )
    if entity.match_keys is not None:
        ledger.match_keys(operation.pending, entity.name, record["id"], entity.match_keys(record))


def make_responsible(operation: Operation, entity: Entity, record: Values) -> None:
    owner_id: UUID | None = record.get("owner_id")
    if owner_id is None:
        return
    if entity.name == "customers":
        ledger.assignee(operation.pending, record["id"], owner_id, "owner")
    elif not assignees.holds(entity.name, record.get("state")):
        return
    elif (customer_id := customer_of(entity, record)) is not None:
        ledger.reason(operation.pending, customer_id, owner_id, entity.name, record["id"])


def decides(entity: Entity) -> set[str]:
    """The fields on which it depends who is responsible for a record, and at which customer."""
    return {"owner_id", "customer_id"} | ({"state"} if entity.name == "activities" else set())


async def change_responsible(session: AsyncSession, entity: Entity, record: Values, before: Values) -> None:
    if entity.name == "customers":
        if before["owner_id"] is not None:
            await assignees.step_down(session, [record["id"]], before["owner_id"], "owner")
    else:
        id, customer_id = record["id"], customer_of(entity, record)
        await assignees.end_reasons(session, [id])
        if before.get("customer_id") != customer_id:
            await ledger.move_history(session, {id: customer_id})
            if column := ABOUT.get(entity.name):
                await following.follow(session, column, {id: customer_id}, record["updated_by"], record["updated_at"])
    make_responsible(operation_of(session), entity, record)
