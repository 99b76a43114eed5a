"""What does somebody still have to do, and how does it become others' all at once?

Set by set, under locks, each record with its version and its line in the ledger; who must open a customer can.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import assignees, ledger
from app.db.models import table_of
from app.db.session import operation_of, settle

# What of each section is still to be done by its owner. What is closed or archived keeps its owner.
OPEN = {
    "customers": "archived_at is null",
    "leads": "archived_at is null and stage_kind = 'open'",
    "opportunities": "archived_at is null and stage_kind = 'open'",
    "activities": "archived_at is null and state = 'planned'",
    "messages": "archived_at is null and state = 'queued'",
}
# In which order they are locked, as by whoever changes one of them: what names another before what it names.
HELD = ("messages", "activities", "leads", "opportunities", "customers")
# What keeps somebody from leaving: a message on its way goes out without them.
HOLDING = ("customers", "leads", "opportunities", "activities")


async def owned(session: AsyncSession, user_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many customers, and how much open work, each of the users owns, by section. Who owns nothing is left out."""
    found: dict[UUID, dict[str, int]] = {}
    for row in await session.execute(_OWNED, {"user_ids": list(user_ids)}):
        found.setdefault(row.owner_id, dict.fromkeys(HOLDING, 0))[row.section] = row.records
    return found


async def keep(session: AsyncSession, user_ids: Collection[UUID]) -> None:
    """Until the transaction ends, these users do not leave, unless that is confirmed: something becomes theirs."""
    await session.execute(_KEEP, {"user_ids": list(user_ids)})


async def let_go(session: AsyncSession, user_ids: Collection[UUID]) -> None:
    """Wait for those who make something these users' own; until the transaction ends nobody else does.

    A user's row is not enough: whoever names it holds it against being archived, and not against being changed.
    """
    await session.execute(_LET_GO, {"user_ids": list(user_ids)})


async def at_work(session: AsyncSession, user_ids: Collection[UUID], profiles: Sequence[str]) -> set[UUID]:
    """Those among the users who are active and have one of the profiles."""
    found = await session.scalars(_AT_WORK, {"user_ids": list(user_ids), "profiles": list(profiles)})
    return set(found)


async def hold(session: AsyncSession, user_id: UUID) -> dict[str, Sequence[Row[Any]]]:
    """What the user has to do, by section, oldest first and held until the transaction ends: id, customer_id."""
    held = {section: (await session.execute(_HOLD[section], {"user_id": user_id})).all() for section in HELD}
    return {section: held[section] for section in OPEN}


async def hold_assigned(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """The customers, held, of which the user is an assignee by hand: id, customer_id, and who else has a role there."""
    return (await session.execute(_HOLD_ASSIGNED, {"user_id": user_id})).all()


async def give(
    session: AsyncSession, section: str, singular: str, to: Mapping[UUID, UUID], user_id: UUID, by: UUID, at: datetime
) -> None:
    """Records that are held become others'. to: record → its new owner; user_id: the old one."""
    rows = await _write(session, _GIVE[section], to, by, at)
    pending = operation_of(session).pending
    for row in rows:
        _tell(session, section, singular, row, {"owner_id": [str(user_id), str(to[row.id])]}, by, at)
    ids = [row.id for row in rows]
    if section == "customers":
        await assignees.step_down(session, ids, user_id, "owner")
        for row in rows:
            ledger.assignee(pending, row.id, to[row.id], "owner")
    else:
        await assignees.end_reasons(session, ids)
        for row in rows:
            if row.customer_id is not None and section != "messages":
                ledger.reason(pending, row.customer_id, to[row.id], section, row.id)
    await settle(session)


async def give_assigned(
    session: AsyncSession, to: Mapping[UUID, UUID | None], user_id: UUID, by: UUID, at: datetime
) -> None:
    """Customers that are held get other assignees. to: customer → who; None where they have a role there already."""
    rows = await _write(session, _TOUCH, to, by, at)
    pending = operation_of(session).pending
    left = {"user_id": str(user_id), "role": "assignee"}
    for row in rows:
        new = to[row.id]
        came = [] if new is None else [left | {"user_id": str(new)}]
        _tell(session, "customers", "customer", row, {"assignees": [[left], came]}, by, at)
        if new is not None:
            ledger.assignee(pending, row.id, new, "assignee")
    await settle(session)
    await assignees.step_down(session, [row.id for row in rows], user_id, "assignee")


async def hold_team(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """The users, held, of whom the user is the manager, but for archived ones."""
    return (await session.execute(_HOLD_TEAM, {"user_id": user_id})).all()


async def give_team(
    session: AsyncSession, to: Mapping[UUID, UUID | None], user_id: UUID, by: UUID, at: datetime
) -> bool:
    """Users get other managers, or none. Answers whether nobody is above themselves then."""
    for row in await _write(session, _GIVE_TEAM, to, by, at):
        new = to[row.id]
        _tell(session, "users", "user", row, {"manager_id": [str(user_id), new and str(new)]}, by, at)
    return not await session.scalar(_LOOPS, {"ids": list(to)})


async def manager_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    found: UUID | None = await session.scalar(text("select manager_id from users where id = :id"), {"id": user_id})
    return found


async def _write(
    session: AsyncSession, statement: Any, to: Mapping[UUID, UUID | None], by: UUID, at: datetime
) -> Sequence[Row[Any]]:
    return (await session.execute(statement, {"ids": list(to), "tos": list(to.values()), "by": by, "at": at})).all()


def _tell(
    session: AsyncSession,
    section: str,
    singular: str,
    row: Row[Any],
    changes: dict[str, list[Any]],
    by: UUID,
    at: datetime,
) -> None:
    operation = operation_of(session)
    ledger.event(
        operation.pending,
        type=f"{singular}.handed_over",
        entity=section,
        record_id=row.id,
        version=row.version,
        customer_id=row.customer_id,
        changes=changes,
        actor=by,
        source=operation.source,
        operation_id=operation.id,
        at=at,
    )


def _customer(section: str) -> str:
    return "t.id" if section == "customers" else "t.customer_id" if "customer_id" in table_of(section).c else "null"


def _set(section: str, sets: str) -> Any:
    return text(f"""
update {section} t set {sets}version = t.version + 1, updated_at = cast(:at as timestamptz),
  updated_by = cast(:by as uuid)
from unnest(cast(:ids as uuid[]), cast(:tos as uuid[])) as given(id, to_id) where t.id = given.id
returning t.id, t.version, cast({_customer(section)} as uuid) as customer_id
""")


_OWNED = text(
    " union all ".join(
        f"select owner_id, '{section}' as section, count(*) as records from {section} where owner_id = any(:user_ids)"
        f" and {OPEN[section]} group by 1"
        for section in HOLDING
    )
)

# Of few locks, since PostgreSQL has room for some thousand and a file may name as many owners: who shares one waits.
_KEEP, _LET_GO = (
    text(f"""
select {lock}(hashtext('owners'), number) from (
  select distinct mod(hashtext(cast(id as text)), 256) as number
  from unnest(cast(:user_ids as uuid[])) as id order by number) owners
""")
    for lock in ("pg_advisory_xact_lock_shared", "pg_advisory_xact_lock")
)

_AT_WORK = text("""
select id from users where id = any(:user_ids) and active and archived_at is null and profile_id = any(:profiles)
""")

_HOLD = {
    section: text(
        f"select id, cast({_customer(section)} as uuid) as customer_id from {section} t"
        f" where owner_id = :user_id and {condition} order by id for no key update"
    )
    for section, condition in OPEN.items()
}

_HOLD_ASSIGNED = text("""
select c.id, c.id as customer_id, array(select a.user_id from customer_assignees a
  where a.customer_id = c.id and a.role is not null) as others
from customers c where c.archived_at is null and c.id in (
  select customer_id from customer_assignees where user_id = :user_id and role = 'assignee')
order by c.id for no key update of c
""")

_HOLD_TEAM = text("""
select id, cast(null as uuid) as customer_id from users where manager_id = :user_id and archived_at is null
order by id for no key update
""")

_GIVE = {section: _set(section, "owner_id = given.to_id, ") for section in OPEN}

_TOUCH = _set("customers", "")

_GIVE_TEAM = _set("users", "manager_id = given.to_id, ")

_LOOPS = text("""
with recursive above(id, manager_id) as (
  select id, manager_id from users where id = any(:ids)
  union
  select a.id, u.manager_id from above a join users u on u.id = a.manager_id
)
select exists (select from above where id = manager_id)
""")
