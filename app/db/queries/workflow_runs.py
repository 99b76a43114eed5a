"""The runs of workflows: one for each episode of a record, which the database refuses a second time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Date, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock


@dataclass(frozen=True, slots=True)
class Episode:
    """What is handled once: of which record, which of its episodes, and when that was due."""

    workflow_id: UUID
    entity: str
    record_id: UUID
    key: str
    due_at: datetime


async def begin(session: AsyncSession, by: UUID, episode: Episode) -> UUID | None:
    """The id of the episode's run, in the name of a user; None if there has been one. One that failed begins again."""
    values = {name: getattr(episode, name) for name in ("workflow_id", "entity", "record_id", "key", "due_at")}
    run_id: UUID | None = await session.scalar(_BEGIN, values | {"id": uuid7(), "now": clock.now(), "by": by})
    return run_id


async def end(
    session: AsyncSession,
    run_id: UUID,
    state: str,
    *,
    reason: str | None = None,
    assigned_to: UUID | None = None,
    steps: list[dict[str, Any]],
) -> None:
    """How a run ended: done, skipped or failed, why, with which steps, and to whom it gave work."""
    values = {"id": run_id, "state": state, "reason": reason, "assigned_to": assigned_to, "now": clock.now()}
    await session.execute(_END, values | {"steps": orjson.dumps(steps, default=str).decode()})


async def in_turn(session: AsyncSession, workflow_id: UUID, profiles: list[str], day: date) -> list[UUID]:
    """The active users of these profiles who are present on a day; whom the workflow gave work least recently first.

    Their turns are told apart only under a lock on the workflow.
    """
    return list(await session.scalars(_IN_TURN, {"workflow_id": workflow_id, "profiles": profiles, "day": day}))


_BEGIN = text("""
insert into workflow_runs (id, workflow_id, entity, record_id, episode, repetition, state, due_at, finished_at, steps,
  version, source, created_at, created_by, updated_at, updated_by)
values (:id, :workflow_id, :entity, :record_id, :key, 0, 'done', :due_at, :now, '[]', 1, 'workflow', :now, :by,
  :now, :by)
on conflict (workflow_id, entity, record_id, episode, repetition) do update set state = 'done', reason = null,
  version = workflow_runs.version + 1, updated_at = :now, updated_by = :by
where workflow_runs.state = 'failed'
returning id
""")

_END = text("""
update workflow_runs set state = :state, reason = :reason, assigned_to = :assigned_to, finished_at = :now,
  steps = cast(:steps as jsonb)
where id = :id
""")

_IN_TURN = text("""
select u.id from users u
left join lateral (select r.id from workflow_runs r where r.workflow_id = :workflow_id and r.assigned_to = u.id
  order by r.id desc limit 1) as last on true
where u.active and not u.service and u.archived_at is null and u.profile_id = any(:profiles)
and not coalesce(:day between (u.absence ->> 'from_on')::date and (u.absence ->> 'until_on')::date, false)
order by last.id nulls first, u.id
""").bindparams(bindparam("day", type_=Date()))
