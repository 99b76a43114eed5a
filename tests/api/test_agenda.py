"""A person's day: what is overdue, due today, and what has no next step; theirs, and whose work they do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app import clock
from tests.api.records import make
from tests.conftest import Client
from tests.policies.steps import revoke

# In Madrid it is Thursday already, in New York still Wednesday.
NOW = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


async def agenda(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/me/agenda")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def subjects(day: dict[str, Any]) -> tuple[list[str], list[str]]:
    return [each["subject"] for each in day["overdue"]], [each["subject"] for each in day["today"]]


async def plan(client: Client, subject: str, due_at: str | None, **values: Any) -> dict[str, Any]:
    return await make(client, "activities", **{"kind": "call", "subject": subject, "due_at": due_at} | values)


async def test_a_day_is_the_users_own(as_profile: Any, administrator: Client) -> None:
    ana = await as_profile("sales")
    await plan(ana, "an hour ago", "2026-03-04T22:30:00Z")
    await plan(ana, "in an hour", "2026-03-05T00:30:00Z")
    await plan(ana, "on Thursday evening", "2026-03-05T22:59:00Z")
    await plan(ana, "on Friday", "2026-03-05T23:00:00Z")
    await plan(ana, "all Wednesday", "2026-03-04T12:00:00Z", all_day=True)
    await plan(ana, "all Thursday", "2026-03-05T12:00:00Z", all_day=True)
    await plan(ana, "all Friday", "2026-03-06T12:00:00Z", all_day=True)
    await plan(ana, "some day", None)
    await plan(ana, "done", "2026-03-05T00:30:00Z", state="done", outcome="reached")
    off = await plan(ana, "cancelled", "2026-03-05T00:30:00Z")
    await ana.patch(f"/v1/activities/{off['id']}", json={"state": "cancelled"})
    await plan(administrator, "not hers", "2026-03-05T00:30:00Z")
    day = await agenda(ana)
    assert day["day"] == "2026-03-05"
    assert subjects(day) == (
        ["all Wednesday", "an hour ago"], ["all Thursday", "in an hour", "on Thursday evening"],
    )  # fmt: skip
    assert day["totals"] == {"overdue": 2, "today": 3, "customers": 0, "opportunities": 0, "access_requests": 0}
    assert (await ana.patch("/v1/me", json={"time_zone": "America/New_York"})).status_code == 200
    day = await agenda(ana)
    assert day["day"] == "2026-03-04"
    assert subjects(day) == (["an hour ago"], ["all Wednesday", "in an hour"])


async def test_an_agenda_names_what_the_caller_may_see_and_nothing_else(as_profile: Any, administrator: Client) -> None:
    ana, support = await as_profile("sales"), await as_profile("support")
    acme = await make(administrator, "customers", name="Acme")
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    lead = await make(administrator, "leads", last_name="Ruiz")
    due = "2026-03-05T00:30:00Z"
    for owner in (ana, support):
        await plan(administrator, "deal", due, opportunity_id=deal["id"], owner_id=str(owner.user_id))
        await plan(administrator, "lead", due, lead_id=lead["id"], owner_id=str(owner.user_id))
    names = ("customer_name", "opportunity_name", "lead_name")
    seen = {
        each: [tuple(item[name] for name in names) for item in (await agenda(each))["today"]] for each in (ana, support)
    }
    assert seen[ana] == [("Acme", "Deal", None), (None, None, None)]
    assert seen[support] == [("Acme", None, None), (None, None, None)], "nothing of opportunities"
    (first, second) = (await agenda(ana))["today"]
    assert (first["customer_id"], first["opportunity_id"], second["lead_id"]) == (acme["id"], deal["id"], lead["id"])
    await revoke("sales", "customers", "read", "open")
    day = await agenda(ana)
    assert (day["today"], day["without_next_step"]["customers"]) == ([], [])
    await revoke("sales", "activities", "read", "open")
    assert (await ana.get("/v1/me/agenda")).status_code == 403


async def test_whoever_stands_in_has_both_agendas(as_profile: Any, administrator: Client) -> None:
    ana, ben, manager = await as_profile("sales"), await as_profile("sales"), await as_profile("manager")
    acme = await make(ana, "customers", name="Acme")
    await plan(ana, "hers", "2026-03-05T00:30:00Z", customer_id=acme["id"])
    await make(ana, "customers", name="Idle")
    assert subjects(await agenda(ben)) == ([], [])
    days = {"from_on": "2026-03-05", "until_on": "2026-03-05", "substitute_id": str(ben.user_id)}
    changes = {"absence": days, "manager_id": str(manager.user_id)}
    assert (await administrator.patch(f"/v1/users/{ana.user_id}", json=changes)).status_code == 200
    day = await agenda(ben)
    assert subjects(day) == ([], ["hers"])
    assert [each["owner_id"] for each in day["without_next_step"]["customers"]] == [str(ana.user_id)]
    assert subjects(await agenda(manager)) == ([], []), "a team's work is not its manager's"


async def test_what_has_no_next_step_waits_longest_first(as_profile: Any, administrator: Client) -> None:
    ana = await as_profile("sales")
    never, lately, planned = [await make(ana, "customers", name=name) for name in ("Never", "Lately", "Planned")]
    await make(administrator, "customers", name="Not hers")
    deal = await make(ana, "opportunities", name="Deal", customer_id=planned["id"])
    lost = await make(ana, "opportunities", name="Lost", customer_id=planned["id"])
    await ana.post(f"/v1/opportunities/{lost['id']}/stage", json={"stage": "lost", "lost_reason": "price"})
    await plan(ana, "done", None, customer_id=lately["id"], state="done", outcome="reached")
    await plan(ana, "to do", "2026-04-01T10:00:00Z", customer_id=planned["id"])
    waiting = (await agenda(ana))["without_next_step"]
    assert [(each["name"], each["last_activity_at"]) for each in waiting["customers"]] == [
        ("Never", None),
        ("Lately", "2026-03-04T23:30:00.000000Z"),
    ]
    assert [(each["name"], each["stage"]) for each in waiting["opportunities"]] == [("Deal", "reception")]
    step = await plan(ana, "to do", "2026-04-01T10:00:00Z", opportunity_id=deal["id"])
    await plan(ana, "to do", "2026-04-01T10:00:00Z", customer_id=never["id"])
    day = await agenda(ana)
    assert [each["name"] for each in day["without_next_step"]["customers"]] == ["Lately"]
    assert (day["without_next_step"]["opportunities"], day["totals"]["opportunities"]) == ([], 0)
    await ana.post(f"/v1/activities/{step['id']}/done", json={"outcome": "reached"})
    totals = {"overdue": 0, "today": 0, "customers": 1, "opportunities": 1, "access_requests": 0}
    assert (await agenda(ana))["totals"] == totals
