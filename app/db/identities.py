"""Whom an OpenID provider means by its subjects, and who here has an e-mail address."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be meant. `open`: active and not archived; `linked`: the provider calls them otherwise."""

    user_id: UUID
    open: bool
    linked: bool


async def user_of(session: AsyncSession, issuer: str, subject: str) -> UUID | None:
    """Whom the provider means. Whoever asks for the same one meanwhile waits."""
    await session.execute(_ONE_AT_A_TIME, {"who": f"{issuer} {subject}"})
    found: UUID | None = await session.scalar(_USER_OF, {"issuer": issuer, "subject": subject})
    return found


async def with_address(session: AsyncSession, issuer: str, username_key: str, email: str) -> list[Person]:
    """The people whose username or e-mail it is, those no longer here too. Whoever asks for it meanwhile waits."""
    await session.execute(_ONE_AT_A_TIME, {"who": username_key})
    values = {"issuer": issuer, "username_key": username_key, "email": email}
    return [Person(*row) for row in await session.execute(_WITH_ADDRESS, values)]


async def link(session: AsyncSession, issuer: str, subject: str, user_id: UUID) -> None:
    """From now on the provider means this user by the subject."""
    values = {"issuer": issuer, "subject": subject, "user_id": user_id, "now": clock.now()}
    await session.execute(_LINK, values)


_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:who, 2))")

_USER_OF = text("select user_id from identities where issuer = :issuer and subject = :subject")

_WITH_ADDRESS = text("""
select u.id, u.active and u.archived_at is null,
  exists (select from identities i where i.issuer = :issuer and i.user_id = u.id)
from users u where not u.service and (u.username_key = :username_key or lower(u.email) = lower(:email))
""")

_LINK = text("""
insert into identities (issuer, subject, user_id, created_at) values (:issuer, :subject, :user_id, :now)
""")
