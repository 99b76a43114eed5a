"""The one row of the company's settings."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.vocabulary import Setting


async def load(session: AsyncSession, *, lock: bool = False) -> Setting:
    query = select(Setting)
    return (await session.scalars(query.with_for_update() if lock else query)).one()
