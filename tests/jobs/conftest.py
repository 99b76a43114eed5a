"""A database of its own for the tests of jobs, with a table `effects` for the jobs to have an effect on."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app import clock
from app.db import bell, seeds, session
from app.server import embedded
from app.settings import settings


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.postgres(tmp_path_factory.mktemp("postgres"), disposable=True) as url:
        environment = {"CRM_DATABASE_URL": url, "CRM_SECRET_KEY": "0" * 32}
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            env={**os.environ, **environment},
            cwd=Path(__file__).parents[2],
            check=True,
        )
        yield url


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture(autouse=True)
async def emptied(database: str, redis: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv("CRM_DATABASE_URL", database)
    monkeypatch.setenv("CRM_REDIS_URL", redis)
    monkeypatch.setenv("CRM_SECRET_KEY", "0" * 32)
    settings.cache_clear()
    async with session.transaction("system") as opened:
        if not await opened.scalar(text("select to_regclass('effects')")):
            await opened.execute(text("create table effects (name text not null)"))
            await seeds.plant(opened)
        for table in ("effects", "jobs", "idempotency_keys", "refresh_tokens", "sessions"):
            await opened.execute(text(f"delete from {table}"))
    yield
    await bell.close()
    await session.close()
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
