"""Opportunities over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from app import clock
from app.api import render
from app.api.deps import Caller, Id, IdempotencyKey, Reader, Session
from app.api.records import record_routes
from app.db.queries import stages
from app.domain import opportunities
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityRead, StageMove
from app.domain.entities.values import Instant
from app.policies.access import Access, not_found

router = record_routes(OPPORTUNITIES)


class Stay(BaseModel):
    """A time spent in a stage: who moved it there and for how long it stayed, until now for the present one."""

    pipeline_id: UUID
    stage: str
    entered_at: Instant
    left_at: Instant | None
    seconds: int = Field(description="How long.")
    by: UUID
    note: str | None
    source: str


class StageHistory(BaseModel):
    """All stays, oldest first."""

    items: list[Stay]


@router.post("/{id}/stage", response_model=OpportunityRead)
async def move_opportunity(
    session: Session, access: Caller, id: Id, data: StageMove, key: IdempotencyKey = None
) -> Response:
    """Move an opportunity to another stage of its pipeline."""
    opportunity = await opportunities.move(session, access, id, data)
    return await render.written(session, access, OPPORTUNITIES, opportunity.id)


@router.get("/{id}/stages", response_model=StageHistory)
async def read_opportunity_stages(reader: Reader, id: Id) -> Response:
    """The opportunity's history: which stages, when, by whom, how long."""

    def make(access: Access) -> tuple[str, list[Any]]:
        reach = access.reach("opportunities")
        reached = list(access.reached(reach.level))
        values = {"id": id, "now": clock.now(), "reached": reached, "sid": access.session_id}
        return stages.statement("opportunities", reach, values)

    _, row = await reader.read(make)
    if not row["record"]:
        raise not_found("opportunity")
    return Response(b'{"items":[%b]}' % row["items"].encode(), 200, render.PRIVATE, "application/json")
