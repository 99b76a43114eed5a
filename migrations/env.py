"""How migrations run: one at a time, whoever asks, each in a transaction of its own."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from app.db import session
from app.db.models import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    connection.execute(text("select pg_advisory_lock(hashtext('clientela.migrate'))"))
    connection.commit()
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    async with session.engine().connect() as connection:
        await connection.execute(text("set statement_timeout = 0"))
        await connection.execute(text("set lock_timeout = '10s'"))
        await connection.commit()
        await connection.run_sync(run)
    await session.close()


asyncio.run(main())
