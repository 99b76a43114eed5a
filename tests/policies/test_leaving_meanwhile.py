"""Who leaves, who gives them work and who changes it, all at once: one waits, and sees what the other did."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx

from app import clock
from app.db import session
from app.db.models import RECORDS
from app.domain import activities, handing_over, records, users
from app.domain.entities.activities import ACTIVITIES, ActivityUpdate
from app.domain.entities.customers import CUSTOMERS, CustomerCreate
from app.domain.entities.handing_over import HandOver
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityUpdate
from app.domain.entities.users import USERS, UserUpdate
from app.policies.access import Access
from app.policies.callers import access_of
from tests.api.records import make
from tests.conftest import Client, People
from tests.contracts.worlds import fetch

Work = Callable[[session.AsyncSession, Access], Awaitable[object]]


async def meanwhile(by: Client, work: Work, method: str, path: str, **said: object) -> tuple[bool, int, str]:
    """Ask for something while work is done and not committed yet. Whether that waited; what it was answered."""
    async with session.transaction() as opened:
        await work(opened, await access_of(opened, by.user_id))
        await session.settle(opened)
        asked = asyncio.create_task(by.request(method, path, **said))
        await asyncio.sleep(0.3)
        waited = not asked.done()
    answer = await asked
    return waited, answer.status_code, answer.json().get("code", "")


def leaving(user_id: UUID, **changes: object) -> Work:
    async def leave(opened: session.AsyncSession, access: Access) -> None:
        user = await access.row(opened, RECORDS["users"], user_id, "update")
        await users.change(opened, access, USERS, user, UserUpdate.model_validate(changes))

    return leave


async def test_nobody_leaves_while_they_are_given_something(administrator: Client, people: People) -> None:
    ana, ben = await people.user("sales"), await people.user("sales")

    async def named(opened: session.AsyncSession, access: Access) -> None:
        await records.create(opened, access, CUSTOMERS, CustomerCreate(name="Acero", owner_id=ana))

    gone = {"json": {"active": False}}
    assert await meanwhile(administrator, named, "PATCH", f"/v1/users/{ana}", **gone) == (True, 409, "owns_work")

    async def handed(opened: session.AsyncSession, access: Access) -> None:
        await handing_over.hand_over(opened, access, ana, HandOver(to=[ben]))

    assert await meanwhile(administrator, handed, "PATCH", f"/v1/users/{ben}", **gone) == (True, 409, "owns_work")
    # To be rid of somebody at once is not to wait for a file that names them.
    confirmed = gone | {"params": {"confirm": "true"}}
    answer = await meanwhile(administrator, named, "PATCH", f"/v1/users/{ana}", **confirmed)
    assert answer == (False, 200, "")


async def test_nobody_is_given_anything_while_they_leave(administrator: Client, people: People) -> None:
    ana, ben = await people.user("sales"), await people.user("sales")
    named = {"json": {"name": "Acero", "owner_id": str(ana)}}
    asked = ("POST", "/v1/customers")
    refused = (True, 422, "cannot_take_over")
    eva = await people.user("administrator")
    assert await meanwhile(administrator, leaving(ana, active=False), *asked, **named) == refused
    over = {"json": {"to": [str(ben)]}}
    path = f"/v1/users/{eva}/hand-over"
    await administrator.post("/v1/customers", json={"name": "Acero", "owner_id": str(eva)})
    assert await meanwhile(administrator, leaving(ben, active=False), "POST", path, **over) == refused
    assert [row["n"] for row in await fetch("select count(*) as n from customers c where owner_id <> $1", eva)] == [0]


async def test_work_is_handed_over_while_some_of_it_changes(administrator: Client, people: People) -> None:
    """As below: a change holds the record before its customer, and handing over held the customers first."""
    ana, ben = await people.user("sales"), await people.user("sales")
    changes: tuple[tuple[Any, Any, Any, dict[str, Any]], ...] = (
        (OPPORTUNITIES, records.change, OpportunityUpdate(owner_id=administrator.user_id), {"name": "Valves"}),
        (ACTIVITIES, activities.change, ActivityUpdate(due_at=clock.now()), {"kind": "call", "subject": "Call"}),
    )
    for entity, change, changed, values in changes:
        acero = await make(administrator, "customers", name="Acero", owner_id=str(ana))
        made = await make(administrator, entity.name, **values, customer_id=acero["id"], owner_id=str(ana))
        async with session.transaction() as opened:
            access = await access_of(opened, administrator.user_id)
            record = await access.row(opened, RECORDS[entity.name], UUID(made["id"]), "update")
            over = administrator.post(f"/v1/users/{ana}/hand-over", json={"to": [str(ben)]})
            handed = asyncio.create_task(over)
            await asyncio.sleep(0.3)
            await change(opened, access, entity, record, changed)
        assert (await handed).status_code == 200, entity.name


async def test_a_team_is_handed_over_while_one_of_it_changes(administrator: Client, people: People) -> None:
    """Once each waited for what the other held, and PostgreSQL ended one of them."""
    head, taker = await people.user("sales"), await people.user("sales")
    member = await people.user("sales", manager=head)

    async def slowly(opened: session.AsyncSession, access: Access) -> None:
        await access.row(opened, RECORDS["users"], member, "update")
        over = administrator.post(f"/v1/users/{head}/hand-over", json={"to": [str(taker)]})
        handed.append(asyncio.create_task(over))
        await asyncio.sleep(0.3)
        await leaving(member, profile_id="support")(opened, access)

    handed: list[asyncio.Task[httpx.Response]] = []
    async with session.transaction() as opened:
        await slowly(opened, await access_of(opened, administrator.user_id))
    assert (await handed[0]).status_code == 200
    rows = await fetch("select profile_id, manager_id from users where id = $1", member)
    assert (rows[0]["profile_id"], rows[0]["manager_id"]) == ("support", taker)
