"""The only clock: everything that needs the time asks here, so that tests can stop it and the demo have a past."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """The present instant, in UTC."""
    return _stopped.get() or datetime.now(UTC)


@contextmanager
def stopped_at(instant: datetime) -> Iterator[None]:
    """Within the block, and only for who runs it, it is that instant: what the demo has happen happened then."""
    token = _stopped.set(instant)
    try:
        yield
    finally:
        _stopped.reset(token)
