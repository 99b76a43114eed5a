"""What has been promised to be done later, who does it now, and is it still theirs to finish?

A promise is a row of the caller's transaction: there when the change is, and gone when the change is rolled back. A
worker claims what is due under a lease and a fence, a number that grows with each claim. Who lost the lease still holds
the old number, so nothing of theirs is committed: every transaction of a job ends by `keep` or `finish`, which tell.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Select, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import bell
from app.db.base import Json
from app.db.keys import among
from app.db.models.jobs import Job as JobRow
from app.db.session import SERVER, TIMEOUTS, database_address, operation_of

LEASE = timedelta(seconds=60)


class Job(StrEnum):
    """The kinds of jobs. What each does is in `app/jobs/handlers.py`."""

    LOAD_IMPORT = "load_import"
    RUN_WORKFLOW = "run_workflow"
    SCAN_STAYS = "scan_stays"
    SEND_MESSAGE = "send_message"
    SEND_PASSWORD_LINK = "send_password_link"
    TAKE_SUBMISSION = "take_submission"
    TIDY = "tidy"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this process holds until its lease ends. `attempts` counts this one."""

    id: int
    kind: Job
    payload: Json
    run_as: UUID | None
    attempts: int
    fence: int


async def promise(
    session: AsyncSession,
    kind: Job,
    *,
    run_as: UUID | None,
    run_at: datetime | None = None,
    dedupe: str | None = None,
    **payload: Any,
) -> None:
    """Have it done once this transaction is committed, at `run_at` (now if None), as that user (the system if None).

    Arguments are ids. Of two pending promises of one kind with the same `dedupe` (if None: the same user and payload)
    one is kept, with the earlier time.
    """
    now = clock.now()
    new = insert(JobRow).values(
        kind=kind,
        dedupe=dedupe
        if dedupe is not None
        else orjson.dumps([run_as, payload], default=str, option=orjson.OPT_SORT_KEYS).decode(),
        payload=orjson.loads(orjson.dumps(payload, default=str)),
        run_as=run_as,
        run_at=run_at or now,
        state="pending",
        attempts=0,
        fence=0,
    )
    # An update, not `do nothing`: it locks the pending twin, which could else be claimed, run and done before this
    # transaction commits, without having seen what it changes.
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["kind", "dedupe"],
            # As a bound value it would match no index once PostgreSQL plans without values, from the sixth time on.
            index_where=text("state = 'pending'"),
            set_={"run_at": func.least(JobRow.run_at, new.excluded.run_at)},
        )
    )
    after_commit = operation_of(session).after_commit
    if (run_at is None or run_at <= now) and bell.ring not in after_commit:
        after_commit.append(bell.ring)


async def claim(session: AsyncSession, kinds: Iterable[Job], limit: int) -> list[Claimed]:
    """Up to `limit` jobs of these kinds that are due, or whose holder let the lease run out; held by nobody else."""
    now = clock.now()
    rows = await session.execute(
        _CLAIM, {"now": now, "lease_until": now + LEASE, "limit": limit, "kinds": [str(kind) for kind in kinds]}
    )
    return [Claimed(row.id, Job(row.kind), row.payload, row.run_as, row.attempts, row.fence) for row in rows]


async def keep(session: AsyncSession, job: Claimed) -> bool:
    """Whether it is still theirs; then it is for another lease from now."""
    return await _change(session, _KEEP, job, lease_until=clock.now() + LEASE)


async def finish(session: AsyncSession, job: Claimed) -> bool:
    """Whether it was still theirs; then it is done when this transaction, which holds its effect, is committed."""
    return await _change(session, _FINISH, job, now=clock.now())


async def retry(session: AsyncSession, job: Claimed, run_at: datetime, error: str) -> bool:
    """Whether it was still theirs; then it is due again at `run_at`, or done if a newer twin is pending anyway."""
    return await _change(session, _RETRY, job, run_at=run_at, now=clock.now(), error=error)


async def give_up(session: AsyncSession, job: Claimed, error: str) -> bool:
    """Whether it was still theirs; then it is kept as failed."""
    return await _change(session, _GIVE_UP, job, error=error)


async def hand_back(session: AsyncSession, job: Claimed) -> bool:
    """Whether it was still theirs; then another worker may have it at once, and this attempt does not count."""
    return await _change(session, _HAND_BACK, job, now=clock.now())


async def page(
    session: AsyncSession,
    run_as: Collection[UUID] | None,
    *,
    state: str | None,
    kind: str | None,
    before: int | None,
    limit: int,
) -> Sequence[JobRow]:
    """Jobs, the newest first, whose ids are below `before`. run_as: for whom they work; None: for whomever."""
    query = _of(run_as).order_by(JobRow.id.desc()).limit(limit)
    if state is not None:
        # As a bound value it would match no partial index.
        query = query.where(JobRow.state == literal(state, literal_execute=True))
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    if before is not None:
        query = query.where(JobRow.id < before)
    return (await session.scalars(query)).all()


async def one(session: AsyncSession, run_as: Collection[UUID] | None, id: int, *, hold: bool = False) -> JobRow | None:
    """A job, `run_as` as for a page. hold: nobody claims, ends or retries it until this transaction ends."""
    query = _of(run_as).where(JobRow.id == id)
    job: JobRow | None = await session.scalar(query.with_for_update() if hold else query)
    return job


def _of(run_as: Collection[UUID] | None) -> Select[JobRow]:
    query = select(JobRow)
    return query if run_as is None else query.where(among(JobRow.run_as, run_as))


async def take_up(session: AsyncSession, job: JobRow) -> JobRow:
    """Have a failed job, which is held, done from the beginning; if a newer twin is pending anyway it is done."""
    await session.execute(_TAKE_UP, {"id": job.id, "now": clock.now()})
    operation_of(session).after_commit.append(bell.ring)
    await session.refresh(job)
    return job


async def renew(job: Claimed) -> bool:
    """Like `keep`, on a connection of its own: those of the pool may all be busy with the very work that takes long."""
    connection = await asyncpg.connect(
        database_address(), timeout=5, command_timeout=5, server_settings=SERVER | TIMEOUTS
    )
    try:
        renewed = await connection.execute(
            "update jobs set lease_until = $1 where id = $2 and fence = $3 and state = 'running'",
            clock.now() + LEASE,
            job.id,
            job.fence,
        )
    finally:
        await connection.close(timeout=5)
    return bool(renewed == "UPDATE 1")


async def _change(session: AsyncSession, statement: Any, job: Claimed, **values: Any) -> bool:
    changed: Any = await session.execute(statement, {"id": job.id, "fence": job.fence, **values})
    return bool(changed.rowcount == 1)


# Two selects, each in the order of its own partial index; with `or` PostgreSQL would sort all that is pending.
_CLAIM = text("""
with due as materialized (
  select id from jobs where state = 'pending' and run_at <= :now and kind = any(:kinds)
  order by run_at limit :limit for update skip locked
), let_go as materialized (
  select id from jobs where state = 'running' and lease_until <= :now and kind = any(:kinds)
  order by lease_until limit :limit for update skip locked
)
update jobs set state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = :lease_until
where id in (select id from let_go union all select id from due limit :limit)
returning id, kind, payload, run_as, attempts, fence
""").columns(JobRow.id, JobRow.kind, JobRow.payload, JobRow.run_as, JobRow.attempts, JobRow.fence)

_KEEP = text("update jobs set lease_until = :lease_until where id = :id and fence = :fence and state = 'running'")

_FINISH = text("""
update jobs set state = 'done', done_at = :now, lease_until = null, last_error = null
where id = :id and fence = :fence and state = 'running'
""")

_TWIN = """
update jobs j set state = case when newer then 'done' else 'pending' end,
  done_at = case when newer then cast(:now as timestamptz) end,
  {also}
from (select exists (select from jobs t join jobs o on t.kind = o.kind and t.dedupe = o.dedupe
  where o.id = :id and t.state = 'pending') as newer) as twin
where j.id = :id and {state}
"""

_RETRY = text(
    _TWIN.format(
        also="run_at = :run_at, lease_until = null, last_error = :error", state="fence = :fence and state = 'running'"
    )
)

_TAKE_UP = text(_TWIN.format(also="run_at = :now, attempts = 0", state="state = 'failed'"))

_GIVE_UP = text("""
update jobs set state = 'failed', lease_until = null, last_error = :error
where id = :id and fence = :fence and state = 'running'
""")

_HAND_BACK = text("""
update jobs set lease_until = :now, attempts = attempts - 1 where id = :id and fence = :fence and state = 'running'
""")
