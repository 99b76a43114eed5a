"""Requests to be let in to a customer, over HTTP."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import render
from app.api.deps import Caller, IdempotencyKey, Reader, Session
from app.api.render import Page
from app.api.routers import Router
from app.db import access_requests as requests
from app.db import session as db
from app.db.statements import Statement
from app.domain import access_requests
from app.domain.entities.access_requests import AccessRequestCreate, AccessRequestRead, Refusal
from app.policies.access import Access

router = Router(prefix="/access-requests", tags=["access-requests"])

UUID_PATTERN = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

RequestId = Annotated[UUID, Path(description="The request's id.")]


@router.get("", response_model=Page[AccessRequestRead])
async def list_access_requests(
    reader: Reader,
    mine: Annotated[bool | None, Query(description="Those you made, or those that others made to you.")] = None,
    state: Literal["open", "granted", "refused"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=UUID_PATTERN, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """The requests that you made, and those that are yours to decide: for customers that you own or may assign."""

    def make(access: Access) -> Statement:
        access.require("customers", "read")
        return _statement(
            access, {"mine": mine, "state": state, "after": UUID(cursor) if cursor else None, "limit": limit}
        )

    _, row = await reader.read(make)
    following = orjson.dumps(row["last"] if row["found"] > limit else None)
    body = b'{"items":[%b],"next_cursor":%b,"total":null}' % (row["items"].encode(), following)
    return Response(body, 200, render.PRIVATE, "application/json")


@router.post("", response_model=AccessRequestRead, status_code=202)
async def create_access_request(
    session: Session, access: Caller, data: AccessRequestCreate, key: IdempotencyKey = None
) -> Response:
    """Ask to be let in to a customer that you met and do not reach, by what you know of it.

    The answer is the same whether there is one or not. Its owner, and who may assign it, see the request.
    """
    id = await access_requests.ask(session, access, data)
    return await _written(session, access, id, 202)


@router.post("/{id}/grant", response_model=AccessRequestRead)
async def grant_access_request(session: Session, access: Caller, id: RequestId, key: IdempotencyKey = None) -> Response:
    """Let the requester in, as an assignee of the customer."""
    await access_requests.grant(session, access, id)
    return await _written(session, access, id)


@router.post("/{id}/refuse", response_model=AccessRequestRead)
async def refuse_access_request(
    session: Session, access: Caller, id: RequestId, data: Refusal | None = None, key: IdempotencyKey = None
) -> Response:
    """Do not let the requester in."""
    await access_requests.refuse(session, access, id, data.note if data else None)
    return await _written(session, access, id)


def _statement(access: Access, asked: dict[str, Any]) -> Statement:
    assigns = access.reach("customers", "assign")
    values = {"id": None, "after": None, "state": None, "mine": None, "limit": 1, **asked}
    values |= {"user_id": access.user_id, "own": list(access.own), "sid": access.session_id}
    values |= {"assigning": list(access.reached(assigns.level)), "seen": access_requests.seen_evidence(access)}
    return requests.statement(assigns, access.may("customers", "update"), values)


async def _written(session: AsyncSession, access: Access, id: UUID, status: int = 200) -> Response:
    await db.settle(session)
    sql, values, _ = _statement(access, {"id": id})
    row = await (await db.driver(session)).fetchrow(sql, *values)
    return await render.kept(session, Response(row["items"].encode(), status, render.PRIVATE, "application/json"))
