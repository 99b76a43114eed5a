"""How does a record move to another stage: who may, under which lock, and what follows?"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.base import Record
from app.db.models import RECORDS
from app.domain import consequences, records
from app.domain.entities.fields import Entity, Values
from app.domain.entities.stages import Move
from app.policies.access import Access


async def move(
    session: AsyncSession, access: Access, entity: Entity, id: UUID, to: Move, if_match: str | None = None
) -> Record:
    """Move a record to another stage: the old stay ends, a new one begins, the ledger says so. Raises `Stale` unless it
    is of the version that `if_match` names.
    """
    record: Any = await access.row(session, RECORDS[entity.name], id, "update")
    await records.unchanged_since(session, access, entity, record, if_match)
    records.not_archived(record)
    at = clock.now()  # once the record is locked: its stays follow one another
    values = moved(access, entity, consequences.values_of(record), to, at)
    await records.write(session, access, entity, record, values, verb="stage_changed", note=to.note, at=at)
    return record  # type: ignore[no-any-return]


def moved(access: Access, entity: Entity, record: Values, to: Move, at: datetime) -> Values:
    """The values that a move changes. Raises as the entity's rule does."""
    assert entity.moved is not None
    pipeline = access.vocabulary.pipelines[record["pipeline_id"]]
    may_reopen = access.may("pipelines", "configure")
    return entity.moved(record, pipeline, to, access.vocabulary, may_reopen=may_reopen, at=at)
