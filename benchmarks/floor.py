"""How fast could the machine be? Starlette and asyncpg with SQL by hand for just these operations: the floor.

No access, no validation; a database of its own with the same rows, the same constraints, and only the indexes that
these operations want. Its writes put the rows that ours put, in one statement.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

ACTOR = UUID("00000000-0000-7000-8000-000000000000")
INDEXED = ("customers", "opportunities", "events", "stage_stays")
INDEXES = """
create index on customers (owner_id, sector, name_key, id) where archived_at is null;
create index on events (record_id, version);
create unique index on stage_stays (record_id) where left_at is null;
"""

LIST = """
select coalesce(json_agg(c), '[]')::text from (
  select id, number, name, owner_id, sector, customer_type, origin, country, province, municipality, employees,
    annual_revenue::text, currency, lifecycle_stage, updated_at
  from customers where owner_id = $1 and sector = $2 and archived_at is null order by name_key, id limit $3
) c
"""

MOVE = """
with old as (
  select id, stage, probability from opportunities where id = $1 for no key update
), moved as (
  update opportunities o set stage = s.key, stage_kind = s.kind, probability = s.probability, stage_entered_at = now(),
    closed_at = case when s.kind <> 'open' then now() end, version = version + 1, updated_at = now(), updated_by = $3
  from old, stages s where o.id = old.id and s.pipeline_id = o.pipeline_id and s.key = $2
  returning o.*, old.stage as old_stage, old.probability as old_probability
), left_stay as (
  update stage_stays s set left_at = now() from moved m where s.record_id = m.id and s.left_at is null returning s.id
), new_stay as (
  insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", source)
  select 'opportunities', id, 'stage', pipeline_id, stage, now(), $3, 'api' from moved
  where (select count(*) from left_stay) >= 0
), new_event as (
  insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor, source,
    operation_id)
  select now(), now(), 'opportunity.stage_changed', 'opportunities', id, version, customer_id,
    jsonb_build_object('stage', jsonb_build_array(old_stage, stage), 'probability',
      jsonb_build_array(old_probability, probability)), $3, 'api', $4 from moved
)
select row_to_json(o)::text from (
  select id, name, customer_id, opened_at, pipeline_id, stage, stage_kind, stage_entered_at, owner_id,
    amount::text, currency, probability, expected_close_on, closed_at, lost_reason, competitor, competitor_price::text,
    description, tags, version, source, created_at, created_by, updated_at, updated_by, archived_at from moved
) o
"""


async def make_database(address: str, name: str, template: str) -> None:
    """A copy of the template, to which nobody may be connected, with the floor's own indexes."""
    server = await asyncpg.connect(address)
    await server.execute(f"create database {name} template {template}")
    await server.close()
    connection = await asyncpg.connect(address, database=name)
    for (index,) in await connection.fetch(
        "select indexrelid::regclass::text from pg_index where indrelid = any($1::text[]::regclass[])"
        " and not exists (select from pg_constraint where conindid = indexrelid)",
        INDEXED,
    ):
        await connection.execute(f"drop index {index}")
    await connection.execute(INDEXES)
    await connection.execute("vacuum analyze")
    await connection.close()


def make_app(address: str) -> Starlette:
    async def keep(connection: Any) -> None:
        """Nothing is reset: no request leaves anything in a connection."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(address, min_size=8, max_size=8, reset=keep) as app.state.pool:
            yield

    async def list_customers(request: Request) -> Response:
        asked = request.query_params
        values = UUID(asked["owner_id"]), asked["sector"], int(asked["limit"])
        items = await request.app.state.pool.fetchval(LIST, *values)
        return Response(b'{"items":%b}' % items.encode(), media_type="application/json")

    async def move_opportunity(request: Request) -> Response:
        stage = orjson.loads(await request.body())["stage"]
        values = UUID(request.path_params["id"]), stage, ACTOR, uuid7()
        return Response(await request.app.state.pool.fetchval(MOVE, *values), media_type="application/json")

    routes = [
        Route("/v1/customers", list_customers),
        Route("/v1/opportunities/{id}/stage", move_opportunity, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


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
