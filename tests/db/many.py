"""So many records of one kind that PostgreSQL had better not read them all, and what it then means to do for a list."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import reading
from app.db.reading import Shape
from app.db.session import reading_pool
from tests.contracts.worlds import execute, fetch

# As many as make reading all of them in order the dearer way, and all of one owner: for PostgreSQL, which does not know
# who is asked for, the newest of all are then as good as those that are looked for.
COPIES = 3_000
_COPY = """
insert into {0} select copied.* from {0} r, generate_series(1, {1}) n,
  jsonb_populate_record(r, jsonb_build_object(
    'id', '00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), 'number', n::text,
    'created_at', r.created_at - interval '1 day' - (n * 7 % 1000) * interval '1 minute',
    'updated_at', r.updated_at - interval '1 day' - n * interval '1 minute')) copied
"""


async def copy(entity: str) -> None:
    """Copies of the only record that there is, made and changed in the days before it, some made at the same time."""
    await execute(_COPY.format(entity, COPIES))
    await execute(f"analyze {entity}")


async def read_of(session: AsyncSession, table: str) -> int:
    """How many rows the transaction has read of a table, in order or by an index."""
    counted = """select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
      where relid = to_regclass(:table)"""
    return await session.scalar(text(counted), {"table": table}) or 0


async def plan_for_any(shape: Shape, **values: Any) -> str:
    """The plan of a list that is planned once, for whatever values it is asked with."""
    sql, bound, planned_once = reading.statement(shape, values | {"sid": uuid4(), "reached": []})
    assert planned_once
    pool = await reading_pool(planned_once)
    async with pool.acquire() as connection:
        await connection.execute(f"prepare asked as {sql}")
        plan = await connection.fetch(f"explain execute asked({', '.join('null' for _ in bound)})")
        await connection.execute("deallocate asked")
    return "\n".join(row[0] for row in plan)


async def plan_for(shape: Shape, **values: Any) -> str:
    """The plan of a list that is planned for the values with which it is asked."""
    sql, bound, planned_once = reading.statement(shape, values | {"sid": uuid4()})
    assert not planned_once
    return "\n".join(row[0] for row in await fetch(f"explain {sql}", *bound))
