"""How are sessions, their refresh tokens and passwords kept?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has, or had, a username. `open`: active and not archived; `second_factor`: has one in use."""

    user_id: UUID
    username: str
    version: int
    password_hash: str | None
    open: bool
    second_factor: bool


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that goes on. user_agent: by what program it was begun, as it said."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class UsedToken:
    """A refresh token that gives nothing any more: when it was replaced, if ever, and whether its session goes on."""

    user_id: UUID
    session_id: UUID
    rotated_at: datetime | None
    in_force: bool


async def account(
    session: AsyncSession, *, username_key: str | None = None, user_id: UUID | None = None
) -> Account | None:
    """Whose username it is, or the account of a user."""
    found = await session.execute(_ACCOUNT, {"username_key": username_key, "user_id": user_id})
    row = found.one_or_none()
    return Account(*row) if row else None


async def open_session(
    session: AsyncSession,
    account: Account,
    token_hash: bytes,
    expires_at: datetime,
    user_agent: str | None = None,
    *,
    by_provider: bool = False,
) -> UUID | None:
    """A new session and its first refresh token. user_agent: by what program, as it says; by_provider: by OpenID.

    None if the user was deactivated or given another password since `account` was read.
    """
    values = {
        "id": uuid7(),
        "user_id": account.user_id,
        "password_hash": account.password_hash,
        "now": clock.now(),
        "hash": token_hash,
        "expires_at": expires_at,
        "user_agent": user_agent,
        "by_provider": by_provider,
    }
    opened: UUID | None = (await session.execute(_OPEN, values)).scalar()
    return opened


async def rotate(
    session: AsyncSession, token_hash: bytes, new_hash: bytes, expires_at: datetime
) -> tuple[UUID, UUID] | None:
    """Put a new refresh token in an unused one's place. The user and the session, None if it cannot be."""
    values = {"hash": token_hash, "new": new_hash, "expires_at": expires_at, "now": clock.now()}
    row = (await session.execute(_ROTATE, values)).one_or_none()
    return (row.user_id, row.session_id) if row else None


async def used_token(session: AsyncSession, token_hash: bytes) -> UsedToken | None:
    row = (await session.execute(_USED, {"hash": token_hash})).one_or_none()
    return UsedToken(*row) if row else None


async def end_session(session: AsyncSession, session_id: UUID) -> None:
    """Nothing that was given out in the session is good any more."""
    await session.execute(_END, {"id": session_id, "now": clock.now()})


async def end_sessions(session: AsyncSession, user_ids: Sequence[UUID], *, but: UUID | None = None) -> None:
    """End all sessions of these users, `but` for one: after a new password, a deactivation, an archiving."""
    await session.execute(_END_ALL, {"user_ids": list(user_ids), "but": but, "now": clock.now()})


async def open_sessions(session: AsyncSession, user_id: UUID, since: datetime) -> list[OpenSession]:
    """The sessions of a user that go on and were used since then, the newest first, 200 at most."""
    return [OpenSession(*row) for row in await session.execute(_OPEN_SESSIONS, {"user_id": user_id, "since": since})]


async def end_own_session(session: AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether it was a session of the user, and went on until now."""
    ended = await session.execute(_END_OWN, {"user_id": user_id, "id": session_id, "now": clock.now()})
    return ended.scalar() is not None


async def keep_password(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """The user's password from now on; links by which another could be set are good no more."""
    await session.execute(_KEEP, {"user_id": user_id, "hash": password_hash})


async def rehash_password(session: AsyncSession, account: Account, password_hash: str) -> None:
    """The same password hashed anew, unless another was set meanwhile."""
    values = {"user_id": account.user_id, "old": account.password_hash, "new": password_hash}
    await session.execute(_REHASH, values)


_ACCOUNT = text("""
select id, username, version, password_hash, active and archived_at is null,
  exists (select from second_factors f where f.user_id = users.id and f.confirmed_at is not null)
from users where username_key = cast(:username_key as text) or id = cast(:user_id as uuid)
""")

# Shared with nobody who changes the user: who is being deactivated, or given another password, is waited for.
_OPEN = text("""
with allowed as (
  select id from users where id = :user_id and active and archived_at is null
  and password_hash is not distinct from cast(:password_hash as text) for share
), opened as (
  insert into sessions (id, user_id, created_at, last_used_at, user_agent, by_provider)
  select cast(:id as uuid), id, cast(:now as timestamptz), cast(:now as timestamptz), cast(:user_agent as text),
    :by_provider
  from allowed returning id
), given as (
  insert into refresh_tokens (hash, session_id, expires_at)
  select :hash, id, cast(:expires_at as timestamptz) from opened
)
select id from opened
""")

# Of two at once the second waits for the first and then finds the token replaced.
_ROTATE = text("""
with rotated as (
  update refresh_tokens set rotated_at = :now where hash = :hash and rotated_at is null and expires_at > :now
  returning session_id
), used as (
  update sessions s set last_used_at = :now from rotated r, users u
  where s.id = r.session_id and s.ended_at is null and u.id = s.user_id and u.active and u.archived_at is null
  returning s.id, s.user_id
), given as (
  insert into refresh_tokens (hash, session_id, expires_at)
  select :new, id, cast(:expires_at as timestamptz) from used
)
select user_id, id as session_id from used
""")

_USED = text("""
select s.user_id, t.session_id, t.rotated_at, s.ended_at is null and u.active and u.archived_at is null
from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
where t.hash = :hash
""")

_END = text("update sessions set ended_at = :now where id = :id and ended_at is null")

_END_ALL = text("""
update sessions set ended_at = :now
where user_id = any(:user_ids) and ended_at is null and id is distinct from cast(:but as uuid)
""")

_OPEN_SESSIONS = text("""
select id, created_at, last_used_at, user_agent from sessions
where user_id = :user_id and ended_at is null and last_used_at > :since order by created_at desc, id limit 200
""")

_END_OWN = text("""
update sessions set ended_at = :now where id = :id and user_id = :user_id and ended_at is null returning id
""")

_KEEP = text("""
with gone as (delete from password_links where user_id = :user_id)
update users set password_hash = :hash where id = :user_id
""")

_REHASH = text("update users set password_hash = :new where id = :user_id and password_hash = :old")
