"""Whom each user reaches: themselves, their team down the tree of managers, and whom they stand in for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def hold(session: AsyncSession) -> None:
    """Until the transaction ends, nobody else changes who may do what and who reaches whom."""
    await session.execute(text("select pg_advisory_xact_lock(hashtext('user_reach'))"))


async def rewrite(session: AsyncSession) -> None:
    """Make the table follow the users' managers and absences. Only rows that differ are written."""
    await hold(session)
    await session.execute(_REWRITE)


async def above_others(session: AsyncSession, user_ids: Collection[UUID], profiles: Collection[str]) -> set[UUID]:
    """Those among the users who have somebody in their team, all the way down, with another profile than these."""
    return set(await session.scalars(_ABOVE_OTHERS, {"user_ids": list(user_ids), "profiles": list(profiles)}))


_ABOVE_OTHERS = text("""
select distinct r.user_id from user_reach r join users u on u.id = r.reached_id
where r.user_id = any(:user_ids) and r.via = 'team' and r.from_on = '-infinity' and u.profile_id <> all(:profiles)
""")

_TREE = """
with recursive tree(manager_id, member_id) as (
  select manager_id, id from users where manager_id is not null
  union
  select t.manager_id, u.id from tree t join users u on u.manager_id = t.member_id
)"""

_REWRITE = text(f"""
{_TREE}, own as (
  select id as user_id, id as reached_id, 'self' as via, '-infinity'::date as from_on, 'infinity'::date as until_on
  from users
  union all
  select manager_id, member_id, 'team', '-infinity', 'infinity' from tree where manager_id <> member_id
), substitutes as (
  select (absence ->> 'substitute_id')::uuid as user_id, id as absent_id,
    (absence ->> 'from_on')::date as from_on, (absence ->> 'until_on')::date as until_on
  from users where absence ->> 'substitute_id' is not null
), wanted as (
  select * from own
  union all
  select s.user_id, s.absent_id, 'substitute', s.from_on, s.until_on from substitutes s where s.user_id <> s.absent_id
  union all
  select s.user_id, o.reached_id, 'team', s.from_on, max(s.until_on)
  from substitutes s join own o on o.user_id = s.absent_id and o.via = 'team'
  group by s.user_id, o.reached_id, s.from_on
), gone as (
  delete from user_reach r where not exists (
    select from wanted w where (w.user_id, w.reached_id, w.via, w.from_on)
      = (r.user_id, r.reached_id, r.via, r.from_on))
  returning r.user_id, r.reached_id, r.via, r.from_on
)
insert into user_reach (user_id, reached_id, via, from_on, until_on)
select user_id, reached_id, via, from_on, until_on from wanted where (select count(*) from gone) >= 0
on conflict (user_id, reached_id, via, from_on) do update set until_on = excluded.until_on
where user_reach.until_on <> excluded.until_on
""")
