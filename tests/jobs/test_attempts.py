"""Does a job have its effect once, whatever happens to it on the way?"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.db import jobs
from app.db.base import Json
from app.errors import Conflict
from app.jobs import job
from app.jobs.job import LeaseLost, Run, attempt
from tests.jobs.conftest import StoppedClock
from tests.jobs.effects import claimed, effects, have_effect, import_job, promised, states

ADDRESS = "mario.rossi@example.it"


async def fail(run: Run) -> None:
    async with run.transaction() as (session, _):
        await session.execute(text("insert into effects values ('half')"))
        raise ValueError(f"{ADDRESS} is not a number")


async def test_effect_and_done_are_one(time: StoppedClock) -> None:
    await promised(name="a")
    [held] = await claimed()
    await attempt(held, have_effect)
    assert (await effects(), await states()) == (["a"], ["done"])
    assert (await import_job()).done_at == time.now


async def test_the_same_attempt_twice_is_once() -> None:
    await promised(name="a")
    [held] = await claimed()
    await attempt(held, have_effect)
    await attempt(held, have_effect)
    assert (await effects(), await states()) == (["a"], ["done"])


async def test_a_handler_without_a_last_transaction_is_done_too() -> None:
    async def nothing(run: Run) -> None:
        pass

    await promised()
    [held] = await claimed()
    await attempt(held, nothing)
    assert await states() == ["done"]


async def test_a_failed_job_is_tried_again_later_without_half_an_effect(time: StoppedClock) -> None:
    await promised(name="a")
    [held] = await claimed()
    await attempt(held, fail)
    kept = await import_job()
    assert (kept.state, await effects()) == ("pending", [])
    assert timedelta(seconds=3) < kept.run_at - time.now < timedelta(seconds=7)
    assert await claimed() == []
    time.forward(seconds=7)
    [held] = await claimed()
    await attempt(held, have_effect)
    assert (await effects(), await states()) == (["a"], ["done"])


async def test_each_wait_is_longer_and_in_the_end_the_job_is_kept_as_failed(time: StoppedClock) -> None:
    given_up: list[Json] = []

    async def note(_: Any, payload: Json) -> None:
        given_up.append(payload)

    await promised(name="a")
    waits = []
    while held := await claimed():
        await attempt(held[0], fail, note)
        waits.append((await import_job()).run_at - time.now)
        time.forward(hours=2)
    assert len(waits) == job.MOST_ATTEMPTS
    assert waits[:6] == sorted(waits[:6])
    assert (await import_job()).state == "failed"
    assert given_up == [{"name": "a"}]


async def test_a_job_that_ends_its_worker_each_time_is_given_up(time: StoppedClock) -> None:
    await promised(name="a")
    for _ in range(job.MOST_ATTEMPTS):
        assert len(await claimed()) == 1
        time.forward(minutes=2)
    [held] = await claimed()
    await attempt(held, have_effect)
    assert (await effects(), await states()) == ([], ["failed"])


async def test_a_retried_job_ends_as_done_while_a_newer_twin_is_pending() -> None:
    await promised(name="a")
    [held] = await claimed()
    await promised(name="a")
    await attempt(held, fail)
    assert await states() == ["done", "pending"]


async def test_who_lost_the_lease_cannot_finish(time: StoppedClock) -> None:
    async def slow(run: Run) -> None:
        with pytest.raises(LeaseLost):
            async with run.transaction(last=True) as (session, _):
                await session.execute(text("insert into effects values ('slow')"))
                time.forward(minutes=2)
                [other] = await claimed()
                await attempt(other, have_effect)
        raise LeaseLost

    await promised(name="quick")
    [held] = await claimed()
    await attempt(held, slow)
    assert (await effects(), await states()) == (["quick"], ["done"])


async def test_a_step_between_keeps_the_job_for_another_lease(time: StoppedClock) -> None:
    async def in_steps(run: Run) -> None:
        for name in ("first", "second"):
            async with run.transaction(last=name == "second") as (session, _):
                await session.execute(text("insert into effects values (:name)"), {"name": name})
                time.forward(seconds=40)
            assert await claimed() == []

    await promised()
    [held] = await claimed()
    await attempt(held, in_steps)
    assert (await effects(), await states()) == (["first", "second"], ["done"])


async def test_the_lease_is_renewed_while_the_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.3))

    async def long(run: Run) -> None:
        for _ in range(8):
            await asyncio.sleep(0.1)
            assert await claimed() == []

    await promised()
    [held] = await claimed()
    await attempt(held, long)
    assert await states() == ["done"]


async def test_work_whose_lease_is_lost_is_stopped(monkeypatch: pytest.MonkeyPatch, time: StoppedClock) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.3))
    await promised(name="a")
    [held] = await claimed()
    time.forward(seconds=1)
    [other] = await claimed()
    await asyncio.wait_for(attempt(held, lambda run: asyncio.sleep(60)), 2)
    await attempt(other, have_effect)
    assert (await effects(), await states()) == (["a"], ["done"])


async def test_a_cancelled_attempt_hands_the_job_back_and_does_not_count(time: StoppedClock) -> None:
    await promised(name="a")
    [held] = await claimed()
    running = asyncio.create_task(attempt(held, lambda run: asyncio.sleep(60)))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [again] = await claimed()
    assert (again.attempts, again.fence) == (1, 2)
    await attempt(again, have_effect)
    assert await effects() == ["a"]


async def test_the_error_that_is_kept_names_no_values() -> None:
    async def collide(run: Run) -> None:
        async with run.transaction() as (session, _):
            await session.execute(text("create temporary table people (email text constraint people_key primary key)"))
            # Not written out: from Python 3.13 on a trace shows all lines of a statement.
            await session.execute(text("insert into people values (:email), (:email)"), {"email": ADDRESS})

    await promised()
    [held] = await claimed()
    await attempt(held, collide)
    assert (await import_job()).last_error == "UniqueViolationError: people_key"


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            Conflict("The import is being loaded", code="import_running"),
            "Conflict: import_running: The import is being loaded",
        ),
        (ValueError("invalid literal for int() with base 10: 'Mario'"), "ValueError: invalid literal for int"),
        (KeyError("mario@example.it"), "KeyError"),
    ],
)
def test_a_message_is_cut_before_the_first_value(error: Exception, kept: str) -> None:
    assert job.describe(error) == kept
