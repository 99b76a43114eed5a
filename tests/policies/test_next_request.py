"""What changes in who may do what holds on the next request, in this process and in every other."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app import clock
from app.db import session
from app.policies import callers
from tests.conftest import Client, People
from tests.contracts.worlds import execute, fetch
from tests.policies.steps import change, create, grant, revoke, status

AsProfile = Callable[..., Awaitable[Client]]


async def session_of(client: Client) -> UUID:
    return UUID(str((await fetch("select id from sessions where user_id = $1", client.user_id))[0][0]))


def absent_now(substitute: Client) -> dict[str, str]:
    now = clock.now()
    days = {"from_on": f"{now - timedelta(days=2):%Y-%m-%d}", "until_on": f"{now + timedelta(days=2):%Y-%m-%d}"}
    return days | {"substitute_id": str(substitute.user_id)}


async def test_a_policy_that_another_process_takes_away_is_gone_on_the_next_request(as_profile: AsProfile) -> None:
    ana = await as_profile("sales")
    customer = await create(ana, "customers")
    assert "credit_limit" in (await ana.get(f"/v1/customers/{customer['id']}")).json()
    await revoke("sales", "customers", "read", "billing")
    assert "credit_limit" not in (await ana.get(f"/v1/customers/{customer['id']}")).json()
    await revoke("sales", "customers", "update", "open")
    assert (await change(ana, "customers", customer, description="x")).status_code == 403
    await revoke("sales", "customers", "read", "open")
    assert await status(ana, "customers", customer) == 404
    assert (await ana.get("/v1/customers")).status_code == 403


async def test_a_policy_that_another_process_gives_holds_on_the_next_request(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    assert await status(ben, "customers", customer) == 404
    await grant("sales", "customers", "read", "open", "all")
    assert await status(ben, "customers", customer) == 200


async def test_a_refusal_is_only_given_by_an_access_that_still_holds(as_profile: AsProfile) -> None:
    """What was refused before any statement ran is looked at again, with the access of now."""
    support = await as_profile("support")
    assert (await support.get("/v1/opportunities")).status_code == 403
    await grant("support", "opportunities", "read", "open", "all")
    assert (await support.get("/v1/opportunities")).status_code == 200


async def test_a_new_manager_reaches_the_team_at_once_and_the_old_one_no_more(
    administrator: Client, as_profile: AsProfile
) -> None:
    old, new = await as_profile("manager"), await as_profile("manager")
    ana = await as_profile("sales", manager=old.user_id)
    customer = await create(ana, "customers")
    assert [await status(each, "customers", customer) for each in (old, new)] == [200, 404]
    moved = await change(administrator, "users", {"id": ana.user_id}, manager_id=new.user_id)
    assert moved.status_code == 200, moved.text
    assert [await status(each, "customers", customer) for each in (old, new)] == [404, 200]


async def test_another_profile_ends_the_session_and_holds_in_the_next(
    administrator: Client, people: People, as_profile: AsProfile
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    assert await status(ben, "customers", customer) == 404
    await change(administrator, "users", {"id": ben.user_id}, profile_id="marketing")
    assert (await ben.get("/v1/customers")).status_code == 401
    ben = await people.client(ben.user_id)
    assert await status(ben, "customers", customer) == 200
    assert "credit_limit" not in (await ben.get(f"/v1/customers/{customer['id']}")).json()


async def test_whoever_is_deactivated_is_signed_out_on_the_next_request(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana = await as_profile("sales")
    assert (await ana.get("/v1/customers")).status_code == 200
    assert (await change(administrator, "users", {"id": ana.user_id}, active=False)).status_code == 200
    assert (await ana.get("/v1/customers")).status_code == 401
    assert (await ana.post("/v1/customers", json={"name": "New"})).status_code == 401


async def test_whoever_another_process_deactivates_is_refused_though_the_session_goes_on(as_profile: AsProfile) -> None:
    ana = await as_profile("sales")
    assert (await ana.get("/v1/customers")).status_code == 200
    await execute(
        "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access')"
        " update users set active = false where id = $1",
        ana.user_id,
    )
    assert (await ana.get("/v1/customers")).status_code == 401
    assert (await ana.post("/v1/customers", json={"name": "New"})).status_code == 401


async def test_a_session_that_has_ended_is_401_on_the_next_request(as_profile: AsProfile) -> None:
    ana = await as_profile("sales")
    assert (await ana.get("/v1/customers")).status_code == 200
    await execute("update sessions set ended_at = now() where user_id = $1", ana.user_id)
    for answer in (
        await ana.get("/v1/customers"),
        await ana.get("/v1/me"),
        await ana.get("/v1/users", params={"username": "x"}),
        await ana.post("/v1/customers", json={"name": "New"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")


async def test_what_others_have_is_not_told_to_who_may_not_ask_any_more(
    administrator: Client, as_profile: AsProfile
) -> None:
    """Nor by whether a value that must be unique is taken."""
    boss, second = await as_profile("administrator"), await as_profile("administrator")
    taken = await create(administrator, "products", sku="V-1")
    own = await create(administrator, "products", sku="V-2")
    await administrator.post("/v1/profiles", json={"id": "none", "labels": dict.fromkeys(("es", "it", "en"), "None")})
    for each in (boss, second):
        assert (await each.get("/v1/products")).status_code == 200
    await execute("update sessions set ended_at = now() where user_id = $1", boss.user_id)
    await execute(
        "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access')"
        " update users set profile_id = 'none' where id = $1",
        second.user_id,
    )
    for sku in (taken["sku"], "V-3"):
        for method, path in (("POST", "/v1/products"), ("PATCH", f"/v1/products/{own['id']}")):
            for headers in ({}, {"X-Dry-Run": "true"}):
                body = {"name": "Valve", "sku": sku}
                ended = await boss.request(method, path, json=body, headers=headers)
                assert (ended.status_code, ended.json()["code"]) == (401, "session_ended"), (method, sku)
                refused = await second.request(method, path, json=body, headers=headers)
                assert refused.status_code == (403 if method == "POST" else 404), (method, sku, refused.text)


async def test_a_substitute_reaches_what_the_absent_one_does_on_those_days_and_not_after(
    administrator: Client, people: People, as_profile: AsProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    absence = {"from_on": "2027-03-10", "until_on": "2027-03-11", "substitute_id": str(ben.user_id)}
    answer = await administrator.patch(f"/v1/users/{ana.user_id}", json={"absence": absence})
    assert answer.status_code == 200, answer.text
    reached = []
    # In Madrid, where the company's days begin and end, it is an hour later than in UTC.
    for instant in ("2027-03-09T22:59", "2027-03-09T23:01", "2027-03-11T22:59", "2027-03-11T23:01"):
        monkeypatch.setattr(clock, "now", lambda at=instant: datetime.fromisoformat(at).replace(tzinfo=UTC))
        signed_in = await people.client(ben.user_id)
        reached.append(await status(signed_in, "customers", customer))
        if reached[-1] == 200:
            assert (await change(signed_in, "customers", customer, description=instant)).status_code == 200
    assert reached == [404, 200, 200, 404]


async def test_what_is_in_memory_ends_at_the_organisations_midnight(
    administrator: Client, as_profile: AsProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    answer = await administrator.patch(f"/v1/users/{ana.user_id}", json={"absence": absent_now(ben)})
    assert answer.status_code == 200, answer.text
    assert await status(ben, "customers", customer) == 200
    session_id = await session_of(ben)
    access = callers.known(ben.user_id, session_id)
    assert access is not None
    assert access.until is not None
    assert ana.user_id in access.own
    monkeypatch.setattr(clock, "now", lambda: access.until)
    assert callers.known(ben.user_id, session_id) is None


async def test_a_manager_who_stands_in_reaches_the_absent_ones_team(
    administrator: Client, as_profile: AsProfile
) -> None:
    absent, standing = await as_profile("manager"), await as_profile("manager")
    ana = await as_profile("sales", manager=absent.user_id)
    customer = await create(ana, "customers")
    assert await status(standing, "customers", customer) == 404
    answer = await administrator.patch(f"/v1/users/{absent.user_id}", json={"absence": absent_now(standing)})
    assert answer.status_code == 200, answer.text
    assert await status(standing, "customers", customer) == 200


class Held:
    """A connection that waits, once it has read the policies, until it may read who the caller is."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.has_policies, self.go_on = asyncio.Event(), asyncio.Event()

    async def fetchrow(self, query: str, *values: Any) -> Any:
        if "from users u where" in query:
            self.has_policies.set()
            await self.go_on.wait()
        return await self.connection.fetchrow(query, *values)


async def test_what_was_read_before_a_change_is_never_taken_for_what_holds_after_it(as_profile: AsProfile) -> None:
    """Two requests meet a caller; one read the policies before they changed, the other after, and is overtaken."""
    ana = await as_profile("sales")
    session_id = await session_of(ana)
    pool = await session.reading_pool()
    async with pool.acquire() as one, pool.acquire() as other:
        before, after = Held(one), Held(other)
        earlier = asyncio.create_task(callers.meet(before, ana.user_id, session_id))
        await before.has_policies.wait()
        await revoke("sales", "customers", "read", "open")
        later = asyncio.create_task(callers.meet(after, ana.user_id, session_id))
        await after.has_policies.wait()
        before.go_on.set()
        stale = await earlier
        after.go_on.set()
        fresh = await later
    assert stale.may("customers", "read")
    assert not fresh.may("customers", "read")
    assert stale.version != fresh.version
