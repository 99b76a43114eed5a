"""Which instants and dates are accepted, and how?"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

FIRST_YEAR, LAST_YEAR = 1900, 2200
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _instant_as_written(value: Any) -> Any:
    # Pydantic would read numbers, also in texts, as seconds since 1970, and a bare date as its midnight.
    if isinstance(value, datetime) or (isinstance(value, str) and _INSTANT.fullmatch(value)):
        return value
    raise PydanticCustomError("instant", "Must be an instant such as 2026-01-31T09:30:00Z")


def to_utc(value: datetime) -> datetime:
    """The instant in UTC. Raises ValueError if it has no time zone or its year is outside 1900 to 2200."""
    if value.utcoffset() is None:
        raise PydanticCustomError("time_zone_missing", "Must have a time zone, such as Z or +01:00")
    _check_year(value.year)  # before converting: the ends of the calendar overflow
    instant = value.astimezone(UTC)
    _check_year(instant.year)
    return instant


def _day_as_written(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if is_day or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("day", "Must be a date written YYYY-MM-DD")


def _day_in_range(value: date) -> date:
    _check_year(value.year)
    return value


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise PydanticCustomError("year_out_of_range", "The year must be from 1900 to 2200")


# An aware datetime in UTC; written as RFC 3339 with "Z".
Instant = Annotated[datetime, BeforeValidator(_instant_as_written), AfterValidator(to_utc)]
# A date, which never passes through a time zone.
Day = Annotated[date, BeforeValidator(_day_as_written), AfterValidator(_day_in_range)]


def is_after_today(instant: datetime, now: datetime, time_zone: str) -> bool:
    """Whether an instant is yet to come, and on a later day: of what is known by its day alone the hour is made up."""
    zone = ZoneInfo(time_zone)
    return instant > now and instant.astimezone(zone).date() > now.astimezone(zone).date()


def check_partial_date(day: int | None, month: int | None, year: int | None) -> None:
    """Refuse, by ValueError, a date that cannot be: any part may be unknown, but a day needs its month.

    29 February without a year is a birthday like any other.
    """
    if year is not None:
        _check_year(year)
    if month is not None and not 1 <= month <= 12:
        raise PydanticCustomError("month", "The month must be from 1 to 12")
    if day is None:
        return
    if month is None:
        raise PydanticCustomError("month_missing", "A day needs its month")
    try:
        date(2000 if year is None else year, month, day)  # 2000 was a leap year
    except (ValueError, OverflowError):
        raise PydanticCustomError("day_of_month", "The month does not have that day") from None
