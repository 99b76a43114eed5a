"""Whether the database answers and has been migrated and planted."""

from functools import cache

from alembic.script import ScriptDirectory

from app.db.copying import migration
from app.db.session import reading_pool
from app.settings import PROJECT


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


@cache
def _older() -> frozenset[str]:
    """Every migration but the newest."""
    scripts = ScriptDirectory(PROJECT / "migrations")
    return frozenset(each.revision for each in scripts.walk_revisions()) - set(scripts.get_heads())
