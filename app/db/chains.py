"""Chains of records of one kind, such as companies and their parents: does one come back to itself?"""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of


async def hold(session: AsyncSession, entity: str, field: str) -> None:
    """Nobody else follows or makes chains of a field until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"{entity}.{field}"))))


async def closes(session: AsyncSession, entity: str, field: str, id: UUID, to: UUID) -> bool:
    """Whether the record would be above itself if its `field` pointed to another. Whoever asks meanwhile waits."""
    await hold(session, entity, field)
    table = table_of(entity)
    above = select(bindparam("to", to, type_=Uuid()).label("id")).cte("above", recursive=True)
    further = select(table.c[field]).join(above, table.c.id == above.c.id).where(table.c[field].is_not(None))
    above = above.union(further)
    return await session.scalar(select(above.c.id).where(above.c.id == id)) is not None
