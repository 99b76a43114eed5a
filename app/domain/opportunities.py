"""What one can do with opportunities beyond what is the same for every record: move them through their stages."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.models.opportunities import Opportunity
from app.domain import consequences, records
from app.domain.entities.opportunities import OPPORTUNITIES, StageMove, moved
from app.policies.access import Access


async def move(session: AsyncSession, access: Access, id: UUID, to: StageMove) -> Opportunity:
    """Move an opportunity to another stage: the old stay ends, a new one begins, the ledger says so."""
    opportunity = await access.row(session, Opportunity, id, "update")
    records.not_archived(opportunity)
    at = clock.now()  # once the record is locked: its stays follow one another
    pipeline = access.vocabulary.pipelines[opportunity.pipeline_id]
    values = moved(
        consequences.values_of(opportunity),
        pipeline,
        to,
        access.vocabulary,
        may_reopen=access.may("pipelines", "configure"),
        at=at,
    )
    await records.write(session, access, OPPORTUNITIES, opportunity, values, verb="stage_changed", note=to.note, at=at)
    return opportunity
