"""How sessions, their refresh tokens, passwords and attempts to sign in are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has, or had, a username. `open`: active and not archived."""

    user_id: UUID
    username: str
    version: int
    password_hash: str | None
    open: bool


@dataclass(frozen=True, slots=True)
class UsedToken:
    """A refresh token that gives nothing any more: when it was replaced, if ever, and whether its session goes on."""

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


async def count_attempts(
    session: AsyncSession, keys: Collection[bytes], window: timedelta
) -> Mapping[bytes, tuple[int, datetime]]:
    """One more attempt for each key. How many there were in the window that began when, with this one, by key."""
    now = clock.now()
    # In one order, so that two that share keys wait for each other and do not deadlock.
    counted = await session.execute(_COUNT, {"keys": sorted(keys), "now": now, "before": now - window})
    return {key: (count, since) for key, count, since in counted}


async def uncount_attempts(session: AsyncSession, keys: Collection[bytes]) -> None:
    """The attempt was none: it succeeded."""
    await session.execute(_UNCOUNT, {"keys": sorted(keys)})


async def open_session(session: AsyncSession, account: Account, token_hash: bytes, expires_at: datetime) -> UUID | None:
    """A new session and its first refresh token.

    None if the user was deactivated or given another password since `account` was read.
    """
    values = {
        "id": uuid7(),
        "user_id": account.user_id,
        "password_hash": account.password_hash,
        "now": clock.now(),
        "hash": token_hash,
        "expires_at": expires_at,
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


async def keep_password(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """The user's password from now on."""
    await session.execute(_KEEP, {"user_id": user_id, "hash": password_hash})


async def rehash_password(session: AsyncSession, account: Account, password_hash: str) -> None:
    """The same password hashed anew, unless another was set meanwhile."""
    values = {"user_id": account.user_id, "old": account.password_hash, "new": password_hash}
    await session.execute(_REHASH, values)


_ACCOUNT = text("""
select id, username, version, password_hash, active and archived_at is null from users
where username_key = cast(:username_key as text) or id = cast(:user_id as uuid)
""")

_COUNT = text("""
insert into sign_in_attempts as a (key, window_started_at, count) select key, :now, 1 from unnest(:keys) key
on conflict (key) do update set
  count = case when a.window_started_at > :before then a.count + 1 else 1 end,
  window_started_at = case when a.window_started_at > :before then a.window_started_at else :now end
returning key, count, window_started_at
""").bindparams(bindparam("keys", type_=ARRAY(LargeBinary)))

_UNCOUNT = text("""
with locked as (select key from sign_in_attempts where key = any(:keys) order by key for update)
update sign_in_attempts a set count = greatest(count - 1, 0) from locked where a.key = locked.key
""").bindparams(bindparam("keys", type_=ARRAY(LargeBinary)))

# Shared with nobody who changes the user: who is being deactivated, or given another password, is waited for.
_OPEN = text("""
with allowed as (
  select id from users where id = :user_id and active and archived_at is null
  and password_hash is not distinct from cast(:password_hash as text) for share
), opened as (
  insert into sessions (id, user_id, created_at, last_used_at)
  select cast(:id as uuid), id, cast(:now as timestamptz), cast(:now as timestamptz) from allowed returning id
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
select t.session_id, t.rotated_at, s.ended_at is null and u.active and u.archived_at is null
from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
where t.hash = :hash
""")

_END = text("update sessions set ended_at = :now where id = :id and ended_at is null")

_END_ALL = text("""
update sessions set ended_at = :now
where user_id = any(:user_ids) and ended_at is null and id is distinct from cast(:but as uuid)
""")

_KEEP = text("update users set password_hash = :hash where id = :user_id")

_REHASH = text("update users set password_hash = :new where id = :user_id and password_hash = :old")
