"""Is what was promised kept, once?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from arq.connections import ArqRedis
from sqlalchemy import text

from app.db import bell, jobs
from app.db.jobs import Job
from app.db.session import transaction
from tests.jobs.conftest import StoppedClock
from tests.jobs.effects import claimed, import_job, promised, states


@pytest.fixture
async def queue(redis: str) -> AsyncIterator[ArqRedis]:
    client = bell.redis(1.0)
    assert client
    await client.flushall()
    yield client
    await client.aclose(close_connection_pool=True)


async def test_a_promise_in_a_transaction_that_is_rolled_back_is_nothing(queue: ArqRedis) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction() as session:
            await jobs.promise(session, Job.LOAD_IMPORT, run_as=None, name="a")
            raise ZeroDivisionError
    assert await states() == []
    assert await queue.zcard("arq:queue") == 0


async def test_the_bell_rings_once_however_much_a_transaction_promises_and_in_json(queue: ArqRedis) -> None:
    async with transaction() as session:
        for name in "abc":
            await jobs.promise(session, Job.LOAD_IMPORT, run_as=None, name=name)
        assert await queue.zcard("arq:queue") == 0
    assert await queue.zcard("arq:queue") == 1
    assert [job.function for job in await queue.queued_jobs()] == ["sweep"]


async def test_without_redis_a_promise_is_kept_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    await bell.close()
    monkeypatch.setattr(bell.settings(), "redis_url", "unix:///nowhere/kv.sock")
    await asyncio.wait_for(promised(name="a"), 1)
    assert await states() == ["pending"]


async def test_of_two_pending_twins_one_is_kept_with_the_earlier_time(time: StoppedClock) -> None:
    await promised(name="a", run_at=time.now + timedelta(hours=2))
    await promised(name="a", run_at=time.now + timedelta(hours=1))
    await promised(name="a", run_at=time.now + timedelta(hours=3))
    assert (await import_job()).run_at == time.now + timedelta(hours=1)


async def test_a_job_is_claimed_when_it_is_due_and_by_one_only(time: StoppedClock) -> None:
    await promised(name="a", run_at=time.now + timedelta(minutes=5))
    assert await claimed() == []
    time.forward(minutes=5)
    assert len(await claimed()) == 1
    assert await claimed() == []


async def test_many_workers_claim_each_job_once() -> None:
    for number in range(20):
        await promised(number=number)
    groups = await asyncio.gather(*(claimed(4) for _ in range(8)))
    ids = [job.id for group in groups for job in group]
    assert len(ids) == len(set(ids)) == 20


async def test_a_promise_made_while_its_twin_runs_is_kept() -> None:
    await promised(name="a")
    assert len(await claimed()) == 1
    await promised(name="a")
    assert await states() == ["running", "pending"]


async def test_a_twin_waits_for_the_promise_that_found_it_pending() -> None:
    await promised(name="a")
    async with transaction() as session:
        await jobs.promise(session, Job.LOAD_IMPORT, run_as=None, name="a")
        # Claimed now it could be done before this transaction commits, without having seen what it changes.
        assert await claimed() == []
    assert len(await claimed()) == 1


async def test_a_kind_that_this_worker_does_not_know_is_left_to_others() -> None:
    await promised(name="a")
    async with transaction("system") as session:
        await session.execute(text("update jobs set kind = 'of_the_next_release'"))
    assert await claimed() == []
