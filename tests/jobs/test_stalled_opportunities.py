"""The rules of time, sentence by sentence, for opportunities that do not move. Time passes when the test says so."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import jobs
from app.db.models.opportunities import Opportunity
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.domain import records, workflows
from app.domain.entities.opportunities import OPPORTUNITIES
from app.jobs import worker
from app.jobs import workflows as handlers
from app.jobs.job import MOST_ATTEMPTS
from app.policies.callers import access_of
from tests.conftest import People
from tests.db.many import read_of
from tests.jobs.company import edit, follow_ups, live, move, opportunity, rows, runs, sweep, switch, work
from tests.jobs.conftest import StoppedClock

KEY = "stalled_opportunity"


async def test_after_ten_days_in_a_stage_its_owner_has_a_follow_up_due_that_day_and_only_one(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    ana = await people.user("sales", "Ana", locale="it")
    await opportunity("Presses", ana)
    time.forward(days=10, minutes=-1)
    assert (await sweep(), await follow_ups()) == (1, [])
    await live(time, 30)
    [made] = await rows("select * from activities")
    assert (made.owner_id, made.kind, made.state) == (ana, "task", "planned")
    assert made.subject == "Giorni senza movimento: 10"
    assert made.due_at.isoformat() == "2026-11-30T23:00:00+00:00"  # the day in Madrid on which it fell due
    assert made.all_day
    [run] = await rows("select * from workflow_runs")
    assert (run.state, run.assigned_to, run.due_at) == ("done", ana, time.now - timedelta(hours=29, minutes=59))
    assert run.steps == [{"step": "activity", "activity_id": str(made.id), "owner_id": str(ana)}]
    [event] = await rows("select * from events where type = 'activity.created'")
    assert (event.source, event.operation_id) == ("workflow", run.id)


async def test_other_edits_do_not_reset_it_and_coming_back_to_a_stage_is_a_new_stay(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    id = await opportunity("Presses", await people.user("sales"))
    time.forward(days=9)
    await edit(id, description="Called them", amount="1200")
    time.forward(days=1)
    await sweep()
    assert await follow_ups() == ["Presses"]
    await move(id, "qualification")
    await move(id, "reception")
    time.forward(days=9)
    await sweep()
    assert await follow_ups() == ["Presses"]
    time.forward(days=1)
    await sweep()
    assert await follow_ups() == ["Presses", "Presses"]


async def test_two_days_without_a_worker_are_made_up_for_oldest_first_once_and_not_all_at_the_same_time(
    people: People, time: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows, "AT_ONCE", 3)
    await switch(KEY)
    ana = await people.user("sales")
    names = [f"Deal {number}" for number in range(8)]
    for name in names:
        await opportunity(name, ana)
        time.forward(hours=5)
    time.forward(days=10, hours=8)
    await sweep()
    assert await follow_ups() == names[:3]
    time.forward(seconds=29)
    assert (await work(), await follow_ups()) == (0, names[:3])
    for known in (6, 8, 8):
        time.forward(seconds=30)
        await work()
        assert await follow_ups() == names[:known]
    await live(time, 3)
    assert await follow_ups() == names


async def test_two_workers_at_once_and_a_job_that_is_done_twice_make_one_follow_up(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    await opportunity("Presses", await people.user("sales"))
    time.forward(days=10)
    await sweep()
    [run] = await rows("select payload from jobs where kind = 'run_workflow'")
    for _ in range(2):
        async with transaction("system") as session:
            await jobs.promise(session, jobs.Job.RUN_WORKFLOW, run_as=None, dedupe=str(_), **run.payload)
    await asyncio.gather(work(), work())
    assert await follow_ups() == ["Presses"]
    assert await runs() == [("done", None)]


async def test_what_moved_on_before_its_turn_is_skipped_and_the_run_says_why(
    people: People, time: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(KEY)
    ana = await people.user("sales")
    moved, archived = await opportunity("Moved", ana), await opportunity("Archived", ana)
    time.forward(days=10)
    await _promise_only()
    await move(moved, "qualification")
    await _archive(archived)
    await work()
    assert (await follow_ups(), await runs()) == ([], [("skipped", "It has left the stage")])
    # Brought back, it is as due as it was.
    await _restore(archived)
    await work()
    assert await follow_ups() == ["Archived"]


async def test_what_the_company_sets_meanwhile_counts_at_the_moment_of_acting(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    await opportunity("Presses", await people.user("sales"))
    time.forward(days=10)
    await _promise_only()
    await switch(KEY, days=30)
    await work()
    assert (await follow_ups(), await runs()) == ([], [])
    await _promise_only()
    await switch(KEY, on=False)
    time.forward(days=40)
    await sweep()
    assert (await follow_ups(), await runs()) == ([], [])
    await switch(KEY)
    await _promise_only()
    await switch(KEY, start_from_now=True)
    await work()
    assert (await follow_ups(), await runs()) == ([], [])
    await switch(KEY, start_from_now=False, include_imported=True)
    imported = await opportunity("Imported", await people.user("sales"), source="import")
    time.forward(days=30)
    await _promise_only()
    await switch(KEY, include_imported=False)
    await sweep()
    assert await follow_ups() == ["Presses"]
    assert imported not in [row.record_id for row in await rows("select record_id from workflow_runs")]


async def test_a_clock_that_was_set_back_keeps_nothing_waiting(people: People, time: StoppedClock) -> None:
    await switch(KEY)
    await opportunity("Presses", await people.user("sales"))
    time.forward(days=9)
    scanned = await worker._promise_scans(time.now + timedelta(days=365))
    assert scanned == time.now
    assert await worker._promise_scans(scanned) == scanned
    async with transaction("system") as session:
        await session.execute(text("update workflows set scanned_to = :at"), {"at": time.now + timedelta(days=355)})
    await work()
    time.forward(days=1)
    await sweep()
    assert await follow_ups() == ["Presses"]


async def test_fewer_days_find_what_was_looked_at_before_and_starting_from_now_leaves_it_alone(
    people: People, time: StoppedClock
) -> None:
    ana = await people.user("sales")
    await opportunity("Old", ana)
    time.forward(days=8)
    await opportunity("Young", ana)
    time.forward(days=4)
    await switch(KEY, start_from_now=True)
    await sweep()
    assert await follow_ups() == []
    await switch(KEY, days=4, start_from_now=False)
    await sweep()
    assert await follow_ups() == ["Old", "Young"]
    await opportunity("New", ana)
    time.forward(days=5)
    await switch(KEY, days=5, start_from_now=True)
    await opportunity("Newest", ana)
    time.forward(days=5)
    await sweep()
    assert await follow_ups() == ["Old", "Young", "Newest"]


async def test_stays_that_came_by_import_are_skipped_unless_the_company_says_otherwise(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    imported = await opportunity("Imported", await people.user("sales"), source="import")
    time.forward(days=11)
    await sweep()
    assert (await follow_ups(), await runs()) == ([], [])
    await switch(KEY, include_imported=True)
    await sweep()
    assert await follow_ups() == ["Imported"]
    await switch(KEY, include_imported=False)
    await move(imported, "qualification")  # by hand: from here on it is like any other
    time.forward(days=10)
    await sweep()
    assert await follow_ups() == ["Imported", "Imported"]


async def test_a_stay_that_began_long_before_it_was_written_is_found_by_the_check_that_its_write_promises(
    people: People, time: StoppedClock
) -> None:
    await switch(KEY)
    await opportunity("Seen", await people.user("sales"))
    time.forward(days=20)
    await sweep()
    id = await opportunity("Backdated", await people.user("sales"))
    async with transaction("system") as session:
        await session.execute(
            text("update stage_stays set entered_at = :at where record_id = :id"),
            {"at": time.now - timedelta(days=15), "id": id},
        )
    await sweep()
    assert await follow_ups() == ["Seen"]  # nobody looks back by himself
    await _archive(id)
    await _restore(id)
    await work()
    assert await follow_ups() == ["Seen", "Backdated"]


async def test_nobody_is_given_what_they_cannot_open(people: People, time: StoppedClock) -> None:
    await switch(KEY)
    boss = await people.user("manager", locale="en")
    gone = await people.user("sales", manager=boss)
    left = await people.user("sales", manager=await people.user("sales"))
    for name, owner in (("Of who left", gone), ("Of nobody", None), ("Of who left, and whose manager cannot", left)):
        await opportunity(name, owner)
    async with transaction("system") as session:
        await session.execute(text("update users set active = false where id = any(:ids)"), {"ids": [gone, left]})
    time.forward(days=10)
    await sweep()
    assert await follow_ups() == ["Of who left"]
    assert [row.owner_id for row in await rows("select owner_id from activities")] == [boss]
    assert [state for state, _ in await runs()].count("skipped") == 2
    assert {reason for _, reason in await runs() if reason} == {
        "It has no owner who is active, nor has its customer, nor has its owner a manager who sees it"
    }


async def test_a_run_that_fails_again_and_again_is_kept_as_failed_and_may_be_tried_again(
    people: People, time: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(KEY)
    await opportunity("Presses", await people.user("sales"))

    async def fail(*_: object) -> None:
        raise ValueError("no")

    with monkeypatch.context() as broken:
        broken.setattr(handlers.stalled_opportunities, "act", fail)
        time.forward(days=10)
        for _ in range(MOST_ATTEMPTS):
            await sweep()
            time.forward(hours=2)
    assert await runs() == [("failed", "It failed again and again; the log of the worker says why")]
    await sweep()
    assert await follow_ups() == []
    async with transaction("system") as session:
        await session.execute(text("update jobs set state = 'pending', attempts = 0 where state = 'failed'"))
    await work()
    assert (await follow_ups(), await runs()) == (["Presses"], [("done", None)])


async def test_a_scan_reads_what_newly_falls_due_by_its_index(people: People, time: StoppedClock) -> None:
    ana = await people.user("sales")
    id = await opportunity("Presses", ana)
    async with transaction("system") as session:
        await session.execute(
            text("""insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", source)
              select 'opportunities', gen_random_uuid(), 'stage', pipeline_id, stage,
                entered_at - n * interval '1 hour', "by", source
              from stage_stays, generate_series(1, 20000) n where record_id = :id"""),
            {"id": id},
        )
        await session.execute(text("analyze stage_stays"))
    await switch(KEY)
    async with transaction("system") as session:
        await session.execute(text("update workflows set scanned_to = :at"), {"at": time.now - timedelta(days=10)})
    async with transaction("system") as session:
        before = await read_of(session, "stage_stays")
        access = await access_of(session, SYSTEM_USER)
        found = await session.scalar(text("select id from workflows where key = :key"), {"key": KEY})
        await workflows.scan(session, access, found, from_the_beginning=False)
        after = await read_of(session, "stage_stays")
    assert after - before < 10


async def _promise_only() -> None:
    """A scan, and no more: what it found waits."""
    async with transaction("workflow") as session:
        access = await access_of(session, SYSTEM_USER)
        id = await session.scalar(text("select id from workflows where key = :key"), {"key": KEY})
        await workflows.scan(session, access, id, from_the_beginning=False)


async def _archive(id: UUID) -> None:
    async with transaction() as session:
        access = await access_of(session, SYSTEM_USER)
        record = await access.row(session, Opportunity, id, "delete")
        await records.archive(session, access, OPPORTUNITIES, record)


async def _restore(id: UUID) -> None:
    async with transaction() as session:
        access = await access_of(session, SYSTEM_USER)
        record = await access.row(session, Opportunity, id, "delete")
        await records.restore(session, access, OPPORTUNITIES, record)
