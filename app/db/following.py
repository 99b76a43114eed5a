"""What is about a lead or an opportunity goes with it to another customer: its activities and its messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import assignees, ledger
from app.db.session import operation_of

_SINGULARS = {"activities": "activity", "messages": "message"}


async def follow(
    session: AsyncSession, column: str, record_ids: list[UUID], customer_id: UUID | None, by: UUID, at: datetime
) -> None:
    """Give what is about these records another customer, with its history and with who is assigned because of it.

    column: by which they are named, `lead_id` or `opportunity_id`. Whatever moves has an event and a new version.
    """
    operation = operation_of(session)
    values = {"record_ids": record_ids, "customer_id": customer_id, "by": by, "at": at}
    for entity, singular in _SINGULARS.items():
        rows = (await session.execute(_MOVED[entity, column], values)).all()
        if not rows:
            continue
        ids = [row.id for row in rows]
        await ledger.move_history(session, ids, customer_id)
        await assignees.end_reasons(session, ids)
        for row in rows:
            ledger.event(
                operation.pending,
                type=f"{singular}.changed",
                entity=entity,
                record_id=row.id,
                version=row.version,
                customer_id=customer_id,
                changes={"customer_id": [row.left and str(row.left), customer_id and str(customer_id)]},
                actor=by,
                source=operation.source,
                operation_id=operation.id,
                at=at,
            )
            if customer_id and row.owner_id and row.live and assignees.holds(entity, row.state):
                ledger.reason(operation.pending, customer_id, row.owner_id, entity, row.id)


_MOVED = {
    (entity, column): text(f"""
with moving as (
  select id, customer_id from {entity}
  where {column} = any(:record_ids) and customer_id is distinct from cast(:customer_id as uuid)
  order by id for no key update
)
update {entity} t set customer_id = cast(:customer_id as uuid), version = t.version + 1,
  updated_at = cast(:at as timestamptz), updated_by = cast(:by as uuid)
from moving m where t.id = m.id
returning t.id, t.version, t.owner_id, t.state, t.archived_at is null as live, m.customer_id as "left"
""")
    for entity in _SINGULARS
    for column in ("lead_id", "opportunity_id")
}
