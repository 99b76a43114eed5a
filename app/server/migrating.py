"""How does a database come to the newest schema, with what every database begins with? (`crm migrate`, `crm up`)"""

import asyncio

from alembic import command
from alembic.config import Config

from app.db import seeds, session
from app.settings import PROJECT


def migrate() -> None:
    """Upgrade the database that the environment names, then plant the seeds that it lacks."""
    command.upgrade(Config(PROJECT / "alembic.ini"), "head")
    asyncio.run(_plant())


async def _plant() -> None:
    async with session.transaction("system") as transaction:
        await seeds.plant(transaction)
    await session.close()


if __name__ == "__main__":
    migrate()
