"""What somebody agreed to, word for word: append only."""

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.forms import Consent

_GIVE = insert(Consent.__table__)  # type: ignore[arg-type]


async def give(session: AsyncSession, **values: Any) -> None:
    """Keep a consent. values: columns of `consents`."""
    await session.execute(_GIVE, {"given": True, **values})


async def withdrawn(session: AsyncSession, address: str, purpose: str) -> bool:
    """Whether the last that was said for this address and purpose is no."""
    last = (
        select(Consent.given)
        .where(Consent.address.in_({address, address.casefold()}), Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return (await session.scalar(last)) is False
