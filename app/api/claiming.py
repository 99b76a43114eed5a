"""The route of records that may be nobody's: make one of them yours."""

from fastapi import Response

from app.api import render
from app.api.deps import Caller, Id, IdempotencyKey, Session
from app.api.records import add
from app.api.routers import Router
from app.domain import claiming
from app.domain.entities.fields import Entity


def add_claim_route(router: Router, entity: Entity) -> None:
    """Give the entity's router the route."""
    one = entity.singular

    async def claim(session: Session, access: Caller, id: Id, key: IdempotencyKey = None) -> Response:
        record = await claiming.claim(session, access, entity, id)
        return await render.written(session, access, entity, record.id)

    add(
        router, "POST", "/{id}/claim", claim, f"claim_{one}",
        f"Become the owner of a {one} that has none; 409 `taken` if somebody was quicker.",
        entity.read,
    )  # fmt: skip
