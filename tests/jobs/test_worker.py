"""Does the worker process do what is due, with the bell and without, and does it end in order?"""

import asyncio
import pickle
from pathlib import Path

import pytest

from app import clock
from app.db import bell
from app.settings import settings
from tests.jobs.effects import effects, import_job, is_quiet, promised, states, until, working


async def begun(name: str) -> bool:
    return f"{name} begun" in await effects()


async def test_the_bell_wakes_a_worker_that_would_sleep_for_a_minute() -> None:
    with working(silence=60):
        await until(is_quiet)  # it tidied, and sleeps
        await promised(name="a", seconds=0)
        await until(is_quiet, 3)
    assert await effects() == ["a", "a begun"]


async def test_without_redis_the_worker_works_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    await bell.close()
    monkeypatch.setenv("CRM_REDIS_URL", "unix:///nowhere/kv.sock")
    settings.cache_clear()
    await promised(name="a", seconds=0)
    with working():
        await until(is_quiet)
        assert await effects() == ["a", "a begun"]
        await promised(name="b", seconds=0)
        await until(is_quiet)
    assert await effects() == ["a", "a begun", "b", "b begun"]


async def test_pickles_in_the_queue_are_not_run_and_do_not_stop_the_bell(tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "run",)

    client = bell.redis(1.0)
    assert client
    await client.set("arq:job:bad", pickle.dumps({"f": "sweep", "a": (Touch(),), "k": {}, "t": None, "et": 0}))
    await client.zadd("arq:queue", {"bad": 1})

    async def is_read() -> bool:
        return not await client.exists("arq:job:bad")

    with working(silence=60):
        await until(is_quiet)
        await until(is_read)
        await promised(name="a", seconds=0)
        await until(is_quiet, 3)
    await client.aclose(close_connection_pool=True)
    assert not (tmp_path / "run").exists()


async def test_sigterm_lets_the_running_job_end_and_claims_no_more() -> None:
    with working() as process:
        await until(is_quiet)
        await promised(name="a", seconds=1)
        await until(lambda: begun("a"))
        process.terminate()
        await asyncio.sleep(0.1)
        await promised(name="b", seconds=0)
        assert await asyncio.to_thread(process.wait, 5) == 0
    assert await effects() == ["a", "a begun"]
    assert await states() == ["done", "done", "pending"]


async def test_sigterm_hands_back_a_job_that_takes_too_long() -> None:
    await promised(name="a", seconds=60)
    with working(time_to_end=0.2) as process:
        await until(lambda: begun("a"))
        process.terminate()
        assert await asyncio.to_thread(process.wait, 5) == 0
    job = await import_job()
    assert (job.state, job.attempts) == ("running", 0)
    assert job.lease_until <= clock.now()
    assert await effects() == ["a begun"]
