"""The route by which all that somebody works on becomes others', and the confirmation of those who leave without."""

from typing import Annotated

from fastapi import Depends, Query, Response

from app.api import render
from app.api.deps import Caller, Id, IdempotencyKey, Session
from app.api.routers import Router
from app.db.session import operation_of
from app.domain import handing_over
from app.domain.entities.handing_over import HandedOver, HandOver


async def _confirm(
    session: Session,
    confirm: Annotated[
        bool, Query(description="Let somebody leave who still owns customers or open work; else 409 `owns_work`.")
    ] = False,
) -> None:
    operation_of(session).confirmed = confirm


CONFIRMED = Depends(_confirm, scope="function")


def add_hand_over_route(router: Router) -> None:
    """Give the users' router the route."""

    @router.post("/{id}/hand-over", response_model=HandedOver)
    async def hand_over_user(
        session: Session, access: Caller, id: Id, data: HandOver, key: IdempotencyKey = None
    ) -> Response:
        """Give a person's customers, open leads, opportunities and activities to others, all at once.

        Whoever takes them becomes an assignee of the customers; what is closed keeps its owner. For those who configure
        users and may do all that the person may, and for managers who may assign in each of these sections.
        """
        done = await handing_over.hand_over(session, access, id, data)
        body = done.model_dump_json().encode()
        return await render.kept(session, Response(body, 200, render.PRIVATE, "application/json"))
