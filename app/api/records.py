"""The routes that every kind of record has: list, create, read, change, archive, restore, upsert."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import Request, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import render
from app.api.deps import Caller, ExternalId, Id, IdempotencyKey, IfMatch, Reader, Session, System, Writer
from app.api.listing import WITH, along, parameters
from app.api.render import Page
from app.api.routers import Router
from app.db.base import Record
from app.db.models import RECORDS
from app.domain import at_once, records, upserting
from app.domain.entities.fields import Entity
from app.policies.access import Access

Create = Callable[[AsyncSession, Access, Entity, Any], Awaitable[Record]]
Change = Callable[[AsyncSession, Access, Entity, Record, Any], Awaitable[None]]
Archive = Callable[[AsyncSession, Access, Entity, Record], Awaitable[None]]

# An id such as 2026/17 has slashes, which come as they are or as %2F.
BY_EXTERNAL_ID = "/by/{system}/{external_id:path}"


def list_routes(entity: Entity) -> Router:
    """List."""
    router = Router(prefix=f"/{entity.path}", tags=[entity.name])
    many = entity.name

    page: Any = Page[entity.read]  # type: ignore[name-defined]

    async def list_(reader: Reader, request: Request) -> Response:
        return await render.page(reader, entity, request)

    add(
        router,
        "GET",
        "",
        list_,
        f"list_{many}",
        f"List the {many} that you may see.",
        page,
        openapi_extra={"parameters": parameters(entity)},
    )
    return router


def read_routes(entity: Entity) -> Router:
    """List and read."""
    router = list_routes(entity)

    async def read(reader: Reader, id: Id, request: Request) -> Response:
        return await render.record(reader, entity, id, along(request.query_params))

    add(
        router,
        "GET",
        "/{id}",
        read,
        f"read_{entity.singular}",
        f"Read one of the {entity.name}, archived or not.",
        entity.read,
        openapi_extra={"parameters": [WITH]},
    )
    return router


def record_routes(
    entity: Entity,
    create: Create = records.create,
    change: Change = records.change,
    archive: Archive = records.archive,
    restore: Archive = records.restore,
    routes: Callable[[Entity], Router] = read_routes,
    confirmed: Sequence[Any] = (),
) -> Router:
    """All of them. `create`, `change`, `archive`, `restore` and the `routes` for reading are the entity's own where it
    has rules of its own. confirmed: dependencies by which a caller confirms a change."""
    router = routes(entity)
    one, many = entity.singular, entity.name
    model = RECORDS[entity.name]
    New, Changes = entity.create, entity.update

    async def create_(writer: Writer, data: New, key: IdempotencyKey = None) -> Response:  # type: ignore[valid-type]
        if create is records.create and (
            made := await writer.at_once(lambda connection, access: at_once.create(connection, access, entity, data))
        ):
            return render.at_once(entity, made, 201)
        async with writer.transaction() as (session, access):
            record = await create(session, access, entity, data)
            return await render.created(session, access, entity, record.id)

    async def change_(session: Session, access: Caller, id: Id, data: Changes, if_match: IfMatch = None) -> Response:  # type: ignore[valid-type]
        record = await access.row(session, model, id, "update")
        await records.unchanged_since(session, access, entity, record, if_match)
        await change(session, access, entity, record, data)
        return await render.written(session, access, entity, record.id)

    async def archive_(session: Session, access: Caller, id: Id, if_match: IfMatch = None) -> Response:
        record = await access.row(session, model, id, "delete")
        await records.unchanged_since(session, access, entity, record, if_match)
        await archive(session, access, entity, record)
        return Response(status_code=204)

    async def restore_(session: Session, access: Caller, id: Id, key: IdempotencyKey = None) -> Response:
        record = await access.row(session, model, id, "delete")
        await restore(session, access, entity, record)
        return await render.written(session, access, entity, record.id)

    async def upsert(
        session: Session,
        access: Caller,
        system: System,
        external_id: ExternalId,
        data: Changes,  # type: ignore[valid-type]
        if_match: IfMatch = None,
    ) -> Response:
        record, new = await upserting.upsert(
            session, access, entity, system, external_id, data, if_match, create, change
        )
        status = 201 if new else 200
        return await render.created(session, access, entity, record.id, status)

    async def read_by(reader: Reader, system: System, external_id: ExternalId, request: Request) -> Response:
        return await render.known_by(reader, entity, system, external_id, along(request.query_params))

    new = "Left out fields take their defaults."
    add(
        router,
        "POST",
        "",
        create_,
        f"create_{one}",
        f"Create one of the {many}. {new}",
        entity.read,
        status_code=status.HTTP_201_CREATED,
    )
    add(
        router,
        "PATCH",
        "/{id}",
        change_,
        f"update_{one}",
        "Change the given fields; null clears.",
        entity.read,
        dependencies=confirmed,
    )
    add(
        router,
        "DELETE",
        "/{id}",
        archive_,
        f"archive_{one}",
        "Archive it with what belongs to it.",
        None,
        status_code=204,
        dependencies=confirmed,
    )
    add(router, "POST", "/{id}/restore", restore_, f"restore_{one}", "Bring back what its archiving took.", entity.read)
    add(
        router,
        "GET",
        BY_EXTERNAL_ID,
        read_by,
        f"read_{one}_by_external_id",
        "Read the record that another system knows by this id, archived or not.",
        entity.read,
        openapi_extra={"parameters": [WITH]},
    )
    add(
        router, "PUT", BY_EXTERNAL_ID, upsert, f"upsert_{one}",
        "Create or change the record that another system knows by this id: 201 or 200.",
        entity.read, responses={201: {"model": entity.read, "description": "Created"}}, dependencies=confirmed,
    )  # fmt: skip
    return router


def add(
    router: Router, method: str, path: str, function: Any, name: str, summary: str, model: Any, **more: Any
) -> None:
    """Give a router one of the routes that several kinds of records have; its name is the operation's."""
    function.__name__, function.__doc__ = name, summary
    router.add_api_route(path, function, methods=[method], response_model=model, **more)
