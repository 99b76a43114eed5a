"""The lists of a record that are tables of their own, replaced whole: lines, and the contacts who take part."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.activities import ActivityContact
from app.db.models.opportunities import OpportunityContact, OpportunityLine
from app.db.models.products import Product

TABLES: dict[tuple[str, str], Table] = {
    ("opportunities", "lines"): OpportunityLine.__table__,  # type: ignore[dict-item]
    ("opportunities", "contacts"): OpportunityContact.__table__,  # type: ignore[dict-item]
    ("activities", "contacts"): ActivityContact.__table__,  # type: ignore[dict-item]
}
PARENTS = {"opportunities": "opportunity_id", "activities": "activity_id"}


async def read(session: AsyncSession, entity: str, name: str, record_id: UUID) -> list[dict[str, Any]]:
    """The items in order, as the API shows them."""
    table, parent = TABLES[entity, name], PARENTS[entity]
    columns = [column for column in table.c if column.name not in (parent, "position")]
    rows = await session.execute(select(*columns).where(table.c[parent] == record_id).order_by(table.c.position))
    return [{key: None if value is None else str(value) for key, value in row.items()} for row in rows.mappings()]


async def replace(
    session: AsyncSession, entity: str, name: str, record_id: UUID, items: list[dict[str, Any]], currency: str | None
) -> list[dict[str, Any]]:
    """Put these items in place of those there are, and answer them as `read` does. currency: the record's."""
    table, parent = TABLES[entity, name], PARENTS[entity]
    await session.execute(delete(table).where(table.c[parent] == record_id))
    if not items:
        return []
    rows = [
        {
            column.name: column.type.python_type(item[column.name]) if item.get(column.name) is not None else None
            for column in table.c
            if column.name in item
        }
        | {parent: record_id, "position": position}
        for position, item in enumerate(items)
    ]
    if name == "lines":
        await _fill_prices(session, rows, currency)
    await session.execute(insert(table), rows)
    return await read(session, entity, name, record_id)


async def _fill_prices(session: AsyncSession, rows: list[dict[str, Any]], currency: str | None) -> None:
    """Lines without a price take their product's, where that is in the same currency."""
    missing = {row["product_id"] for row in rows if row["unit_price"] is None}
    if missing:
        query = select(Product.id, Product.price).where(Product.id.in_(missing), Product.currency == currency)
        prices = {row.id: row.price for row in await session.execute(query)}
        for row in rows:
            row["unit_price"] = row["unit_price"] if row["unit_price"] is not None else prices.get(row["product_id"])
