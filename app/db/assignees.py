"""Who is assigned to a customer, when owners change and reasons end. What begins is written by the ledger.

Whoever changes the assignees of a customer holds it meanwhile as those do who change the customer itself, with the lock
that lets others name it. An opportunity is held before its customer.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


def holds(entity: str, state: str | None) -> bool:
    """Whether a record makes its owner an assignee of its customer: an activity only as long as it is planned.

    A message never: there is nothing left to do, and whoever once wrote to a customer would reach it for good.
    """
    return state == "planned" if entity == "activities" else entity != "messages"


async def step_down(session: AsyncSession, customer_ids: list[UUID], user_id: UUID, role: str) -> None:
    """A user has the role no longer at customers, and is no longer assigned to those where no reason holds them."""
    await _lock(session, customer_ids)
    await session.execute(_STEP_DOWN, {"customer_ids": customer_ids, "user_id": user_id, "role": role})
    await _drop_idle(session, customer_ids)


async def role_at(session: AsyncSession, customer_id: UUID, user_id: UUID) -> tuple[bool, str | None]:
    """Whether a user is assigned to a customer, and as what; both stay so until the transaction ends."""
    await _lock(session, [customer_id])
    found = (await session.execute(_ROLE, {"customer_id": customer_id, "user_id": user_id})).one_or_none()
    return (False, None) if found is None else (True, found.role)


async def step_down_all(session: AsyncSession, customer_ids: list[UUID]) -> None:
    """The same for many customers, where the owner is not the one that the customer names."""
    await _lock(session, customer_ids)
    await session.execute(_STEP_DOWN_ALL, {"customer_ids": customer_ids})
    await _drop_idle(session, customer_ids)


async def end_reasons(session: AsyncSession, record_ids: list[UUID]) -> None:
    """Records no longer hold their owners at their customers: reassigned, archived, moved away, done."""
    customer_ids = list(await session.scalars(_HOLD_AND_FIND, {"record_ids": record_ids}))
    if customer_ids:
        await _lock(session, customer_ids)
        await session.execute(_END_REASONS, {"record_ids": record_ids})
        await _drop_idle(session, customer_ids)


async def _lock(session: AsyncSession, customer_ids: list[UUID]) -> None:
    """Hold customers and their assignees, in order, so that the statements after this see what was waited for.

    The lock on an assignee keeps out new reasons of a file's records, which come without one on the customer.
    """
    await session.execute(_LOCK_CUSTOMERS, {"customer_ids": customer_ids})
    await session.execute(_LOCK_ASSIGNEES, {"customer_ids": customer_ids})


async def _drop_idle(session: AsyncSession, customer_ids: list[UUID]) -> None:
    await session.execute(_DROP_IDLE, {"customer_ids": customer_ids})
    await session.execute(_UNASSIGNED, {"customer_ids": customer_ids})


_LOCK_CUSTOMERS = text("select from customers where id = any(:customer_ids) order by id for no key update")

_LOCK_ASSIGNEES = text("""
select from customer_assignees where customer_id = any(:customer_ids) order by customer_id, user_id for update
""")

_ROLE = text("select role from customer_assignees where customer_id = :customer_id and user_id = :user_id")

_STEP_DOWN = text("""
update customer_assignees set role = null where customer_id = any(:customer_ids) and user_id = :user_id and role = :role
""")

_STEP_DOWN_ALL = text("""
update customer_assignees a set role = null from customers c
where c.id = any(:customer_ids) and a.customer_id = c.id and a.role = 'owner' and a.user_id is distinct from c.owner_id
""")

# What activities are about is summed up anew before the transaction ends.
_HOLD_AND_FIND = text("""
with held as (
  select from opportunities where id in (select opportunity_id from activities where id = any(:record_ids))
  order by id for no key update
)
select distinct customer_id from assignment_reasons
where record_id = any(:record_ids) and (select count(*) from held) >= 0
""")

_END_REASONS = text("delete from assignment_reasons where record_id = any(:record_ids)")

# With the offset each is looked up: of a table that PostgreSQL takes for empty, all would be looked through for each.
_DROP_IDLE = text("""
delete from customer_assignees a where a.customer_id = any(:customer_ids) and a.role is null
and not exists (select from assignment_reasons r where (r.customer_id, r.user_id) = (a.customer_id, a.user_id) offset 0)
""")

_UNASSIGNED = text("""
update customers c set assigned = false where c.id = any(:customer_ids) and c.assigned
and not exists (select from customer_assignees a where a.customer_id = c.id offset 0)
""")
