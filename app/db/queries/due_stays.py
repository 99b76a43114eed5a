"""Which open stays of opportunities have lasted so long that a workflow is to act on them?"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Integer, Row, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.workflows import Workflow
from app.db.reach import Reach
from app.db.statements import Compiled, Statement, answering, reached


async def due(
    session: AsyncSession,
    workflow_id: UUID,
    *,
    entered_from: datetime | None,
    entered_until: datetime,
    since: datetime | None,
    include_imported: bool,
    limit: int,
) -> Sequence[Row[Any]]:
    """(id, record_id, entered_at) of stays neither handled nor promised to be that began in this time, oldest first.

    Only those that began after `since` count. None is the beginning of time.
    """
    window = {"entered_from": entered_from, "entered_until": entered_until, "since": since}
    values = {"workflow_id": workflow_id, "include_imported": include_imported, "limit": limit}
    found = await session.execute(_DUE, window | values)
    return found.all()


def dedupe(workflow_id: UUID, stay_id: int) -> str:
    """By what the promise to act on a stay is known."""
    return f"{workflow_id} {stay_id}"


async def open_stay(session: AsyncSession, stay_id: int) -> Row[Any] | None:
    """(entered_at, source) of a stay that goes on; None once it has ended."""
    return (await session.execute(_OPEN, {"id": stay_id})).one_or_none()


def count_statement(reach: Reach, values: dict[str, Any]) -> Statement:
    """The SQL, and its values in order (id, now, days, include_imported, reached, sid; None for the workflow's own). It
    answers one row: record, whether the workflow is reached; records, how many it would act on at once; memory;
    in_force."""
    return _count(reach).bound(values)


@cache
def _count(reach: Reach) -> Compiled:
    counted = text(f"({_COUNT}) as records").bindparams(
        bindparam("id", type_=Uuid()),
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("days", type_=Integer()),
        bindparam("include_imported", type_=Boolean()),
    )
    return Compiled.of(answering(counted, reached(Workflow.__tablename__, reach).label("record")))


# Each stage has its own part of the index, which begins where the last scan ended.
_STAGES = "stages t join pipelines p on p.id = t.pipeline_id and p.entity = 'opportunities' and p.archived_at is null"

_UNHANDLED = """
exists (select from opportunities o where o.id = s.record_id and o.archived_at is null)
and not exists (select from workflow_runs r where r.workflow_id = :workflow_id and r.entity = 'opportunities'
  and r.record_id = s.record_id and r.episode = s.id::text and r.repetition = 0)
"""

# What is promised already waits for its turn, or for another attempt, whose time is not to be changed.
_NOT_PROMISED = " and ".join(
    f"""not exists (select from jobs j where j.kind = 'run_workflow' and j.state = '{state}'
      and j.dedupe = cast(:workflow_id as text) || ' ' || s.id)"""
    for state in ("pending", "running")
)

_DUE = text(f"""
select s.id, s.record_id, s.entered_at from {_STAGES}
cross join lateral (
  select s.id, s.record_id, s.entered_at from stage_stays s
  where s.field = 'stage' and s.pipeline_id = t.pipeline_id and s.stage = t.key and s.left_at is null
    and s.entered_at between coalesce(:entered_from, '-infinity') and :entered_until
    and s.entered_at > coalesce(:since, '-infinity')
    and (:include_imported or s.source <> 'import') and {_UNHANDLED} and {_NOT_PROMISED}
  order by s.entered_at limit :limit
) s
where t.kind = 'open' order by s.entered_at, s.id limit :limit
""").bindparams(
    bindparam("entered_from", type_=DateTime(timezone=True)),
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("include_imported", type_=Boolean()),
)

_COUNT = f"""
select count(*) from workflows w
cross join {_STAGES}
join stage_stays s on s.field = 'stage' and s.pipeline_id = t.pipeline_id and s.stage = t.key and s.left_at is null
where w.id = :id and w.trigger ->> 'kind' = 'stay' and t.kind = 'open'
and s.entered_at <= :now - make_interval(days => coalesce(:days, (w.options ->> 'days')::int))
and (coalesce(:include_imported, (w.options ->> 'include_imported')::bool) or s.source <> 'import')
and {_UNHANDLED.replace(":workflow_id", "w.id")}
"""

_OPEN = text("""
select entered_at, source from stage_stays where id = :id and left_at is null
""").bindparams(bindparam("id", type_=BigInteger()))
