"""Redis stopped and emptied, the worker killed in the middle of a job: is nothing lost and nothing done twice?"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db import bell
from app.db.session import transaction
from app.server import embedded
from app.server.valkey import redis_url
from app.settings import settings
from tests.jobs.conftest import effects as table_of_effects  # noqa: F401
from tests.jobs.effects import effects, is_quiet, promised, until, working


class Valkey:
    """`stop()` leaves its data, `start()` finds them again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running = ExitStack()

    def start(self) -> None:
        self.running.enter_context(embedded.valkey(self.folder))

    def stop(self) -> None:
        self.running.close()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(database_url: str, valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The bell rings in a Valkey of the test's own, which it can stop."""
    url = redis_url(valkey.folder)
    monkeypatch.setenv("CRM_REDIS_URL", url)
    settings.cache_clear()
    yield url
    monkeypatch.undo()
    settings.cache_clear()


async def test_nothing_is_lost_and_nothing_happens_twice(valkey: Valkey) -> None:
    names = [f"job {number:02}" for number in range(40)]

    async def in_the_middle() -> bool:
        found = await effects()
        return "long begun" in found and sum(name in names for name in found) >= 10

    with working() as worker:
        await promised(name="long", seconds=1.5)
        for name in names[:20]:
            await promised(name=name, seconds=0.05)
        await until(in_the_middle)

        client = bell.redis(1.0)
        assert client
        await client.flushall()
        await client.aclose(close_connection_pool=True)
        valkey.stop()
        for name in names[20:30]:
            await promised(name=name, seconds=0.05)

        worker.kill()
        worker.wait()
        assert "long" not in await effects()
    for name in names[30:]:
        await promised(name=name, seconds=0.05)
    with working():
        valkey.start()
        await until(is_quiet)
    assert await effects() == sorted([*names, *(f"{name} begun" for name in names), "long", "long begun"])
    async with transaction("system") as session:
        assert await session.scalar(text("select attempts from jobs where payload ->> 'name' = 'long'")) == 2
