"""Who is assigned to a customer and why, and in which ways a user reaches others: what explains a reach."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of


async def of_customer(session: AsyncSession, customer_id: UUID) -> list[dict[str, Any]]:
    """Everybody assigned to the customer: user_id, role, reasons (entity, record_id)."""
    return [dict(row) for row in (await session.execute(_OF_CUSTOMER, {"customer_id": customer_id})).mappings()]


async def ways(session: AsyncSession, user_id: UUID, others: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """How a user reaches each of the others, if at all: via, from_on, until_on; dates only where it is not for good."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    rows = await session.execute(_WAYS, {"user_id": user_id, "others": list(others)})
    for row in rows.mappings():
        found.setdefault(row["reached_id"], []).append({name: row[name] for name in ("via", "from_on", "until_on")})
    return found


async def owner_without_customer(session: AsyncSession, entity: str, id: UUID) -> UUID | None:
    """Whose a lead or an opportunity is that has no customer; None if it has one, or is nobody's."""
    table = table_of(entity)
    owner: UUID | None = await session.scalar(
        select(table.c.owner_id).where(table.c.id == id, table.c.customer_id.is_(None))
    )
    return owner


_OF_CUSTOMER = text("""
select a.user_id, a.role, coalesce((
  select json_agg(json_build_object('entity', r.entity, 'record_id', r.record_id) order by r.record_id)
  from assignment_reasons r where (r.customer_id, r.user_id) = (a.customer_id, a.user_id)), '[]') as reasons
from customer_assignees a where a.customer_id = :customer_id order by a.user_id
""")

_WAYS = text("""
select reached_id, via, case when isfinite(from_on) then from_on end as from_on,
  case when isfinite(until_on) then until_on end as until_on
from user_reach where user_id = :user_id and reached_id = any(:others) order by via, from_on
""")
