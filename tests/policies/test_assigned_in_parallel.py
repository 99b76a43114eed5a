"""Two who change a customer's assignees at once: does `assigned` say in the end what the assignees do?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from app.db import session
from app.db.models import RECORDS
from app.domain import records
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityCreate
from app.policies.callers import access_of
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.policies.steps import create

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
