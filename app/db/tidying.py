"""Which rows are past their time?"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

ROWS_AT_ONCE = 5_000

# Per table how long rows are kept, and from when. Sessions and their tokens stay a day longer than they are good for,
# so that one that just ended is still told from one that never was; tokens go first, since they refer to their session.
PAST = {
    "jobs": (timedelta(days=7), "state = 'done' and done_at < :before"),
    "idempotency_keys": (timedelta(hours=24), "created_at < :before"),
    "rate_counts": (timedelta(days=1), "starts_at < :before"),
    "sign_in_attempts": (timedelta(hours=24), "ends_at < :before"),
    "known_networks": (timedelta(days=180), "used_at < :before"),
    "password_links": (timedelta(0), "expires_at <= :before"),
    "refresh_tokens": (
        timedelta(days=1),
        "expires_at < :before or session_id in (select id from sessions where ended_at < :before)",
    ),
    "sessions": (
        timedelta(days=1),
        """(ended_at < :before or last_used_at < :before)
        and not exists (select from refresh_tokens where session_id = sessions.id)
        and not exists (select from api_keys where session_id = sessions.id)""",
    ),
}


async def delete_past(session: AsyncSession, table: str, now: datetime) -> bool:
    """Delete rows of one of the tables that are past their time; whether more may be left."""
    kept, condition = PAST[table]
    chosen = f"select ctid from {table} where {condition} limit {ROWS_AT_ONCE} for update skip locked"
    deleted: Any = await session.execute(
        text(f"delete from {table} where ctid = any(array({chosen}))"), {"before": now - kept}
    )
    return bool(deleted.rowcount == ROWS_AT_ONCE)
