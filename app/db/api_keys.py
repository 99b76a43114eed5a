"""How API keys are found by their hash, and the sessions that they work in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db.session import alone
from app.db.vocabulary import Connection


@dataclass(frozen=True, slots=True)
class Found:
    """Whose key it is, in which session it works, and until when at most."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


async def find(connection: Connection, key_hash: bytes) -> Found | None:
    row = await connection.fetchrow("select user_id, session_id, expires_at from api_keys where hash = $1", key_hash)
    return Found(*row) if row else None


async def open_session(session: AsyncSession, user_id: UUID) -> UUID:
    """A session without tokens, for a key to work in."""
    id = uuid7()
    await session.execute(_OPEN, {"id": id, "user_id": user_id, "now": clock.now()})
    return id


async def record_use(session_id: UUID, since: datetime) -> None:
    """The session is used now, unless another process said so since then. Nobody is waited for."""
    async with alone() as connection:
        await connection.execute(_USED, session_id, clock.now(), since)


# Never used yet: it was last used when it was made, as far as tidying up is concerned.
_OPEN = text("insert into sessions (id, user_id, created_at, last_used_at) values (:id, :user_id, :now, :now)")

_USED = """
update sessions set last_used_at = $2 where id = (
  select id from sessions where id = $1 and ended_at is null and (last_used_at < $3 or last_used_at = created_at)
  for update skip locked
)
"""
