"""Does the daily clean-up delete what is past its time, and that only, once or twice?"""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.db import jobs, tidying
from app.db.jobs import Job
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.jobs.handlers import HANDLERS
from app.jobs.job import attempt
from tests.jobs.conftest import StoppedClock
from tests.jobs.effects import claimed

AGES = (timedelta(0), timedelta(hours=23), timedelta(days=2), timedelta(days=6), timedelta(days=8))


async def tidied() -> None:
    async with transaction("system") as session:
        await jobs.promise(session, Job.TIDY, run_as=None, dedupe="today")
    [held] = await claimed()
    await attempt(held, HANDLERS[Job.TIDY])


async def count(table: str) -> int:
    async with transaction("system") as session:
        return int(await session.scalar(text(f"select count(*) from {table}")) or 0)


@pytest.fixture(params=[1, 5_000])
def rows_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "ROWS_AT_ONCE", request.param)


@pytest.mark.usefixtures("rows_at_once")
async def test_done_jobs_stay_seven_days_and_failed_ones_for_ever(time: StoppedClock) -> None:
    async with transaction("system") as session:
        for state in ("done", "failed"):
            for age in AGES:
                await session.execute(
                    text("""insert into jobs (kind, dedupe, payload, run_at, state, attempts, fence, done_at)
                      values ('load_import', :dedupe, '{}', :at, :state, 1, 1, :at)"""),
                    {"state": state, "dedupe": state, "at": time.now - age},
                )
    await tidied()
    assert await count("jobs where state = 'failed'") == len(AGES)
    assert await count("jobs where kind = 'load_import' and state = 'done'") == len(AGES) - 1
    await tidied()
    assert await count("jobs where kind = 'load_import' and state = 'done'") == len(AGES) - 1


@pytest.mark.usefixtures("rows_at_once")
async def test_answers_for_repeated_requests_stay_a_day(time: StoppedClock) -> None:
    async with transaction("system") as session:
        for age in AGES:
            await session.execute(
                text("""insert into idempotency_keys (subject, method, path, key, fingerprint, created_at)
                  values (:subject, 'POST', '/v1/customers', 'k', '', :at)"""),
                {"subject": uuid4(), "at": time.now - age},
            )
    await tidied()
    assert await count("idempotency_keys") == 2


async def test_links_go_when_they_are_good_no_more_and_attempts_and_networks_later(time: StoppedClock) -> None:
    async with transaction("system") as session:
        for number, age in enumerate(AGES):
            for statement in (
                """insert into password_links (hash, user_id, purpose, email, created_at, expires_at)
                  values (:key, :user, 'reset', 'ana@acero.example', :at, :at)""",
                """insert into password_links (hash, user_id, purpose, email, created_at, expires_at)
                  values (:later, :user, 'invitation', 'ana@acero.example', :at, :still)""",
                "insert into sign_in_attempts (key, ends_at, count) values (:key, :at, 1)",
                "insert into known_networks (key, used_at) values (:key, :used)",
            ):
                values = {
                    "key": b"%d" % number,
                    "later": b"later %d" % number,
                    "user": SYSTEM_USER,
                    "at": time.now - age,
                    "still": time.now + timedelta(days=1),
                    "used": time.now - 30 * age,
                }
                await session.execute(
                    text(statement), {name: values[name] for name in values if f":{name}" in statement}
                )
    await tidied()
    assert await count("password_links") == len(AGES)
    assert await count("sign_in_attempts") == 2
    assert await count("known_networks") == 4, "180 days"


@pytest.mark.usefixtures("rows_at_once")
async def test_sessions_go_when_they_ended_or_nothing_can_renew_them(time: StoppedClock) -> None:
    month = timedelta(days=30)
    async with transaction("system") as session:
        for ended, expires in ((None, month), (None, -2 * AGES[2]), (-AGES[2], month), (-AGES[1], month)):
            id = uuid4()
            await session.execute(
                text("""insert into sessions (id, user_id, created_at, last_used_at, ended_at)
                  values (:id, :user, :begun, :begun, :ended)"""),
                {
                    "id": id,
                    "user": SYSTEM_USER,
                    "begun": time.now - month,
                    "ended": time.now + ended if ended else None,
                },
            )
            await session.execute(
                text("insert into refresh_tokens (hash, session_id, expires_at) values (:hash, :id, :at)"),
                {"hash": id.bytes, "id": id, "at": time.now + expires},
            )
    await tidied()
    assert (await count("sessions"), await count("refresh_tokens")) == (2, 2)
