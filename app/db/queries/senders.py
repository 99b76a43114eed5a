"""Is the sender of a form known already?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.vocabulary import Connection


@dataclass(frozen=True, slots=True)
class Sender:
    """The newest open lead with the address; the customer with it, if there is one and no other; who is to look after
    what they send: the customer's owner, else the form's, if that one works here."""

    lead_id: UUID | None
    customer_id: UUID | None
    owner_id: UUID | None


async def one_at_a_time(session: AsyncSession, who: str) -> None:
    """Let nobody else send as the same until this transaction ends, so that it sees what they sent before."""
    await session.execute(_ONE_AT_A_TIME, {"who": who})


async def find(
    connection: Connection, email: str | None, form_owner_id: UUID | None, profiles: Sequence[str]
) -> Sender:
    """Who sends from an address, by the keys that records are matched by. Owner is who has one of the profiles."""
    return Sender(*await connection.fetchrow(_FIND, email.casefold() if email else None, form_owner_id, profiles))


_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:who, 1))")

# Of several customers with one address nobody can tell whose it is: then it is nobody's.
_FIND = """
with known as (
  select c.id, c.owner_id from match_keys m join customers c on c.id = m.record_id
  where (m.entity, m.kind) = ('customers', 'email') and m.key = $1 and c.archived_at is null
  union
  select c.id, c.owner_id from match_keys m
  join contacts p on p.id = m.record_id join customers c on c.id = p.customer_id
  where (m.entity, m.kind) = ('contacts', 'email') and m.key = $1 and p.archived_at is null and c.archived_at is null
  limit 2
), only_one as (
  select id, owner_id from known where (select count(*) from known) = 1
)
select
  (select l.id from match_keys m join leads l on l.id = m.record_id
   where (m.entity, m.kind) = ('leads', 'email') and m.key = $1 and l.stage_kind = 'open' and l.archived_at is null
   order by l.id desc limit 1) as lead_id,
  (select id from only_one) as customer_id,
  (select u.id from users u
   where u.id in ((select owner_id from only_one), $2::uuid) and u.active and u.archived_at is null
     and u.profile_id = any($3::text[])
   order by u.id is distinct from (select owner_id from only_one) limit 1) as owner_id
"""
