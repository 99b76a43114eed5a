"""How often was something done within the minute and the hour?"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app import clock
from app.db.session import alone

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often in the present minute and in the present hour of the clock, with this time, and when those end."""

    in_minute: int
    in_hour: int
    minute_ends: datetime
    hour_ends: datetime


async def count(buckets: Collection[str]) -> Mapping[str, Counted]:
    """Once more for each bucket. It counts at once, whatever becomes of what was done."""
    now = clock.now()
    hour, minute = (now - (now - _EPOCH) % window for window in (HOUR, MINUTE))
    async with alone() as connection:
        # In one order, so that two that share buckets wait for each other and do not deadlock.
        rows = await connection.fetch(_COUNT, sorted(buckets), hour, minute)
    return {row["bucket"]: Counted(row["in_minute"], row["count"], minute + MINUTE, hour + HOUR) for row in rows}


_COUNT = """
insert into rate_counts as known (bucket, starts_at, count, minute_at, in_minute)
select bucket, $2, 1, $3, 1 from unnest($1::text[]) as t(bucket)
on conflict (bucket, starts_at) do update set
  count = known.count + 1,
  in_minute = case when known.minute_at = excluded.minute_at then known.in_minute else 0 end + 1,
  minute_at = excluded.minute_at
returning bucket, count, in_minute
"""
