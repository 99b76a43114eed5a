"""What is about a lead or an opportunity goes with it to another customer: its activities and its messages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import assignees, ledger
from app.db.session import operation_of

_SINGULARS = {"activities": "activity", "messages": "message"}


async def follow(
    session: AsyncSession, column: str, customers: Mapping[UUID, UUID | None], by: UUID, at: datetime
) -> None:
    """Give what is about records their new customers, with its history and with who is assigned because of it.

    column: by which they are named, `lead_id` or `opportunity_id`. customers: record → its customer. Whatever moves has
    an event and a new version, and names no longer the contacts of the customer that it leaves.
    """
    operation = operation_of(session)
    values = {"record_ids": list(customers), "customers": ledger.as_object(customers), "by": by, "at": at}
    for entity, singular in _SINGULARS.items():
        rows = (await session.execute(_MOVED[entity, column], values)).all()
        if not rows:
            continue
        ids = [row.id for row in rows]
        parted = await _part(session, entity, ids)
        await ledger.move_history(session, {row.id: row.customer_id for row in rows})
        await assignees.end_reasons(session, ids)
        for row in rows:
            customer_id = row.customer_id
            ledger.event(
                operation.pending,
                type=f"{singular}.changed",
                entity=entity,
                record_id=row.id,
                version=row.version,
                customer_id=customer_id,
                changes={"customer_id": [row.left and str(row.left), customer_id and str(customer_id)]}
                | parted.get(row.id, {}),
                actor=by,
                source=operation.source,
                operation_id=operation.id,
                at=at,
            )
            if customer_id and row.owner_id and row.live and assignees.holds(entity, row.state):
                ledger.reason(operation.pending, customer_id, row.owner_id, entity, row.id)


async def _part(session: AsyncSession, entity: str, ids: list[UUID]) -> dict[UUID, dict[str, list[Any]]]:
    """Take other customers' contacts off records: record → what changed, as the ledger tells it."""
    values = {"ids": ids}
    if entity == "messages":
        rows = (await session.execute(_LEFT_CONTACT, values)).all()
        return {row.id: {"contact_id": [str(row.contact_id), None]} for row in rows}
    rows = (await session.execute(_CONTACTS, values)).all()
    if rows:
        await session.execute(_LEFT_CONTACTS, values)
    return {row.id: {"contacts": [row.before, row.after]} for row in rows}


_OTHERS = "c.customer_id is distinct from t.customer_id"

_LEFT_CONTACT = text(f"""
update messages t set contact_id = null from contacts c
where t.id = any(:ids) and c.id = t.contact_id and {_OTHERS} returning t.id, c.id as contact_id
""")

_CONTACTS = text(f"""
with taking_part as (
  select p.activity_id, p.position, {_OTHERS} as parts,
    jsonb_build_object('contact_id', p.contact_id, 'role', p.role) as contact
  from activity_contacts p join contacts c on c.id = p.contact_id join activities t on t.id = p.activity_id
  where p.activity_id = any(:ids)
)
select activity_id as id, jsonb_agg(contact order by position) as before,
  coalesce(jsonb_agg(contact order by position) filter (where not parts), '[]') as after
from taking_part group by 1 having bool_or(parts)
""").columns(before=JSONB, after=JSONB)

_LEFT_CONTACTS = text(f"""
delete from activity_contacts p using contacts c, activities t
where p.activity_id = any(:ids) and c.id = p.contact_id and t.id = p.activity_id and {_OTHERS}
""")

_MOVED = {
    (entity, column): text(f"""
with moving as (
  select id, customer_id, {ledger.in_object(column)} as new_id from {entity}
  where {column} = any(:record_ids) and customer_id is distinct from {ledger.in_object(column)}
  order by id for no key update
)
update {entity} t set customer_id = m.new_id, version = t.version + 1,
  updated_at = cast(:at as timestamptz), updated_by = cast(:by as uuid)
from moving m where t.id = m.id
returning t.id, t.version, t.customer_id, t.owner_id, t.state, t.archived_at is null as live, m.customer_id as "left"
""")
    for entity in _SINGULARS
    for column in ("lead_id", "opportunity_id")
}
