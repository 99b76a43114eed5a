"""Is the demo planted in this database, and is there anything else?"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.seeds import SYSTEM_USER


async def wait_for_others(session: AsyncSession) -> None:
    """Let one after the other plant, until the end of the transaction."""
    await session.execute(text("select pg_advisory_xact_lock(hashtext('demo'))"))


async def users(session: AsyncSession, usernames: Collection[str]) -> dict[UUID, str | None]:
    """Those of these users who are there, archived or not, and the hashes of their passwords."""
    found = await session.execute(_USERS, {"keys": list(usernames)})
    return {row.id: row.password_hash for row in found}


async def has_data(session: AsyncSession) -> bool:
    """Whether anybody has worked in the database: somebody signs in, or there are customers, leads or products."""
    return bool(await session.scalar(_HAS_DATA, {"system": SYSTEM_USER}))


_USERS = text("select id, password_hash from users where username_key = any(:keys)")
_HAS_DATA = text("""
select exists (select from users where id <> :system)
  or exists (select from customers) or exists (select from leads) or exists (select from products)
""")
