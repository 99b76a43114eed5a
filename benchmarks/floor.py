"""How fast could the machine be? Starlette and asyncpg with SQL by hand for just these operations: the floor.

No access, no validation; a database of its own with the same rows, the same constraints, and only the indexes that
these operations want. Its writes put the rows that ours put, in one statement.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from benchmarks import floor_import, floor_sql

ACTOR = UUID("00000000-0000-7000-8000-000000000000")
ANYBODY = "select id from users where profile_id = 'sales' order by id limit 1"


async def make_database(address: str, name: str, template: str) -> None:
    """A copy of the template, to which nobody may be connected, with the floor's own indexes; once only."""
    server = await asyncpg.connect(address)
    if await server.fetchval("select exists (select from pg_database where datname = $1)", name):
        await server.close()
        return
    # File by file, not through the log: that takes minutes for ten times the data.
    await server.execute(f"create database {name} template {template} strategy file_copy")
    await server.close()
    connection = await asyncpg.connect(address, database=name)
    for (index,) in await connection.fetch(
        "select indexrelid::regclass::text from pg_index where indrelid = any($1::text[]::regclass[])"
        " and not exists (select from pg_constraint where conindid = indexrelid)",
        floor_sql.INDEXED,
    ):
        await connection.execute(f"drop index {index}")
    await connection.execute(floor_sql.INDEXES)
    await connection.execute("vacuum analyze")
    await connection.close()


def make_app(address: str) -> Starlette:
    async def keep(connection: Any) -> None:
        """Nothing is reset: no request leaves anything in a connection."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(address, min_size=8, max_size=8, reset=keep) as app.state.pool:
            # Whose everything is that is made here.
            app.state.owner = await app.state.pool.fetchval(ANYBODY)
            yield

    async def list_customers(request: Request) -> Response:
        asked, pool = request.query_params, request.app.state.pool
        if "q" in asked:
            return page(await pool.fetchval(floor_sql.SEARCH, asked["q"], int(asked["limit"])))
        if "sector" in asked:
            values = UUID(asked["owner_id"]), asked["sector"], int(asked["limit"])
            return page(await pool.fetchval(floor_sql.LIST, *values))
        name, _, id = asked.get("cursor", "").rpartition("/")
        items, name, id = await pool.fetchrow(floor_sql.BY_KEY, name, UUID(id or "0" * 32))
        return page(items, f"{name}/{id}")

    async def read_page(request: Request) -> Response:
        found = await request.app.state.pool.fetchval(floor_sql.PAGE, UUID(request.path_params["id"]))
        return Response(found, media_type="application/json")

    async def read_timeline(request: Request) -> Response:
        at, _, id = request.query_params.get("cursor", "9999-01-01T00:00:00+00:00_0").partition("_")
        values = UUID(request.path_params["id"]), datetime.fromisoformat(at), int(id)
        return page(await request.app.state.pool.fetchval(floor_sql.TIMELINE, *values))

    async def read_won_amounts(request: Request) -> Response:
        return page(await request.app.state.pool.fetchval(floor_sql.WON))

    async def create_customer(request: Request) -> Response:
        body = (await request.body()).decode()
        made = await request.app.state.pool.fetchval(floor_sql.CREATE, body, uuid7(), request.app.state.owner, uuid7())
        return Response(made, 201, media_type="application/json")

    async def move_opportunity(request: Request) -> Response:
        stage = orjson.loads(await request.body())["stage"]
        values = UUID(request.path_params["id"]), stage, ACTOR, uuid7()
        return Response(await request.app.state.pool.fetchval(floor_sql.MOVE, *values), media_type="application/json")

    async def load_file(request: Request) -> Response:
        async with request.app.state.pool.acquire() as connection:
            loaded = await floor_import.load(connection, await request.body(), request.app.state.owner)
        return Response(orjson.dumps({"created": loaded}), media_type="application/json")

    routes = [
        Route("/v1/customers", list_customers),
        Route("/v1/customers", create_customer, methods=["POST"]),
        Route("/v1/customers/{id}/page", read_page),
        Route("/v1/customers/{id}/timeline", read_timeline),
        Route("/v1/reports/won-amounts", read_won_amounts),
        Route("/v1/opportunities/{id}/stage", move_opportunity, methods=["POST"]),
        Route("/v1/imports", load_file, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def page(items: str, cursor: str | None = None) -> Response:
    body = b'{"items":%b,"next_cursor":%b}' % (items.encode(), orjson.dumps(cursor))
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        make_app(os.environ["FLOOR_DATABASE_URL"]),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
