"""What is nobody's: who sees the queue, who takes from it, and who comes too late."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.db import session
from app.domain import claiming
from app.domain.entities.customers import CUSTOMERS
from app.policies.callers import access_of
from tests.conftest import Client
from tests.contracts.worlds import fetch, fingerprint
from tests.policies.steps import create, grant, status

AsProfile = Callable[..., Awaitable[Client]]

NEEDED = {
    "customers": {"name": "Acero"},
    "leads": {"company_name": "Acero"},
    "opportunities": {"name": "Ten"},
    "activities": {"kind": "call", "subject": "Call"},
}


async def of_nobody(administrator: Client, kind: str, **values: Any) -> dict[str, Any]:
    answer = await administrator.post(f"/v1/{kind}", json=NEEDED[kind] | {"owner_id": None} | values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_whoever_claims_what_is_nobodys_owns_it_and_may_open_its_customer(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, other = await as_profile("manager"), await as_profile("manager")
    for kind in NEEDED:
        record = await of_nobody(administrator, kind)
        queue = await manager.get(f"/v1/{kind}", params={"owner_id__is_null": "true"})
        assert [each["id"] for each in queue.json()["items"]] == [record["id"]]
        claimed = await manager.post(f"/v1/{kind}/{record['id']}/claim")
        assert (claimed.status_code, claimed.json()["owner_id"]) == (200, str(manager.user_id)), claimed.text
        assert claimed.headers["etag"] == '"2"'
        assert await status(other, kind, record) == 404
        again = await manager.post(f"/v1/{kind}/{record['id']}/claim")
        assert (again.status_code, again.json()["code"]) == (409, "taken")
    customer = await of_nobody(administrator, "customers")
    below = await of_nobody(administrator, "opportunities", customer_id=customer["id"])
    assert (await other.post(f"/v1/opportunities/{below['id']}/claim")).status_code == 200
    assert await status(other, "customers", customer) == 200
    told = (await other.get(f"/v1/customers/{customer['id']}/timeline")).json()["items"][0]
    assert (told["type"], told["changes"]["owner_id"]) == ("opportunity.claimed", [None, str(other.user_id)])


async def test_only_those_claim_who_see_the_queue_and_may_assign_or_change_what_is_in_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, sales, marketing, support = [
        await as_profile(each) for each in ("manager", "sales", "marketing", "support")
    ]
    customer, lead = await of_nobody(administrator, "customers"), await of_nobody(administrator, "leads")
    opportunity = await of_nobody(administrator, "opportunities")
    mine = await create(sales, "customers")
    below = await of_nobody(administrator, "opportunities", customer_id=mine["id"])
    archived = await of_nobody(administrator, "customers")
    assert (await administrator.delete(f"/v1/customers/{archived['id']}")).status_code == 204
    before = await fingerprint()
    for who, kind, record, expected in (
        (sales, "customers", customer, 404),
        (sales, "leads", lead, 404),
        (sales, "opportunities", below, 403),  # seen through the customer, a colleague's queue
        (marketing, "customers", customer, 403),
        (marketing, "opportunities", opportunity, 403),
        (support, "leads", lead, 404),
        (manager, "customers", archived, 409),
    ):
        answer = await who.post(f"/v1/{kind}/{record['id']}/claim")
        assert answer.status_code == expected, (kind, expected, answer.text)
    assert await fingerprint() == before
    assert (await marketing.post(f"/v1/leads/{lead['id']}/claim")).status_code == 200
    assert (await support.post(f"/v1/customers/{customer['id']}/claim")).status_code == 200


async def test_of_fifty_who_claim_at_once_one_wins_and_the_others_are_told(
    administrator: Client, as_profile: AsProfile
) -> None:
    clients = [administrator, *[await as_profile("administrator") for _ in range(4)]]
    customer = await of_nobody(administrator, "customers")
    path = f"/v1/customers/{customer['id']}/claim"
    answers = await asyncio.gather(*(client.post(path) for client in clients * 10))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"taken"}
    winner = next(answer.json()["owner_id"] for answer in answers if answer.status_code == 200)
    pairs = await fetch("select user_id::text, role from customer_assignees")
    assert [tuple(pair) for pair in pairs] == [(winner, "owner")]


async def test_who_waited_for_another_of_the_department_is_told_that_it_is_taken(
    administrator: Client, as_profile: AsProfile
) -> None:
    """Out of their reach now, and a moment ago before their eyes."""
    one, other = await as_profile("manager"), await as_profile("manager")
    customer = await of_nobody(administrator, "customers")
    async with session.transaction() as opened:
        access = await access_of(opened, one.user_id)
        await claiming.claim(opened, access, CUSTOMERS, customer["id"])
        waiting = asyncio.create_task(other.post(f"/v1/customers/{customer['id']}/claim"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (409, "taken")
    assert (await other.post(f"/v1/customers/{customer['id']}/claim")).status_code == 404


async def test_a_queue_is_a_departments_own_only_with_the_right_to_assign(
    administrator: Client, as_profile: AsProfile
) -> None:
    sales = await as_profile("sales")
    lead = await of_nobody(administrator, "leads")
    assert await status(sales, "leads", lead) == 404
    await grant("sales", "leads", "assign", "open", "team")
    await grant("sales", "leads", "read", "open", "team")
    await grant("sales", "customers", "read", "open", "team")
    assert await status(sales, "leads", lead) == 200
    assert (await sales.post(f"/v1/leads/{lead['id']}/claim")).status_code == 200
