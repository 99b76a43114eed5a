"""A table `effects` for the jobs to have an effect on, Valkey's address, and a clock that stands still."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app import clock
from app.db import bell, session
from app.settings import settings


@pytest.fixture(scope="session")
def redis(database_url: str) -> str:
    return os.environ["CRM_REDIS_URL"]


@pytest.fixture(autouse=True)
async def effects(redis: str, emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    settings.cache_clear()
    async with session.transaction("system") as opened:
        await opened.execute(text("create table if not exists effects (name text not null)"))
        await opened.execute(text("delete from effects"))
    yield
    await bell.close()
    await emptied()
    settings.cache_clear()


class StoppedClock:
    """The time, which passes only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, tzinfo=UTC)

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock()
    monkeypatch.setattr(clock, "now", lambda: stopped.now)
    return stopped
