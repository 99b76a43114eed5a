"""How does a database come to the newest schema, with what every database begins with? (`crm migrate`, `crm up`)"""

import asyncio

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from app.db import seeds, session
from app.server.processes import CannotStart
from app.settings import PROJECT


def migrate() -> None:
    """Upgrade the database that the environment names, then plant the seeds that it lacks. CannotStart when its
    migrations are not those that there are here."""
    try:
        command.upgrade(Config(PROJECT / "alembic.ini"), "head")
    except CommandError as error:
        raise CannotStart(f"the database cannot be migrated: {error}") from None
    asyncio.run(_plant())


async def _plant() -> None:
    async with session.transaction("system") as transaction:
        await seeds.plant(transaction)
    await session.close()


if __name__ == "__main__":
    migrate()
