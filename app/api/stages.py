"""The routes of records that move through stages: move one, and read its history, or that of a customer's lifecycle."""

from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from app import clock
from app.api import render
from app.api.deps import Id, IdempotencyKey, IfMatch, Reader, Writer
from app.api.records import add
from app.api.routers import Router
from app.db.queries import stages as history
from app.db.statements import Statement
from app.domain import at_once, stages
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.fields import Entity
from app.domain.entities.stages import Move
from app.domain.entities.values import Instant
from app.policies.access import Access, not_found


class LifecycleStay(BaseModel):
    """A time spent in a stage: who put it there and for how long it stayed, until now for the present one."""

    stage: str
    entered_at: Instant
    left_at: Instant | None
    seconds: int = Field(description="How long.")
    by: UUID
    source: str


class LifecycleHistory(BaseModel):
    """All stays, oldest first; between two there may be a time without a stage."""

    items: list[LifecycleStay]


class Stay(LifecycleStay):
    """A time spent in a stage of a pipeline."""

    pipeline_id: UUID
    note: str | None


class StageHistory(BaseModel):
    """All stays, oldest first."""

    items: list[Stay]


def add_stage_routes(router: Router, entity: Entity, To: type[Move]) -> None:
    """Give the entity's router the two routes. To: what the body of a move is."""
    one = entity.singular

    async def move(
        writer: Writer,
        id: Id,
        data: To,  # type: ignore[valid-type]
        key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Response:
        if if_match is None and (
            said := await writer.at_once(lambda connection, access: at_once.move(connection, access, entity, id, data))
        ):
            return render.at_once(entity, said)
        async with writer.transaction() as (session, access):
            record = await stages.move(session, access, entity, id, data, if_match)
            return await render.written(session, access, entity, record.id)

    async def read(reader: Reader, id: Id) -> Response:
        return await _history(reader, entity, id, "stage")

    add(
        router, "POST", "/{id}/stage", move, f"move_{one}", f"Move the {one} to another stage of its pipeline.",
        entity.read,
    )  # fmt: skip
    add(
        router, "GET", "/{id}/stages", read, f"read_{one}_stages",
        f"The {one}'s history: which stages, when, by whom, how long.", StageHistory,
    )  # fmt: skip


def add_lifecycle_route(router: Router) -> None:
    """Give the customers' router the route of their lifecycle stages."""

    async def read(reader: Reader, id: Id) -> Response:
        return await _history(reader, CUSTOMERS, id, "lifecycle_stage")

    add(
        router, "GET", "/{id}/lifecycle", read, "read_customer_lifecycle",
        "The customer's history: which lifecycle stages, when, by whom, how long.", LifecycleHistory,
    )  # fmt: skip


async def _history(reader: Reader, entity: Entity, id: UUID, field: str) -> Response:
    def make(access: Access) -> Statement:
        reach = access.reach(entity.name)
        values = {"id": id, "now": clock.now(), "reached": list(access.reached(reach.level)), "sid": access.session_id}
        return history.statement(entity.name, field, reach, values)

    access, row = await reader.read(make)
    if not row["record"]:
        raise not_found(entity.singular)
    access.require_fields(entity, [field], "read")
    return Response(b'{"items":[%b]}' % row["items"].encode(), 200, render.PRIVATE, "application/json")
