"""Two who change a customer's assignees at once: does `assigned` say in the end what the assignees do?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from app import clock
from app.db import session
from app.db.models import RECORDS
from app.domain import activities, records
from app.domain.entities.activities import ACTIVITIES, ActivityCreate, ActivityUpdate
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityCreate
from app.policies.callers import access_of
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.policies.steps import change, create

AsProfile = Callable[..., Awaitable[Client]]


async def assigned(customer: dict[str, Any]) -> tuple[bool, int]:
    """What the customer says, and how many assignees there are."""
    rows = await fetch(
        "select assigned, (select count(*) from customer_assignees a where a.customer_id = c.id) "
        "from customers c where id = $1",
        UUID(customer["id"]),
    )
    return rows[0][0], rows[0][1]


async def test_an_opportunity_begun_while_the_owner_leaves_keeps_the_customer_somebodys(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana, ben = await as_profile("manager"), await as_profile("administrator")
    customer = await create(ana, "customers")
    async with session.transaction() as opened:
        access = await access_of(opened, ben.user_id)
        data = OpportunityCreate(name="Ten of them", customer_id=customer["id"])
        await records.create(opened, access, OPPORTUNITIES, data)
        await session.settle(opened)
        leaving = asyncio.create_task(administrator.patch(f"/v1/customers/{customer['id']}", json={"owner_id": None}))
        await asyncio.sleep(0.3)
        assert not leaving.done()
    answer = await leaving
    assert answer.status_code == 200, answer.text
    assert await assigned(customer) == (True, 1)


async def test_the_last_reason_ended_while_the_owner_leaves_makes_the_customer_nobodys(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana = await as_profile("sales")
    customer = await create(ana, "customers")
    opportunity = await create(administrator, "opportunities", customer_id=customer["id"])
    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        record = await access.row(opened, RECORDS["opportunities"], UUID(opportunity["id"]), "delete")
        await records.archive(opened, access, OPPORTUNITIES, record)
        await session.settle(opened)
        leaving = asyncio.create_task(administrator.patch(f"/v1/customers/{customer['id']}", json={"owner_id": None}))
        await asyncio.sleep(0.3)
        assert not leaving.done()
    answer = await leaving
    assert answer.status_code == 200, answer.text
    assert await assigned(customer) == (False, 0)


async def test_what_is_begun_while_its_customer_is_archived_is_archived_with_it(administrator: Client) -> None:
    customer = await create(administrator, "customers")
    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        data = OpportunityCreate(name="Ten of them", customer_id=customer["id"])
        await records.create(opened, access, OPPORTUNITIES, data)
        archiving = asyncio.create_task(administrator.delete(f"/v1/customers/{customer['id']}"))
        await asyncio.sleep(0.3)
        assert not archiving.done()
    assert (await archiving).status_code == 204
    rows = await fetch("select archived_at is not null from opportunities")
    assert [row[0] for row in rows] == [True]


async def test_who_plans_a_call_and_who_gives_the_customer_away_do_not_wait_for_each_other(
    administrator: Client, as_profile: AsProfile
) -> None:
    ben = await as_profile("administrator")
    customer = await create(administrator, "customers")
    async with session.transaction() as opened:
        access = await access_of(opened, ben.user_id)
        data = ActivityCreate(kind="call", subject="Ask again", due_at=clock.now(), customer_id=customer["id"])
        await activities.create(opened, access, ACTIVITIES, data)
        answer = await asyncio.wait_for(change(administrator, "customers", customer, owner_id=ben.user_id), 5)
        assert answer.status_code == 200, answer.text
    assert await assigned(customer) == (True, 1)


async def test_who_gives_a_call_away_and_who_gives_what_it_is_about_away_wait_in_one_order(
    administrator: Client, as_profile: AsProfile
) -> None:
    ben = await as_profile("administrator")
    customer = await create(administrator, "customers")
    opportunity = await create(administrator, "opportunities", customer_id=customer["id"])
    call = await create(administrator, "activities", kind="call", subject="Ask", opportunity_id=opportunity["id"])
    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        record = await access.row(opened, RECORDS["activities"], UUID(call["id"]), "update")
        await activities.change(opened, access, ACTIVITIES, record, ActivityUpdate(owner_id=ben.user_id))
        giving = asyncio.create_task(change(administrator, "opportunities", opportunity, owner_id=ben.user_id))
        await asyncio.sleep(0.3)
        assert not giving.done()
    answer = await giving
    assert answer.status_code == 200, answer.text
    assert await assigned(customer) == (True, 2)


async def test_of_many_who_work_on_one_customer_at_once_nobody_is_sent_away(
    administrator: Client, as_profile: AsProfile
) -> None:
    users = [(await as_profile(name)).user_id for name in ("manager", "sales", "sales", "administrator")]
    customer = await create(administrator, "customers")
    id = customer["id"]
    opportunities = [await create(administrator, "opportunities", customer_id=id) for _ in range(4)]
    calls = [
        await create(administrator, "activities", kind="call", subject="Ask", opportunity_id=each["id"])
        for each in opportunities
    ]
    new = {"customer_id": id}
    call_for = {"kind": "call", "subject": "Ask"} | new
    doing = [
        each
        for at, (opportunity, call) in enumerate(zip(opportunities * 2, calls * 2, strict=True))
        for each in (
            change(administrator, "customers", customer, owner_id=users[at % 4]),
            change(administrator, "opportunities", opportunity, owner_id=users[(at + 1) % 4]),
            change(administrator, "activities", call, owner_id=users[(at + 2) % 4]),
            administrator.post("/v1/opportunities", json={"name": "Ten", **new, "owner_id": str(users[at % 4])}),
            administrator.post("/v1/activities", json={**call_for, "owner_id": str(users[(at + 3) % 4])}),
        )
    ]
    answers = await asyncio.gather(*doing)
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    rows = await fetch(
        "select array(select user_id from customer_assignees where customer_id = $1 order by 1) as said,"
        " array(select owner_id from customers where id = $1 union select owner_id from opportunities where"
        " customer_id = $1 union select owner_id from activities where customer_id = $1 order by 1) as due",
        UUID(id),
    )
    assert rows[0]["said"] == rows[0]["due"]
