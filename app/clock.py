"""The only clock: everything that needs the time asks here, so that tests can stop it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)
