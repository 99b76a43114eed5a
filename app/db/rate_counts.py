"""How often was something done in this stretch of time?"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def count(session: AsyncSession, windows: Mapping[str, timedelta]) -> Mapping[str, tuple[int, datetime]]:
    """Once more for each bucket. How often in its present window, with this time, and when that window ends."""
    now = clock.now()
    # In one order, so that two that share buckets wait for each other and do not deadlock.
    starts = {bucket: now - (now - _EPOCH) % windows[bucket] for bucket in sorted(windows)}
    counted = await session.execute(_COUNT, {"buckets": list(starts), "starts": list(starts.values())})
    return {bucket: (number, starts[bucket] + windows[bucket]) for bucket, number in counted}


_COUNT = text("""
insert into rate_counts (bucket, starts_at, count)
select bucket, starts_at, 1
from unnest(cast(:buckets as text[]), cast(:starts as timestamptz[])) as t(bucket, starts_at)
on conflict (bucket, starts_at) do update set count = rate_counts.count + 1
returning bucket, count
""")
