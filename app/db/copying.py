"""How do all rows leave the database as one picture, and come into one that has no tables yet?"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import IO, Any

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app import clock
from app.db.session import database_address, engine

A_DAY = 86_400.0
MIGRATING = "hashtext('clientela.migrate')"
# What the text of a value depends on.
PLAIN = {"datestyle": "ISO", "intervalstyle": "postgres", "extra_float_digits": "1", "bytea_output": "hex"}
# A row without a transaction number takes that of the restore: the old ones are of another cluster.
TABLES = """
    select relname as name,
      coalesce(array_agg(attname::text order by attnum) filter (where attgenerated = '' and not own_number), '{}')
        as columns
    from pg_class
    join pg_attribute on attrelid = pg_class.oid
    cross join lateral (select atttypid = 'xid8'::regtype and atthasdef as own_number) as of_its_transaction
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
      and not exists (
        select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
      )
    group by relname order by relname
"""
SEQUENCES = """
    select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'S' order by relname
"""
# Rows come in faster without these, and in any order.
HINDRANCES = """
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as undone,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as done
    from pg_constraint
    where contype = 'f' and connamespace = current_schema()::regnamespace and conparentid = 0
    union all
    select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    from pg_index join pg_class on pg_class.oid = indrelid
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and not relispartition
      and not exists (select from pg_constraint where conindid = indexrelid)
"""


@asynccontextmanager
async def picture() -> AsyncIterator[Any]:
    """A connection that sees the database as it is now, however long it reads; no migration runs meanwhile."""
    connection = await asyncpg.connect(database_address(), server_settings=PLAIN)
    try:
        # Not in the transaction, which would see the tables as they were before a migration that it waited for.
        await connection.execute(f"select pg_advisory_lock_shared({MIGRATING})")
        await connection.execute("begin isolation level repeatable read read only")
        yield connection
    finally:
        # Not closed in order: when the disk is full, it is in the midst of a table and answers nothing else.
        connection.terminate()


async def tables(connection: Any) -> dict[str, list[str]]:
    """Every table, `alembic_version` and what extensions bring left out, with the columns that are copied."""
    return {row["name"]: row["columns"] for row in await connection.fetch(TABLES) if row["name"] != "alembic_version"}


async def sequences(connection: Any) -> dict[str, tuple[int, bool]]:
    """Of every sequence its last value, and whether that was given out already."""
    found = {}
    for row in await connection.fetch(SEQUENCES):
        name = row["name"]
        found[name] = tuple(await connection.fetchrow(f'select last_value, is_called from "{name}"'))
    return found


async def read(connection: Any, table: str, columns: list[str], take: Callable[[bytes], Awaitable[None]]) -> int:
    """Hand every row of a table to `take`, as text. How many there were."""
    return _count(await connection.copy_from_table(table, columns=columns, output=take))


@asynccontextmanager
async def emptiness() -> AsyncIterator[AsyncConnection]:
    """One transaction on the database that is to be filled, as long as it takes; migrations wait."""
    async with engine().connect() as connection, connection.begin():
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            await connection.exec_driver_sql(f"set local {setting} = 0")
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATING})")
        yield connection


async def driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection under one of SQLAlchemy's, in its transaction."""
    return (await connection.get_raw_connection()).driver_connection


def make_tables(connection: Connection, script: ScriptDirectory, to: str) -> None:
    """Bring an empty database to one migration, in the transaction of `connection`."""
    context = MigrationContext.configure(
        connection, opts={"fn": lambda revision, _: script._upgrade_revs(to, revision), "script": script}
    )
    with Operations.context(context):
        context.run_migrations()


@asynccontextmanager
async def unhindered(connection: Any) -> AsyncIterator[None]:
    """Tables emptied of what the migrations put there, and without foreign keys and indexes until the end."""
    hindrances = await connection.fetch(HINDRANCES)
    await _execute(connection, [each["undone"] for each in hindrances])
    await _execute(connection, [f'truncate "{table}"' for table in await tables(connection)])
    yield
    await _execute(connection, [each["done"] for each in hindrances])


async def write(connection: Any, table: str, columns: list[str], source: IO[bytes]) -> int:
    """Write rows that `read` gave into a table. How many there were."""
    return _count(await connection.copy_to_table(table, columns=columns, source=source, timeout=A_DAY))


async def go_on(connection: Any, values: dict[str, tuple[int, bool]]) -> None:
    """Let every sequence go on where it was, as `sequences` gave it."""
    for name in await sequences(connection):
        await connection.execute("select setval(quote_ident($1)::regclass, $2, $3)", name, *values[name])


async def end_sessions(connection: Any) -> None:
    """Sign everybody out: some of these sessions were ended since, and some tokens and links used."""
    await connection.execute("update sessions set ended_at = $1 where ended_at is null", clock.now())
    if "password_links" in await tables(connection):
        await connection.execute("delete from password_links")


async def gather_statistics(connection: Any) -> None:
    """Tell the planner what came in; it would learn it only minutes later."""
    await _execute(connection, [f'analyze "{table}"' for table in await tables(connection)])


async def _execute(connection: Any, statements: Iterable[str]) -> None:
    await connection.execute(";".join(statements), timeout=A_DAY)


def _count(status: str) -> int:
    return int(status.removeprefix("COPY "))
