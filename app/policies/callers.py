"""From a session to an Access: kept in memory, and thrown away when anything it rests on has changed."""

from collections import OrderedDict
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import session as db
from app.db.seeds import SYSTEM_USER
from app.db.vocabulary import VERSION, Connection, Memory, load
from app.errors import Unauthenticated
from app.policies.access import THROUGH_CUSTOMER, Access, Reason
from app.policies.profiles import Grants, compiled, enforcer

MOST_CALLERS = 10_000

_STATE = f"""
select {VERSION} as version,
  exists (select from sessions where id = $1 and ended_at is null) as in_force
"""

_CALLER = """
select u.profile_id, u.active and u.archived_at is null as active,
  not u.service and exists (select from profiles p where p.id = u.profile_id and p.second_factor_required)
    and not exists (select from second_factors f where f.user_id = u.id and f.confirmed_at is not null)
    and not exists (select from sessions where id = $3::uuid and by_provider) as enrolling,
  (select scopes from api_keys where session_id = $3::uuid) as scopes,
  array(select reached_id from user_reach r where r.user_id = u.id and via in ('self', 'substitute')
    and $2::date between from_on and until_on) as own,
  array(select distinct reached_id from user_reach r where r.user_id = u.id
    and $2::date between from_on and until_on) as team
from users u where u.id = $1
"""

_memory: Memory | None = None
# By version and profile: a request that began before a change may end after one that began with it.
_grants: dict[tuple[str, str], Grants] = {}
_callers: OrderedDict[tuple[UUID, UUID | None], Access] = OrderedDict()


async def enter(connection: Connection, user_id: UUID, session_id: UUID) -> Access:
    """The Access of a signed-in caller, as it is in force now. Raises `Unauthenticated` when the session has ended."""
    state = await connection.fetchrow(_STATE, session_id)
    if not state["in_force"]:
        raise session_ended()
    return known(user_id, session_id, state["version"]) or await meet(connection, user_id, session_id)


async def entered(user_id: UUID, session_id: UUID) -> Access:
    """The same, asked on a connection of its own."""
    pool = await db.reading_pool()
    async with pool.acquire() as connection:
        return await enter(connection, user_id, session_id)


def session_ended() -> Unauthenticated:
    return Unauthenticated("The session has ended", code="session_ended")


def known(user_id: UUID, session_id: UUID | None, version: str | None = None) -> Access | None:
    """The caller as last met, if that still holds today and, where it is given, at this version."""
    access = _callers.get((user_id, session_id))
    if access is None or (version is not None and access.version != version):
        return None
    if access.since is None or access.until is None or not access.since <= clock.now() < access.until:
        return None
    return access


async def meet(connection: Connection, user_id: UUID, session_id: UUID | None) -> Access:
    """Make the caller's Access anew. Raises `Unauthenticated` for a user who is not active."""
    memory = await _remember(connection)
    since, until, today = _today(memory.vocabulary.time_zone)
    row = await connection.fetchrow(_CALLER, user_id, today, session_id)
    if row is None or not row["active"]:
        raise session_ended()
    profile = row["profile_id"]
    grants = _granted(memory, profile)
    if (scopes := row["scopes"]) is not None:
        grants = {right: reach for right, reach in grants.items() if f"{right[0]}:{right[1]}" in scopes}
    access = Access(
        user_id=user_id,
        session_id=session_id,
        profile=profile,
        version=memory.version,
        since=since,
        until=until,
        grants=grants,
        own=tuple(row["own"]),
        team=tuple(row["team"]),
        vocabulary=memory.vocabulary,
        enrolling=row["enrolling"],
    )
    _callers[user_id, session_id] = access
    while len(_callers) > MOST_CALLERS:
        _callers.popitem(last=False)
    return access


async def access_of(session: AsyncSession, user_id: UUID, session_id: UUID | None = None) -> Access:
    """The Access of a user for whom a job works, with nobody signed in.

    session_id: in which they asked for it, if they did, whether it goes on or not: an API key's narrows what is done.
    """
    connection = await db.driver(session)
    if user_id == SYSTEM_USER:
        return await system(connection, Reason.SWEEP)
    return await meet(connection, user_id, session_id)


async def system(connection: Connection, reason: Reason, version: str | None = None) -> Access:
    """The product itself, with the company's vocabulary at that version, or as it is now."""
    return Access.system(reason, (await _at(connection, version)).vocabulary)


async def readers(session: AsyncSession, *sections: str) -> list[str]:
    """The profiles that read all of these sections, and customers where those are read through them."""
    memory = await _at(await db.driver(session))
    wanted = {(section, "read", "open") for section in with_customers(*sections)}
    return [each for each in memory.vocabulary.profiles if wanted <= _granted(memory, each).keys()]


def with_customers(*sections: str) -> set[str]:
    """The sections that a profile must read to see anything in these."""
    return {*sections, "customers"} if THROUGH_CUSTOMER.intersection(sections) else {*sections}


def _granted(memory: Memory, profile: str) -> Grants:
    grants = _grants.get((memory.version, profile))
    if grants is None:
        grants = _grants[memory.version, profile] = compiled(enforcer(memory.policies), profile)
    return grants


async def _at(connection: Connection, version: str | None = None) -> Memory:
    """What is remembered at a version, or is in force now."""
    if version is None:
        version = (await connection.fetchrow(f"select {VERSION} as version"))["version"]
    return _memory if _memory is not None and _memory.version == version else await _remember(connection)


async def _remember(connection: Connection) -> Memory:
    global _memory
    memory = await load(connection)
    if _memory is None or _memory.version != memory.version:
        _grants.clear()
        _memory = memory
    return _memory


def _today(time_zone: str) -> tuple[datetime, datetime, Any]:
    """The organisation's day: when it began, when it ends, and its date."""
    zone = ZoneInfo(time_zone)
    today = clock.now().astimezone(zone).date()
    midnight = [datetime.combine(day, time(), zone).astimezone(UTC) for day in (today, today + timedelta(days=1))]
    return midnight[0], midnight[1], today
