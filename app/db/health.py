"""Whether the database answers and has been migrated and planted."""

from app.db.session import reading_pool


async def is_ready() -> bool:
    pool = await reading_pool()
    async with pool.acquire() as connection:
        ready = "select exists (select from alembic_version) and exists (select from versions)"
        return bool(await connection.fetchval(ready))
