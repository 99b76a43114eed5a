"""Connections that are kept open: which are lent again, and do writes go on when PostgreSQL has ended them?"""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from app.db import pools, session


@pytest.mark.usefixtures("database")
async def test_a_write_after_postgresql_ended_every_connection_succeeds() -> None:
    async def backend() -> int:
        async with session.transaction() as transaction:
            return int(await transaction.scalar(text("select pg_backend_pid()")) or 0)

    before = await backend()
    other = await asyncpg.connect(session.database_address())
    await other.execute("select pg_terminate_backend($1)", before)
    await other.close()
    await asyncio.sleep(0.2)
    assert await backend() != before


@pytest.fixture
async def pool(database: None) -> AsyncIterator[pools.Pool]:
    pool = pools.Pool(1, dsn=session.database_address())
    yield pool
    await pool.close()


async def backend(pool: pools.Pool) -> int:
    async with pool.acquire() as connection:
        return int(await connection.fetchval("select pg_backend_pid()"))


async def test_a_connection_is_lent_to_one_at_a_time_and_again_after_an_error(pool: pools.Pool) -> None:
    first = await backend(pool)
    with pytest.raises(asyncpg.PostgresError):
        async with pool.acquire() as connection:
            await connection.execute("select 1 / 0")
    assert await asyncio.gather(backend(pool), backend(pool)) == [first, first]


async def test_a_connection_is_not_lent_again_when_its_statement_was_given_up(pool: pools.Pool) -> None:
    first = await backend(pool)
    with pytest.raises(TimeoutError):
        async with pool.acquire() as connection, asyncio.timeout(0.01):
            await connection.execute("select pg_sleep(1)")
    assert await backend(pool) != first


async def test_a_connection_that_ended_or_that_nobody_needed_for_long_is_not_lent(
    pool: pools.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(pool)
    async with pool.acquire() as connection:
        connection.terminate()
    second = await backend(pool)
    assert second != first
    monkeypatch.setattr(pools, "KEPT", -1.0)
    assert await backend(pool) != second
