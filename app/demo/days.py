"""When did the demo's past happen? On working days before now, and its future after it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Madrid")


def working_day(today: date, before: int) -> date:
    """The day so many working days before today, or after it where negative; 0 is the last one up to today."""
    forward = before < 0
    step = timedelta(days=1 if forward else -1)
    day = today
    while day.weekday() > 4:
        day += step
    weeks, days = divmod(abs(before), 5)
    day += 7 * weeks * step
    for _ in range(days):
        day += step
        while day.weekday() > 4:
            day += step
    return day


def at(now: datetime, before: int, hour: int, minute: int = 0) -> datetime:
    """An hour, by the clock of the organisation, of the day so many working days before now."""
    day = working_day(now.astimezone(ZONE).date(), before)
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def midnight(now: datetime, after: int) -> datetime:
    """Where the day begins that is so many days after today."""
    day = now.astimezone(ZONE).date() + timedelta(days=after)
    return datetime.combine(day, time(), ZONE).astimezone(UTC)
