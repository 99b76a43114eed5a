"""How often has one visitor come, and how much has a form taken? Counted where every process counts together."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app import clock
from app.db.session import alone

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Visits:
    """How often in the present minute and in the present hour of the clock, with this time, and when those end; how
    many submissions the form has taken in that hour, from whomever."""

    in_minute: int
    in_hour: int
    taken: int
    minute_ends: datetime
    hour_ends: datetime


async def count_visit(bucket: str, form_id: UUID, most: int) -> Visits:
    """Once more for the visitor's bucket, which counts whatever becomes of the visit; `taken` is counted to `most`."""
    now = clock.now()
    hour, minute = (now - (now - _EPOCH) % window for window in (HOUR, MINUTE))
    async with alone() as connection:
        row = await connection.fetchrow(_COUNT, bucket, hour, minute, form_id, most)
    return Visits(row["in_minute"], row["count"], row["taken"], minute + MINUTE, hour + HOUR)


_COUNT = """
insert into rate_counts as known (bucket, starts_at, count, minute_at, in_minute) values ($1, $2, 1, $3, 1)
on conflict (bucket, starts_at) do update set
  count = known.count + 1,
  in_minute = case when known.minute_at = excluded.minute_at then known.in_minute else 0 end + 1,
  minute_at = excluded.minute_at
returning count, in_minute, (
  select count(*) from (select from submissions where form_id = $4 and created_at >= $2 limit $5) as taken
) as taken
"""
