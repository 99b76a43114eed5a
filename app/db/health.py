"""Whether the database answers and has been migrated and planted."""

import re
from functools import cache
from typing import Any

from app.db.session import reading_pool
from app.settings import PROJECT

_FOLLOWS = re.compile(r'^down_revision\b.*= "(\w+)"$', re.MULTILINE)


async def is_ready() -> bool:
    """Whether it has every migration that there is here, and its seeds.

    One that was migrated by a newer version is ready: processes of the older one serve until they are replaced.
    """
    pool = await reading_pool()
    async with pool.acquire() as connection:
        found = await migration(connection)
        if found is None or found in _older():
            return False
        return bool(await connection.fetchval("select exists (select from versions)"))


async def migration(connection: Any) -> str | None:
    """The migration that the database is at, None if it was never migrated."""
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval("select version_num from alembic_version")
    return found


@cache
def _older() -> frozenset[str]:
    """Every migration but the newest: those that another follows. Read as text: Alembic takes 10 MB of each process."""
    files = (PROJECT / "migrations" / "versions").glob("*.py")
    return frozenset(found[1] for each in files if (found := _FOLLOWS.search(each.read_text(encoding="utf-8"))))
