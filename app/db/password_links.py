"""How are the links kept by which somebody sets a password?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.signing_in import Account


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody to whom a link may be mailed. has_password: False before they ever set one."""

    name: str
    username: str
    email: str
    locale: str | None
    has_password: bool


async def whose(session: AsyncSession, username_key: str, email: str) -> UUID | None:
    """Who has the username, or else the e-mail address."""
    found: UUID | None = await session.scalar(_WHOSE, {"username_key": username_key, "email": email})
    return found


async def addressee(session: AsyncSession, user_id: UUID) -> Addressee | None:
    """None for who is not active, has no address or never signs in with a password."""
    row = (await session.execute(_ADDRESSEE, {"user_id": user_id})).one_or_none()
    return Addressee(*row) if row else None


async def keep(
    session: AsyncSession, hash: bytes, user_id: UUID, purpose: str, email: str, expires_at: datetime, most: int
) -> bool:
    """Keep a link, unless the user has so many others of the purpose; once more, it is as if it were made now."""
    values = {"hash": hash, "user_id": user_id, "purpose": purpose, "email": email, "expires_at": expires_at}
    return await session.scalar(_KEEP, values | {"most": most, "now": clock.now()}) is not None


async def account(session: AsyncSession, hash: bytes) -> Account | None:
    """Whose link it is, if it is good and they are active."""
    row = (await session.execute(_ACCOUNT, {"hash": hash, "now": clock.now()})).one_or_none()
    return Account(*row) if row else None


async def use(session: AsyncSession, hash: bytes, user_id: UUID, password_hash: str) -> bool:
    """Give the user that password, if the link is still good and they are still active. No link of theirs is then."""
    values = {"hash": hash, "user_id": user_id, "password_hash": password_hash, "now": clock.now()}
    return await session.scalar(_USE, values) is not None


_WHOSE = text("""
select id from users where username_key = :username_key or lower(email) = lower(:email)
order by username_key <> :username_key, not active or archived_at is not null, created_at, id limit 1
""")

_ADDRESSEE = text("""
select name, username, email, locale, password_hash is not null from users
where id = :user_id and active and archived_at is null and email is not null and not service
""")

_KEEP = text("""
insert into password_links (hash, user_id, purpose, email, created_at, expires_at)
select :hash, cast(:user_id as uuid), cast(:purpose as varchar), cast(:email as varchar), cast(:now as timestamptz),
  cast(:expires_at as timestamptz)
where (select count(*) from password_links where user_id = :user_id and purpose = :purpose and expires_at > :now
  and hash <> :hash) < :most
on conflict (hash) do update set expires_at = excluded.expires_at returning hash
""")

_ACCOUNT = text("""
select u.id, u.username, u.version, u.password_hash, true, false
from password_links l join users u on u.id = l.user_id
where l.hash = :hash and l.expires_at > :now and u.active and u.archived_at is null and u.email = l.email
""")

# The user is locked first: of two links at once one is used, and a deactivation is waited for.
_USE = text("""
with whose as (
  select id, email from users where id = :user_id and active and archived_at is null for update
), good as (
  select l.user_id from password_links l join whose on whose.id = l.user_id and whose.email = l.email
  where l.hash = :hash and l.expires_at > :now
), gone as (
  delete from password_links l using good where l.user_id = good.user_id returning l.hash
)
update users u set password_hash = :password_hash from good
where u.id = good.user_id and exists (select from gone where hash = :hash) returning u.id
""")
