"""Do writes go on when PostgreSQL has ended the connections that are kept open?"""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from app.db import session


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
