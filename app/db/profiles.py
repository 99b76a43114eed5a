"""How profiles and their policies are kept, and who stands in the way of one that is to go."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.models.users import Policy, Profile, User

Rule = tuple[str, str, str, str, str, str]

_COLUMNS = (Policy.kind, Policy.subject, Policy.section, Policy.action, Policy.field_group, Policy.scope)


async def read(session: AsyncSession, id: str | None = None) -> list[dict[str, Any]]:
    """All profiles, or the one with the id if there is one, as the API shows them."""
    return [dict(row) for row in (await session.execute(_READ, {"id": id})).mappings()]


async def rules(session: AsyncSession) -> list[Rule]:
    """Every rule of every profile: kind, subject, section, action, field group, scope."""
    rows = await session.execute(select(*_COLUMNS).order_by(Policy.id))
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


async def lock(session: AsyncSession, id: str) -> None:
    """Until the transaction ends, nobody is given the profile."""
    await session.execute(select(Profile.id).where(Profile.id == id).with_for_update())


async def make(session: AsyncSession, id: str, values: dict[str, Any], by: UUID) -> None:
    """Keep a new profile, still without rules. values: its labels and whether it demands a second factor."""
    now = clock.now()
    made = {"created_at": now, "created_by": by, "updated_at": now, "updated_by": by}
    await session.execute(insert(Profile).values(id=id, **values, **made))


async def change(session: AsyncSession, id: str, values: dict[str, Any], by: UUID) -> None:
    """Change a profile's row, which is its next version whatever else of it changes."""
    changed = values | {"version": Profile.version + 1, "updated_at": clock.now(), "updated_by": by}
    await session.execute(update(Profile).where(Profile.id == id).values(changed))


async def replace_rules(session: AsyncSession, id: str, rules: Sequence[Rule]) -> None:
    """These are the profile's rules from now on, and no others."""
    await session.execute(delete(Policy).where(Policy.subject == f"profile:{id}"))
    if rules:
        names = [column.key for column in _COLUMNS]
        await session.execute(insert(Policy), [dict(zip(names, rule, strict=True)) for rule in rules])


async def remove(session: AsyncSession, id: str) -> None:
    await replace_rules(session, id, [])
    await session.execute(delete(Profile).where(Profile.id == id))


async def uses(session: AsyncSession, id: str) -> list[str]:
    """What would be left without the profile, each in a few words: users, other profiles, workflows."""
    return list(await session.scalars(_USES, {"id": id}))


async def of_active_people(session: AsyncSession) -> list[str]:
    """The profiles that somebody who can sign in has."""
    query = select(User.profile_id).where(User.active, ~User.service, User.archived_at.is_(None)).distinct()
    return list(await session.scalars(query))


_READ = text("""
select p.id, p.labels, p.second_factor_required, p.version, p.created_at, p.created_by::text, p.updated_at,
  p.updated_by::text,
  (select count(*) from users u where u.profile_id = p.id and u.active and u.archived_at is null) as users,
  (select coalesce(jsonb_agg(substr(r.section, 9) order by r.id), '[]')
   from policies r where r.kind = 'g' and r.subject = 'profile:' || p.id) as inherits,
  (select coalesce(jsonb_agg(jsonb_build_object('section', r.section, 'action', r.action,
     'field_group', r.field_group, 'reach', nullif(r.scope, '-')) order by r.id), '[]')
   from policies r where r.kind = 'p' and r.subject = 'profile:' || p.id) as policies
from profiles p where cast(:id as text) is null or p.id = :id
order by p.id
""")

_USES = text("""
select 'users' where exists (select from users where profile_id = :id)
union all
select 'profiles that inherit it'
where exists (select from policies where kind = 'g' and section = 'profile:' || cast(:id as text))
union all
select 'workflows' where exists (select from workflows where options -> 'profiles' ? cast(:id as text))
""")
