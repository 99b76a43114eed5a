"""Archiving a record with what belongs to it, and bringing back what one archiving took."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import assignees, ledger
from app.db.models import table_of
from app.db.session import operation_of, settle

# What goes along, by the column that names the record it belongs to.
BELONGING: dict[str, tuple[tuple[str, str], ...]] = {
    "customers": tuple(
        (name, "customer_id") for name in ("contacts", "leads", "opportunities", "activities", "messages")
    ),
    "leads": (("activities", "lead_id"), ("messages", "lead_id")),
    "opportunities": (("activities", "opportunity_id"), ("messages", "opportunity_id")),
}


async def archive(
    session: AsyncSession, entity: str, singulars: dict[str, str], id: UUID, by: UUID, at: datetime
) -> None:
    """Archive the record and what belongs to it, with an event each, under the operation's id."""
    values = {"archived_at": at, "archive_id": operation_of(session).id}
    for name, column in _with_belonging(entity):
        part = table_of(name).c
        live = (part[column] == id) & part.archived_at.is_(None)
        await _set(session, name, singulars[name], live, values, by, at, "archived")


async def archived_above(session: AsyncSession, entity: str, id: UUID) -> list[tuple[str, UUID]]:
    """What a record belongs to and is archived: of which kind, and by which archiving.

    What is not is kept from it until the transaction ends: whoever archives it waits, and takes along what comes back.
    """
    found = []
    for name, parts in BELONGING.items():
        for part, column in parts:
            if part == entity:
                above, record = table_of(name).c, table_of(entity).c
                query = select(above.archived_at, above.archive_id).where(record.id == id, record[column] == above.id)
                query = query.with_for_update(read=True, key_share=True, of=table_of(name))
                found += [(name, row.archive_id) for row in await session.execute(query) if row.archived_at is not None]
    return found


async def restore(
    session: AsyncSession, entity: str, singulars: dict[str, str], id: UUID, archive_id: UUID, by: UUID, at: datetime
) -> None:
    """Bring back the record and all that its archiving took along, which belongs to it still: what is archived does not
    change. A unique value taken meanwhile raises PostgreSQL's IntegrityError."""
    values: dict[str, object] = {"archived_at": None, "archive_id": None}
    for name, column in _with_belonging(entity):
        part = table_of(name).c
        taken = (part[column] == id) & (part.archive_id == archive_id)
        await _set(session, name, singulars[name], taken, values, by, at, "restored")


def _with_belonging(entity: str) -> tuple[tuple[str, str], ...]:
    return (entity, "id"), *BELONGING.get(entity, ())


async def _set(
    session: AsyncSession,
    entity: str,
    singular: str,
    of: ColumnElement[bool],
    values: dict[str, object],
    by: UUID,
    at: datetime,
    verb: str,
) -> None:
    table = table_of(entity)
    customer = table.c.id if entity == "customers" else table.c.get("customer_id")
    owner = table.c.get("owner_id") if entity != "customers" else None
    named = (customer, owner, table.c.get("state"))
    shown = [table.c.id, table.c.version, *(column for column in named if column is not None)]
    change = update(table).where(of).values(**values, version=table.c.version + 1, updated_at=at, updated_by=by)
    rows = (await session.execute(change.returning(*shown))).all()
    operation = operation_of(session)
    for row in rows:
        ledger.event(
            operation.pending,
            type=f"{singular}.{verb}",
            entity=entity,
            record_id=row.id,
            version=row.version,
            customer_id=getattr(row, customer.name) if customer is not None else None,
            changes={},
            actor=by,
            source=operation.source,
            operation_id=operation.id,
            at=at,
        )
        if verb != "restored" or owner is None or customer is None or not (row.owner_id and row.customer_id):
            continue
        if assignees.holds(entity, getattr(row, "state", None)):
            ledger.reason(operation.pending, row.customer_id, row.owner_id, entity, row.id)
    if verb == "archived" and owner is not None:
        await settle(session)
        await assignees.end_reasons(session, [row.id for row in rows])
