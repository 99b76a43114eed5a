"""Writes that are one statement of their own: they are what a transaction would have written, or they are nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from app.db import session, writing
from app.db.writing import Written
from tests.api.records import make, opportunity
from tests.conftest import Client
from tests.contracts.worlds import execute, fetch

Meanwhile = Callable[[], Awaitable[object]]
# What is each record's own: ids, numbers and times.
OWN = {"id", "record_id", "customer_id", "number", "xid", "operation_id", "left_at"}
OWN |= {"occurred_at", "recorded_at", "created_at", "updated_at", "opened_at"}
OWN |= {"entered_at", "stage_entered_at", "lifecycle_stage_entered_at"}
NOTICED = "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access') "


@pytest.fixture
async def administrator(administrator: Client) -> Client:
    """Whom the process has met: whom it has not, it meets in a transaction."""
    assert (await administrator.get("/v1/me")).status_code == 200
    return administrator


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each of the writes that were to be one statement was written."""
    whole, done = writing.write, list[bool]()

    async def noted(*arguments: Any) -> Written | None:
        said = await whole(*arguments)
        done.append(said is not None)
        return said

    monkeypatch.setattr(writing, "write", noted)
    return done


@pytest.fixture
def meanwhile(written: list[bool], monkeypatch: pytest.MonkeyPatch) -> Callable[[Meanwhile], None]:
    """`meanwhile(change)` makes something happen between the look at a record and its writing, the next time."""
    whole = writing.write

    def arrange(change: Meanwhile) -> None:
        async def interrupted(*arguments: Any) -> Written | None:
            monkeypatch.setattr(writing, "write", whole)
            await change()
            return await whole(*arguments)

        monkeypatch.setattr(writing, "write", interrupted)

    return arrange


async def move(client: Client, id: str, stage: str = "qualification", **headers: str) -> Any:
    return await client.post(f"/v1/opportunities/{id}/stage", json={"stage": stage}, headers=headers)


async def told(id: str) -> dict[str, list[Any]]:
    """The record and all that goes with it, but for what is its own."""
    found = {}
    for table, of in (
        ("events", "record_id"),
        ("stage_stays", "record_id"),
        ("match_keys", "record_id"),
        ("assignment_reasons", "record_id"),
        ("customer_assignees", "customer_id"),
        ("customers", "id"),
        ("opportunities", "id"),
        ("leads", "id"),
        ("products", "id"),
    ):
        rows = await fetch(f"select to_jsonb(t) - $2::text[] as row from {table} t where {of} = $1 order by 1", id, OWN)
        found[table] = [orjson.loads(row["row"]) for row in rows]
    for event in found["events"]:
        for name in event["changes"].keys() & OWN:
            event["changes"][name] = None
    return found


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "customers",
            {
                "name": "Acme",
                "website": "acme.example",
                "sector": "retail",
                "lifecycle_stage": "potential",
                "annual_revenue": "10.5",
                "tags": ["a"],
                "phones": [{"number": "+34912345678"}],
                "emails": [{"address": "a@acme.example"}],
                "important_dates": [],
            },
        ),
        ("leads", {"last_name": "Ruiz", "emails": [{"address": "eva@acero.es"}]}),
        ("opportunities", {"name": "Valves", "amount": "9", "currency": "EUR", "expected_close_on": "2027-01-31"}),
        ("products", {"name": "Valve", "price": "3.50"}),
    ],
)
async def test_both_ways_make_the_same(
    administrator: Client, written: list[bool], kind: str, body: dict[str, Any]
) -> None:
    alone = await administrator.post(f"/v1/{kind}", json=body)
    assert written == [True]
    whole = await administrator.post(f"/v1/{kind}", json=body, headers={"Idempotency-Key": "whole"})
    assert written == [True]
    assert whole.status_code == 201
    one, other = ({name: value for name, value in each.json().items() if name not in OWN} for each in (alone, whole))
    assert one == other
    assert alone.headers["location"] == f"/v1/{kind}/{alone.json()['id']}"
    assert alone.headers["etag"] == whole.headers["etag"]
    assert await told(alone.json()["id"]) == await told(whole.json()["id"])
    assert (await administrator.get(alone.headers["location"])).json() == alone.json()


async def test_both_ways_move_the_same(administrator: Client, written: list[bool]) -> None:
    one, other = await opportunity(administrator), await opportunity(administrator)
    written.clear()
    assert (await move(administrator, one)).status_code == 200
    assert (await move(administrator, other, **{"Idempotency-Key": "whole"})).status_code == 200
    assert written == [True]
    assert await told(one) == await told(other)


async def test_a_customers_number_is_told_and_the_next_is_the_next(administrator: Client) -> None:
    first, second = [await make(administrator, "customers", name="Acme") for _ in range(2)]
    assert int(second["number"].removeprefix("C-")) == int(first["number"].removeprefix("C-")) + 1
    assert first["assignees"] == [{"user_id": str(administrator.user_id), "role": "owner"}]
    [[number]] = await fetch("select changes -> 'number' ->> 1 from events where record_id = $1", first["id"])
    assert number == first["number"]
    await execute("select setval('customer_number', 999999)")
    assert (await make(administrator, "customers", name="Acme"))["number"] == "C-1000000"


async def test_a_customer_of_nobody_is_made_at_once_too(administrator: Client, written: list[bool]) -> None:
    made = await make(administrator, "customers", name="Acme", owner_id=None)
    assert written == [True]
    assert (made["assigned"], made["assignees"], made["owner_id"]) == (False, [], None)


async def test_what_names_another_record_is_written_in_a_transaction(
    administrator: Client, written: list[bool]
) -> None:
    customer = await make(administrator, "customers", name="Acme")
    written.clear()
    made = await make(administrator, "opportunities", name="Valves", customer_id=customer["id"])
    product = await make(administrator, "products", name="Valve", price="2", currency="EUR")
    lines = await make(administrator, "opportunities", name="Valves", lines=[{"product_id": product["id"]}])
    assert (made["customer_id"], lines["lines"][0]["unit_price"]) == (customer["id"], "2.00")
    assert written == [True], "the product"


async def test_nothing_is_written_once_the_session_has_ended(
    administrator: Client, meanwhile: Callable[[Meanwhile], None], written: list[bool]
) -> None:
    id = await opportunity(administrator)
    events = await fetch("select count(*) from events")
    written.clear()
    ended = "update sessions set ended_at = now() where user_id = $1"
    meanwhile(lambda: execute(ended, administrator.user_id))
    refused = await move(administrator, id)
    assert (refused.status_code, refused.json()["code"], written) == (401, "session_ended", [False])
    await execute("update sessions set ended_at = null where user_id = $1", administrator.user_id)
    meanwhile(lambda: execute(ended, administrator.user_id))
    refused = await administrator.post("/v1/customers", json={"name": "Acme"})
    assert (refused.status_code, refused.json()["code"], written) == (401, "session_ended", [False, False])
    assert await fetch("select count(*) from events") == events
    assert await fetch("select from customers") == []
    assert await fetch("select version, stage from opportunities") == [(1, "reception")]
    assert len(await fetch("select from stage_stays")) == 1


async def test_nothing_is_written_by_a_right_that_was_taken_away_meanwhile(
    administrator: Client, meanwhile: Callable[[Meanwhile], None], written: list[bool]
) -> None:
    id = await opportunity(administrator)
    written.clear()
    taken = NOTICED + "update users set profile_id = 'marketing' where id = $1"
    meanwhile(lambda: execute(taken, administrator.user_id))
    refused = await move(administrator, id)
    assert (refused.status_code, refused.json()["code"], written) == (403, "forbidden", [False])
    assert await fetch("select version, stage from opportunities") == [(1, "reception")]


async def test_a_refusal_is_thought_over_when_the_right_was_given_meanwhile(
    administrator: Client, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    marketer = await as_profile("marketing")
    id = await opportunity(administrator)
    assert (await move(marketer, id)).status_code == 403
    await execute(NOTICED + "update users set profile_id = 'administrator' where id = $1", marketer.user_id)
    assert (await move(marketer, id)).status_code == 200


async def test_what_still_may_be_is_written_once(
    administrator: Client, meanwhile: Callable[[Meanwhile], None], written: list[bool]
) -> None:
    id = await opportunity(administrator)
    written.clear()
    meanwhile(lambda: execute(NOTICED + "select 1"))
    moved = await move(administrator, id)
    assert (moved.status_code, moved.headers["etag"], written) == (200, '"2"', [False, True])
    assert len(await fetch("select from events where type = 'opportunity.stage_changed'")) == 1


async def test_a_record_that_changed_meanwhile_is_moved_as_it_is_now(
    administrator: Client, meanwhile: Callable[[Meanwhile], None], written: list[bool]
) -> None:
    id = await opportunity(administrator)
    written.clear()
    meanwhile(lambda: administrator.patch(f"/v1/opportunities/{id}", json={"name": "Valves and pumps"}))
    moved = (await move(administrator, id)).json()
    assert (moved["version"], moved["name"], moved["stage"]) == (3, "Valves and pumps", "qualification")
    assert written == [False]
    meanwhile(lambda: administrator.delete(f"/v1/opportunities/{id}"))
    refused = await move(administrator, id, "proposal")
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")


async def test_who_holds_a_record_is_waited_for(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await opportunity(administrator)
    whole, tried, said = writing.write, asyncio.Event(), list[Written | None]()

    async def noted(*arguments: Any) -> Written | None:
        said.append(await whole(*arguments))
        tried.set()
        return said[-1]

    monkeypatch.setattr(writing, "write", noted)
    async with session.transaction("system") as other:
        await other.execute(text("update opportunities set description = 'x' where id = :id"), {"id": id})
        moving = asyncio.create_task(move(administrator, id))
        await tried.wait()
    assert (await moving).status_code == 200
    assert said == [None]
    assert await fetch("select description, stage, version from opportunities") == [("x", "qualification", 2)]


async def test_a_taken_value_is_refused_as_always(administrator: Client, written: list[bool]) -> None:
    await make(administrator, "customers", name="Acme", tax_id="A1")
    refused = await administrator.post("/v1/customers", json={"name": "Other", "tax_id": "A1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")
    assert refused.json()["errors"][0]["pointer"] == "/tax_id"
    assert written == [True]
    assert len(await fetch("select from events")) == 1
