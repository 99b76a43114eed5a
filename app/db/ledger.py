"""What goes with a change, written in one statement: events, stays, match keys, assignees with their reasons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock


@dataclass(slots=True)
class Pending:
    """What the transaction has yet to write. Lists of rows, each with the names of its columns."""

    events: list[dict[str, Any]] = field(default_factory=list)
    stays: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    assignees: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    external_ids: list[dict[str, Any]] = field(default_factory=list)
    # Written as assigned from the start.
    new_customers: set[UUID] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.events or self.stays or self.keys or self.assignees or self.reasons or self.external_ids)


def event(
    pending: Pending,
    *,
    type: str,
    entity: str,
    record_id: UUID,
    version: int,
    customer_id: UUID | None,
    changes: dict[str, list[Any]],
    actor: UUID,
    source: str,
    operation_id: UUID,
    at: datetime | None = None,
) -> None:
    """A line of the ledger: `changes` is field → [old, new], as the API shows values."""
    now = at or clock.now()
    pending.events.append(
        {
            "occurred_at": now,
            "recorded_at": now,
            "type": type,
            "entity": entity,
            "record_id": record_id,
            "version": version,
            "customer_id": customer_id,
            "changes": changes,
            "actor": actor,
            "source": source,
            "operation_id": operation_id,
        }
    )


def stay(
    pending: Pending,
    *,
    entity: str,
    record_id: UUID,
    field: str,
    pipeline_id: UUID | None,
    stage: str | None,
    at: datetime,
    by: UUID,
    source: str,
    note: str | None = None,
) -> None:
    """The record enters a stage and leaves the one it was in; None only leaves."""
    pending.stays.append(
        {
            "entity": entity,
            "record_id": record_id,
            "field": field,
            "pipeline_id": pipeline_id,
            "stage": stage,
            "entered_at": at,
            "by": by,
            "note": note,
            "source": source,
        }
    )


def match_keys(pending: Pending, entity: str, record_id: UUID, keys: Iterable[tuple[str, str]]) -> None:
    """These are the record's keys from now on, and no others."""
    pending.keys[record_id] = [
        {"entity": entity, "record_id": record_id, "kind": kind, "key": key} for kind, key in set(keys)
    ]


def assignee(pending: Pending, customer_id: UUID, user_id: UUID, role: str | None) -> None:
    pending.assignees.append({"customer_id": customer_id, "user_id": user_id, "role": role})


def reason(pending: Pending, customer_id: UUID, user_id: UUID, entity: str, record_id: UUID) -> None:
    """Whoever is responsible for a record of a customer is among its assignees."""
    assignee(pending, customer_id, user_id, None)
    pending.reasons.append({"customer_id": customer_id, "user_id": user_id, "entity": entity, "record_id": record_id})


async def write(session: AsyncSession, pending: Pending) -> None:
    """Write what is pending, in one statement."""
    if not pending:
        return
    joined = await session.scalars(_WRITE, bound(pending))
    if unassigned := set(joined) - pending.new_customers:
        await session.execute(_ASSIGNED, {"ids": sorted(unassigned)})
    for rows in (pending.events, pending.stays, pending.assignees, pending.reasons, pending.external_ids):
        rows.clear()
    pending.keys.clear()
    pending.new_customers.clear()


def bound(pending: Pending) -> dict[str, Any]:
    """What is pending as the parts of the statement take it."""
    pairs: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for each in pending.assignees:
        known = pairs.setdefault((each["customer_id"], each["user_id"]), each)
        known["role"] = known["role"] or each["role"]
    return {
        "events": _json(pending.events),
        "stays": _json(pending.stays),
        "known": list(pending.keys),
        "keys": _json([key for keys in pending.keys.values() for key in keys]),
        "assignees": _json(list(pairs.values())),
        "reasons": _json(pending.reasons),
        "external_ids": _json(pending.external_ids),
    }


def _json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows, default=str).decode()


def parts(holds: str, changes: str = "changes", held: str = "") -> dict[str, str]:
    """The parts of the statement by name, each of which writes only where `holds` is true.

    changes: what an event tells. held: what else is asked before there are new assignees, so that customers are held.
    Inside one statement each part sees the tables as they were before it: what must come first is read from
    `left_stays`. Of new records there are none to leave, and `first_stays` come instead.
    """
    return {name: part.format(holds=holds, changes=changes, held=held) for name, part in _PARTS.items()}


_ENTER = """
insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", note, source)
select entity, record_id, field, pipeline_id, stage, entered_at, "by", note, source from given_stays
where stage is not null
"""
_PARTS = {
    "new_events": """
insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor, source,
  operation_id)
select occurred_at, recorded_at, type, entity, record_id, version, customer_id, {changes}, actor, source, operation_id
from jsonb_to_recordset(cast(:events as jsonb)) as e(occurred_at timestamptz, recorded_at timestamptz, type text,
  entity text, record_id uuid, version int, customer_id uuid, changes jsonb, actor uuid, source text,
  operation_id uuid)
where {holds}
""",
    "given_stays": """
select * from jsonb_to_recordset(cast(:stays as jsonb)) as s(entity text, record_id uuid, field text,
  pipeline_id uuid, stage text, entered_at timestamptz, "by" uuid, note text, source text)
where {holds}
""",
    "left_stays": """
update stage_stays s set left_at = g.entered_at from given_stays g
where s.entity = g.entity and s.record_id = g.record_id and s.field = g.field and s.left_at is null
returning s.id
""",
    "new_stays": _ENTER + " and (select count(*) from left_stays) >= 0",
    "first_stays": _ENTER,
    "given_keys": """
select * from jsonb_to_recordset(cast(:keys as jsonb)) as k(entity text, record_id uuid, kind text, key text)
where {holds}
""",
    "old_keys": """
delete from match_keys m where m.record_id = any(cast(:known as uuid[])) and {holds}
and not exists (select from given_keys g where g.record_id = m.record_id and g.kind = m.kind and g.key = m.key)
""",
    "new_keys": """
insert into match_keys (entity, record_id, kind, key) select entity, record_id, kind, key from given_keys
on conflict do nothing
""",
    "new_assignees": """
insert into customer_assignees (customer_id, user_id, role)
select customer_id, user_id, role
from jsonb_to_recordset(cast(:assignees as jsonb)) as a(customer_id uuid, user_id uuid, role text)
where {holds}{held}
on conflict (customer_id, user_id) do update set role = coalesce(excluded.role, customer_assignees.role)
returning customer_id, user_id, role, xmax = 0 as is_new
""",
    "new_reasons": """
insert into assignment_reasons (customer_id, user_id, entity, record_id)
select customer_id, user_id, entity, record_id
from jsonb_to_recordset(cast(:reasons as jsonb)) as r(customer_id uuid, user_id uuid, entity text, record_id uuid)
where {holds}
on conflict do nothing
""",
    "new_external_ids": """
insert into external_ids (entity, system, external_id, record_id)
select entity, system, external_id, record_id
from jsonb_to_recordset(cast(:external_ids as jsonb)) as x(entity text, system text, external_id text,
  record_id uuid)
where {holds}
""",
}

# See `assignees`: whoever takes one away holds the customer, too.
_HELD = """held as (select from customers where id in (
  select customer_id from jsonb_to_recordset(cast(:assignees as jsonb)) as a(customer_id uuid)
) order by id for no key update)"""
_PARTS_HELD = parts("true", held=" and (select count(*) from held) >= 0")

_WRITE = text(
    f"with {_HELD}, {', '.join(f'{name} as ({part})' for name, part in _PARTS_HELD.items() if name != 'first_stays')}"
    " select customer_id from new_assignees where is_new"
)

# A statement of its own: it sees what whoever took the last assignee away has committed while the customer was waited
# for.
_ASSIGNED = text("update customers set assigned = true where id = any(:ids) and not assigned")


async def fields_changed_since(session: AsyncSession, record_id: UUID, version: int) -> set[str]:
    """The names of the fields that changed after a version of a record; `archived_at` if it went or came back."""
    return set(await session.scalars(_CHANGED_SINCE, {"record_id": record_id, "version": version}))


async def move_history(session: AsyncSession, customers: Mapping[UUID, UUID | None]) -> None:
    """Records belong to other customers from now on, and their history with them. customers: record → its customer."""
    await session.execute(_MOVE, {"record_ids": list(customers), "customers": as_object(customers)})


def as_object(customers: Mapping[UUID, UUID | None]) -> str:
    """The customers of records as a JSON object, in which SQL finds each at once, whatever the planner believes."""
    return orjson.dumps({str(id): customer_id and str(customer_id) for id, customer_id in customers.items()}).decode()


def in_object(column: str) -> str:
    """The customer of the record that a column names, as SQL on `:customers`, which `as_object` made."""
    return f"cast(cast(:customers as jsonb) ->> cast({column} as text) as uuid)"


_MOVE = text(f"update events set customer_id = {in_object('record_id')} where record_id = any(:record_ids)")

_CHANGED_SINCE = text("""
select jsonb_object_keys(changes) from events where record_id = :record_id and version > :version
union select 'archived_at' from events
  where record_id = :record_id and version > :version and split_part(type, '.', 2) in ('archived', 'restored')
""")
