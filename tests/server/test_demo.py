"""Is the demo what the README promises: the same each time, in order, with logins that work and mail to read?"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app import clock
from app.db.session import transaction
from app.demo import planting
from app.demo.accounts import PRINTED
from app.demo.steps import Create, Step
from app.demo.story import CONVERTED, CUSTOMERS, LEADS, OPPORTUNITIES, Story
from app.demo.words import JOBS
from app.server.demo import demo_password
from app.settings import settings

PASSWORD = "eleven gulls over Vigo"
Empty = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
async def planted(emptied: Empty) -> AsyncIterator[httpx.AsyncClient]:
    """The demo in this run's database, and a client that nobody is signed in with."""
    from app.main import app
    from tests.contracts.contract import hold

    await planting.plant(PASSWORD)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://crm.test", event_hooks={"response": [hold]}
    ) as it:
        yield it
    await emptied()


async def signed_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> dict[str, str]:
    """The header that a user of the demo is known by."""
    login = {"username": f"{name}@demo.example", "password": password}
    answer = await client.post("/v1/auth/token", data=login)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def values(statement: str) -> list[Any]:
    async with transaction() as session:
        return [tuple(row) for row in await session.execute(text(statement))]


async def test_a_database_with_other_data_is_left_alone(
    database: None, make_user: Callable[..., Awaitable[UUID]]
) -> None:
    await make_user("ada", "administrator", PASSWORD)
    told = refused(CRM_DEMO_PASSWORD=PASSWORD)
    assert (
        told == "crm: the database has other data: the demo goes into an empty one; set CRM_DATA_DIR to a new folder\n"
    )
    assert await values("select count(*) from users where archived_at is null") == [(1,)]
    assert refused(CRM_DEMO_PASSWORD="short").startswith("crm: CRM_DEMO_PASSWORD: ")


async def test_there_is_as_much_of_everything_as_promised(planted: httpx.AsyncClient) -> None:
    assert await values("select count(*) from customers") == [(200,)]
    assert await values("select count(*), count(distinct name) from products") == [(15, 15)]
    assert await values("select count(*), count(manager_id) from users where archived_at is null") == [(8, 5)]
    assert await values("select min(n), max(n) from (select count(c.id) n from customers u join contacts c on"
                        " c.customer_id = u.id group by u.id) x") == [(1, 3)]  # fmt: skip
    stages = dict(await values("select stage, count(*) from opportunities group by 1"))
    assert stages == OPPORTUNITIES | {"reception": OPPORTUNITIES["reception"] + sum(CONVERTED.values())}
    stages = dict(await values("select stage, count(*) from leads group by 1"))
    assert stages == LEADS | {"new": LEADS["new"] + 2, "converted": sum(CONVERTED.values())}
    assert await values("select count(*) from leads where stage = 'discarded' and discard_reason is null") == [(0,)]
    assert sum(CUSTOMERS.values()) + sum(CONVERTED.values()) == 200


async def test_its_past_is_one_that_could_have_been(planted: httpx.AsyncClient) -> None:
    now = clock.now()
    [(first, last, spread)] = await values("""
        select min(closed_at), max(closed_at), count(distinct date_trunc('month', closed_at)) from opportunities
        where closed_at is not null
    """)
    assert now - timedelta(days=366) < first < last < now
    assert spread >= 10
    stalled = await values("""
        select stage, count(*) from opportunities o
        where stage_kind = 'open' and stage_entered_at < now() - interval '10 days' group by 1
    """)
    assert len(stalled) == 4
    # By days, not by hours: shortly after midnight what was due yesterday is overdue.
    [(overdue, today, later)] = await values("""
        select count(*) filter (where due < now), count(*) filter (where all_day and due = now),
          count(*) filter (where due > now + 1)
        from (select all_day, (due_at at time zone 'Europe/Madrid')::date as due,
          (now() at time zone 'Europe/Madrid')::date as now from activities where state = 'planned') as planned
    """)
    assert min(overdue, today, later) >= 3
    # Nothing of it is in the future, before its beginning, or out of order.
    for wrong in (
        "select 1 from events where occurred_at > now() or occurred_at <> recorded_at",
        "select 1 from stage_stays where left_at < entered_at or entered_at > now()",
        "select 1 from activities where done_at > now() or (due_at < created_at and not all_day)",
        "select 1 from opportunities where created_at > updated_at or stage_entered_at < created_at",
        "select 1 from events a join events b on b.record_id = a.record_id and b.version = a.version + 1"
        " where b.occurred_at < a.occurred_at",
        "select 1 from contacts c join customers u on u.id = c.customer_id where c.created_at < u.created_at",
        "select 1 from customers where source <> 'api'",
    ):
        assert await values(wrong) == [], wrong


async def test_what_is_kept_twice_agrees(planted: httpx.AsyncClient) -> None:
    """Stays with stages, assignees with owners and reasons, the ledger with versions, summed up columns with sums."""
    for wrong in (
        *(
            f"""select r.id from {table} r left join stage_stays s on s.record_id = r.id and s.left_at is null
            and s.field = '{field}' where r.{field} is distinct from s.stage
            or r.{field}_entered_at is distinct from s.entered_at"""
            for table, field in (("opportunities", "stage"), ("leads", "stage"), ("customers", "lifecycle_stage"))
        ),
        """select c.id from customers c where not exists (select from customer_assignees a
        where a.customer_id = c.id and a.user_id = c.owner_id and a.role = 'owner')""",
        *(
            f"""select r.id from {table} r where r.customer_id is not null and r.owner_id is not null and not exists (
            select from assignment_reasons a where a.record_id = r.id and a.customer_id = r.customer_id
            and a.user_id = r.owner_id)"""
            for table in ("opportunities", "(select * from activities where state = 'planned')", "leads")
        ),
        """select a.customer_id from customer_assignees a where a.role is null and not exists (
        select from assignment_reasons r where (r.customer_id, r.user_id) = (a.customer_id, a.user_id))""",
        *(
            f"""select r.id from {table} r where r.version <> (
            select count(*) from events e where e.record_id = r.id)"""
            for table in ("customers", "contacts", "opportunities", "leads", "activities", "products")
        ),
        *(
            f"""select r.id from {table} r where r.next_activity_at is distinct from (
            select min(due_at) from activities a where a.{column} = r.id and a.state = 'planned')
            or r.last_activity_at is distinct from (
            select max(done_at) from activities a where a.{column} = r.id and a.state = 'done')"""
            for table, column in (("customers", "customer_id"), ("opportunities", "opportunity_id"))
        ),
        "select operation_id from events where entity <> 'settings' group by 1 having count(distinct record_id) > 8",
    ):
        assert await values(wrong) == [], wrong


async def test_the_titles_of_women_and_men_are_theirs(planted: httpx.AsyncClient) -> None:
    called = {*await values("select distinct salutation, job_title from contacts where job_title is not null")}
    of_each = {
        (saying, job[place]) for jobs in JOBS.values() for job in jobs for place, saying in enumerate(("ms", "mr"))
    }
    assert called == of_each
    assert {("ms", "Jefa de compras"), ("mr", "Jefe de compras")} <= called


async def test_each_of_the_five_signs_in_and_sees_what_is_theirs(planted: httpx.AsyncClient) -> None:
    seen = {}
    for name in PRINTED:
        headers = await signed_in(planted, name)
        for entity in ("customers", "opportunities", "leads", "forms"):
            answer = await planted.get(f"/v1/{entity}?count=exact&limit=1", headers=headers)
            seen[name, entity] = answer.json()["total"] if answer.status_code == 200 else answer.status_code
    everybodys = {entity: seen["administrator", entity] for entity in ("customers", "opportunities", "leads", "forms")}
    assert everybodys["customers"] == 200
    assert {name: seen[name, "customers"] for name in ("marketing", "support")} == {"marketing": 200, "support": 200}
    for entity in ("customers", "opportunities", "leads"):
        assert 0 < seen["sales", entity] < seen["manager", entity] < everybodys[entity]
    assert (seen["sales", "forms"], seen["marketing", "forms"]) == (403, 1)
    headers = await signed_in(planted, "sales")
    theirs = (await planted.get("/v1/customers?limit=200&fields=owner_id", headers=headers)).json()["items"]
    owners = {each["owner_id"] for each in theirs}
    me = (await planted.get("/v1/me", headers=headers)).json()["id"]
    # Their own, and those where they help out a colleague.
    assert me in owners
    assert len(owners) == 2


async def test_it_is_planted_once_and_its_password_is_the_one_that_is_told(planted: httpx.AsyncClient) -> None:
    await planting.plant("a dozen herons at dawn")
    assert await values("select count(*) from customers") == [(200,)]
    await signed_in(planted, "support", "a dozen herons at dawn")
    await planting.plant(PASSWORD)
    await signed_in(planted, "support")


async def test_the_same_seed_tells_the_same_story_and_the_database_holds_it(planted: httpx.AsyncClient) -> None:
    now = clock.now()
    told, again, another = (Story(seed, now).steps() for seed in (planting.SEED, planting.SEED, planting.SEED + 1))
    assert [str(step) for step in told] == [str(step) for step in again]
    assert [str(step) for step in told] != [str(step) for step in another]
    for entity, name in (("customers", "name"), ("products", "sku"), ("activities", "subject")):
        written = sorted(step.act.values[name] for step in told if _creates(step, entity))
        kept = [value for (value,) in await values(f"select {name} from {entity}")]
        assert Counter(written) <= Counter(kept), entity
    # A story that begins tomorrow, or on another day of the week, says the same; only later.
    for days in (1, 3):
        later = Story(planting.SEED, now + timedelta(days=days)).steps()
        assert [_without_times(step) for step in later] == [_without_times(step) for step in told]


def test_a_password_that_was_made_is_kept_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    made = demo_password(tmp_path / "data")
    assert len(made) == 16
    (tmp_path / "data" / "demo-password").write_text(made + "\n")  # as an editor leaves it
    assert demo_password(tmp_path / "data") == made
    assert (tmp_path / "data" / "demo-password").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("CRM_DEMO_PASSWORD", PASSWORD)
    settings.cache_clear()
    assert demo_password(tmp_path / "data") == PASSWORD
    settings.cache_clear()


def _creates(step: Step, entity: str) -> bool:
    return isinstance(step.act, Create) and step.act.made.entity == entity


def _without_times(step: Step) -> str:
    return re.sub(r"datetime\.datetime\([^)]*\)|'\d{4}-\d\d-\d\d'", "", f"{step.actor} {step.act}")


def refused(**further: str) -> str:
    """What the planting says when it refuses."""
    command = [sys.executable, "-m", "app.server.demo"]
    ran = subprocess.run(command, env=os.environ | further, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    return ran.stderr
