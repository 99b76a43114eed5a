"""The routes of records that move through stages: move one, and read its history."""

from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from app import clock
from app.api import render
from app.api.deps import Id, IdempotencyKey, Reader, Writer
from app.api.records import ETAG, add
from app.api.routers import Router
from app.db.queries import stages as history
from app.db.statements import Statement
from app.domain import at_once, stages
from app.domain.entities.fields import Entity
from app.domain.entities.stages import Move
from app.domain.entities.values import Instant
from app.policies.access import Access, not_found


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


def add_stage_routes(router: Router, entity: Entity, To: type[Move]) -> None:
    """Give the entity's router the two routes. To: what the body of a move is."""
    one = entity.singular

    async def move(writer: Writer, id: Id, data: To, key: IdempotencyKey = None) -> Response:  # type: ignore[valid-type]
        if said := await writer.at_once(lambda connection, access: at_once.move(connection, access, entity, id, data)):
            return render.at_once(entity, said)
        async with writer.transaction() as (session, access):
            record = await stages.move(session, access, entity, id, data)
            return await render.written(session, access, entity, record.id)

    async def read(reader: Reader, id: Id) -> Response:
        def make(access: Access) -> Statement:
            reach = access.reach(entity.name)
            reached = list(access.reached(reach.level))
            values = {"id": id, "now": clock.now(), "reached": reached, "sid": access.session_id}
            return history.statement(entity.name, reach, values)

        _, row = await reader.read(make)
        if not row["record"]:
            raise not_found(one)
        return Response(b'{"items":[%b]}' % row["items"].encode(), 200, render.PRIVATE, "application/json")

    add(
        router, "POST", "/{id}/stage", move, f"move_{one}", f"Move the {one} to another stage of its pipeline.",
        entity.read, responses={200: {"headers": ETAG}},
    )  # fmt: skip
    add(
        router, "GET", "/{id}/stages", read, f"read_{one}_stages",
        f"The {one}'s history: which stages, when, by whom, how long.", StageHistory,
    )  # fmt: skip
