"""Answers: bytes as PostgreSQL made them, with the headers that go with a record."""

from dataclasses import replace
from typing import Generic, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.deps import Reading
from app.api.listing import parse
from app.db import idempotency, reading
from app.db import session as db
from app.db.queries import external_ids
from app.db.statements import Statement
from app.db.writing import Written
from app.domain.entities.fields import Entity
from app.domain.listing import Listing, list_shape, may_be_misspelt, next_cursor, record_shape
from app.policies.access import Access, not_found

Item = TypeVar("Item", bound=BaseModel)
# Where a list is looked for: in its beginning, then everywhere, then everywhere for what has one wrong letter.
Look = Literal["beginning", "everywhere", "misspelt"]
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization"}


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="For the page after this one; null on the last.")
    total: int | None = Field(description="How many there are, where `count` asked for it.")


async def page(reader: Reading, entity: Entity, request: Request, of: tuple[str, UUID] | None = None) -> Response:
    """The page of a list that the request's parameters ask for.

    of: the field by which it is the list of one in a path, and the path's id.
    """
    listing, early = Listing(), False
    parent, parent_id = of or (None, None)

    def make(access: Access, look: Look) -> Statement:
        nonlocal listing, early
        listing = parse(request.query_params, entity, access.vocabulary, parent)
        if parent:
            listing.where[parent, "is"] = parent_id
        shape, values = list_shape(access, entity, listing, fuzzy=look == "misspelt")
        early = look == "beginning" and reading.found_early(shape)
        scarce = look == "everywhere" and not shape.words
        return reading.statement(replace(shape, beginning=early, scarce=scarce), values)

    _, row = await reader.read(lambda access: make(access, "beginning"))
    if early and not row["whole"] and row["found"] <= listing.limit:
        _, row = await reader.read(lambda access: make(access, "everywhere"))
    fuzzy = row["found"] == 0 and bool(listing.q) and may_be_misspelt(listing)
    if fuzzy:
        _, row = await reader.read(lambda access: make(access, "misspelt"))
    cursor = next_cursor(entity, listing, row["last"], fuzzy) if row["found"] > listing.limit else None
    total = b"null" if row["total"] is None else b"%d" % row["total"]
    body = b'{"items":[%b],"next_cursor":%b,"total":%b}' % (row["items"].encode(), orjson.dumps(cursor), total)
    return Response(body, 200, PRIVATE, "application/json")


async def record(reader: Reading, entity: Entity, id: UUID, along: tuple[str, ...] = ()) -> Response:
    """One record, archived or not; `along`, see `Listing`."""

    def make(access: Access) -> Statement:
        shape, values = record_shape(access, entity, along=along)
        return reading.statement(shape, values | {"id__is": id})

    _, row = await reader.read(make)
    if not row["found"]:
        raise not_found(entity.singular)
    return _record(row["items"].encode(), row["version"], 200, {})


async def known_by(
    reader: Reading, entity: Entity, system: str, external_id: str, along: tuple[str, ...] = ()
) -> Response:
    """One record, by the id that another system has for it."""

    def make(access: Access) -> Statement:
        key = {"entity": entity.name, "system": system, "external_id": external_id}
        return external_ids.statement(key | {"sid": access.session_id})

    _, found = await reader.read(make)
    if found["record_id"] is None:
        raise not_found(entity.singular)
    return await record(reader, entity, found["record_id"], along)


async def written(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    id: UUID,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer to a write: the record as it is now, with the caller's fields, even if it was just handed away."""
    return await kept(session, await shown(session, access, entity, id, status, headers))


async def shown(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    id: UUID,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The same, not yet kept for a repeated request: it is part of an answer."""
    await db.settle(session)
    shape, given = record_shape(access, entity, within_reach=False)
    sql, values, _ = reading.statement(shape, given | {"id__is": id})
    row = await (await db.driver(session)).fetchrow(sql, *values)
    session.info["confirmed"] = row["in_force"] and row["memory"] == access.version
    return _record(row["items"].encode(), row["version"], status, headers or {})


async def created(session: AsyncSession, access: Access, entity: Entity, id: UUID, status: int = 201) -> Response:
    """The answer to a create, with `Location`."""
    return await written(session, access, entity, id, status, _location(entity, id))


def at_once(entity: Entity, said: Written, status: int = 200) -> Response:
    """The answer to a write that was one statement; with `Location` to a create."""
    return _record(said.body, said.version, status, _location(entity, said.id) if status == 201 else {})


async def kept(session: AsyncSession, answer: Response) -> Response:
    """The answer, kept for a repeated request if this one came with a key."""
    await db.settle(session)
    names = ("etag", "location", "content-type")
    headers = {name: answer.headers[name] for name in names if name in answer.headers}
    await idempotency.keep(session, answer.status_code, headers, bytes(answer.body))
    return answer


def _location(entity: Entity, id: UUID) -> dict[str, str]:
    return {"Location": f"/v1/{entity.path}/{id}"}


def _record(body: bytes, version: int, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, PRIVATE | {"ETag": f'"{version}"'} | headers, "application/json")
