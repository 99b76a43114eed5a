"""Imports beside what others do meanwhile, and beside what the records already are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from tests.api.records import make
from tests.conftest import Client, People
from tests.jobs.effects import until
from tests.loading import Answer, errors_of, everything, loaded, send, work

BY_ID = {
    "match_on": "external_id",
    "external_system": "erp",
    "columns": {"id": "external_id", "name": "name", "parent": "parent"},
}
WITH_OWNER = {"match_on": "name", "columns": {"name": "name", "owner": {"to": "owner", "by": "username"}}}


@asynccontextmanager
async def loading_held_by(customer: Answer) -> AsyncIterator[None]:
    """An import is at work, its rows matched, and waits for a customer that its rows name as long as this lasts."""
    from app.db.session import transaction

    async with transaction("system") as holding:
        await holding.execute(text("select from customers where id = :id for update"), {"id": UUID(customer["id"])})
        loading = asyncio.create_task(work())
        await until_it_waits("%for key share%")
        yield
    await loading


async def until_it_waits(query: str) -> None:
    from app.db.session import transaction

    waiting = """select exists (select from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database() and query like :query)"""

    async def waits() -> bool:
        async with transaction("system") as session:
            return bool(await session.scalar(text(waiting), {"query": query}))

    await until(waits, seconds=20)


async def outcome(client: Client, import_at: str) -> tuple[Answer, list[tuple[int, str]]]:
    """The import, and row and code of its errors."""
    done = (await client.get(import_at)).json()
    return done, [(each["row"], each["code"]) for each in await errors_of(client, done)]


async def customer_of(client: Client, id: str) -> Answer:
    read: Answer = (await client.get(f"/v1/customers/{id}")).json()
    return read


async def test_a_customer_that_gets_an_owner_is_assigned(administrator: Client, people: People) -> None:
    await people.user("sales", username="ana")
    await people.user("sales", username="bea")
    nobodys = await make(administrator, "customers", name="Nobody's", owner_id=None)
    for owner, id in (("ana", nobodys["id"]), ("bea", nobodys["id"])):
        done = await loaded(administrator, "customers", f"name,owner\nNobody's,{owner}\n", WITH_OWNER)
        assert done["counts"]["updated"] == 1
        read = await customer_of(administrator, id)
        assert (read["assigned"], len(read["assignees"])) == (True, 1)


async def test_a_customer_whose_only_opportunity_changes_hands_stays_assigned(
    administrator: Client, people: People
) -> None:
    await people.user("sales", username="ana")
    await people.user("sales", username="bea")
    acme = await make(administrator, "customers", name="Acme", owner_id=None)
    columns = {"id": ["external_id", "name"], "owner": {"to": "owner", "by": "username"}, "customer": "customer"}
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": columns}
    for owner in ("ana", "bea"):
        await loaded(administrator, "opportunities", f"id,owner,customer\n1,{owner},Acme\n", mapping)
        read = await customer_of(administrator, acme["id"])
        assert (read["assigned"], len(read["assignees"])) == (True, 1)


async def test_a_taken_username_refuses_its_row_and_no_other(administrator: Client, people: People) -> None:
    for name in ("Ana", "Bob", "Eva"):
        await people.user("sales", name=name, username=name.lower())
    mapping = {"match_on": "name", "columns": {"name": "name", "username": "username"}}
    done = await loaded(administrator, "users", "name,username\nAna,BOB\nEva,eva2\n", mapping)
    assert (done["counts"]["updated"], done["counts"]["refused"]) == (1, 1)
    (error,) = await errors_of(administrator, done)
    assert (error["row"], error["column"], error["code"]) == (2, "username", "duplicate")
    names = {each["name"]: each["username"] for each in await everything(administrator, "/v1/users")}
    assert (names["Ana"], names["Eva"]) == ("ana", "eva2")


async def test_what_a_row_does_not_say_of_a_line_stays(administrator: Client) -> None:
    product = await make(administrator, "products", name="P", price="100", currency="USD")
    await make(administrator, "products", name="Q", price="7", currency="USD")
    await make(administrator, "products", name="R", price="9", currency="EUR")
    line = {"product_id": product["id"], "quantity": "5", "unit_price": "80"}
    body = {"name": "O", "amount": "10", "currency": "EUR", "lines": [line]}
    made = await administrator.put("/v1/opportunities/by/erp/1", json=body)
    columns = {"id": ["external_id", "name"], "amount": "amount", "product": "lines.product"}
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": columns}

    async def lines_after(file: str) -> list[tuple[str, str | None]]:
        done = await loaded(administrator, "opportunities", file, mapping)
        assert done["counts"]["updated"] == 1
        read = (await administrator.get(f"/v1/opportunities/{made.json()['id']}")).json()
        return [(each["quantity"], each["unit_price"]) for each in read["lines"]]

    assert await lines_after("id,amount,product\n1,11,P\n") == [("5", "80.00")]
    assert await lines_after("id,amount,product\n1,11,Q\n") == [("1", None)], "a price in another currency is none"
    assert await lines_after("id,amount,product\n1,11,R\n") == [("1", "9.00")]


async def test_an_id_that_was_given_away_meanwhile_is_matched_at_the_next_attempt(administrator: Client) -> None:
    from app.db.session import transaction

    parent = await make(administrator, "customers", name="Parent")
    sent = await send(administrator, "customers", "id,name,parent\n1,By file,Parent\n", BY_ID)
    async with loading_held_by(parent):
        answer = await administrator.put("/v1/customers/by/erp/1", json={"name": "By hand"})
        assert answer.status_code == 201
    async with transaction("system") as session:
        await session.execute(text("update jobs set run_at = now() where state = 'pending'"))
    await work()
    done, _ = await outcome(administrator, sent.headers["location"])
    assert (done["counts"]["created"], done["counts"]["updated"]) == (0, 1)
    assert (await customer_of(administrator, answer.json()["id"]))["name"] == "By file"
    assert len(await everything(administrator, "/v1/customers")) == 2


async def test_records_archived_or_out_of_reach_meanwhile_are_refused(administrator: Client, people: People) -> None:
    manager_id = await people.user("manager")
    manager, other = await people.client(manager_id), await people.user("sales")
    parent, archived, lost = [
        await make(administrator, "customers", name=name, owner_id=str(manager_id)) for name in ("Parent", "A", "B")
    ]
    mapping = {"match_on": "name", "columns": {"name": "name", "parent": "parent"}}
    sent = await send(manager, "customers", "name,parent\nA,Parent\nB,Parent\n", mapping)
    async with loading_held_by(parent):
        assert (await administrator.delete(f"/v1/customers/{archived['id']}")).status_code < 300
        handed = await administrator.patch(f"/v1/customers/{lost['id']}", json={"owner_id": str(other)})
        assert handed.status_code == 200
    done, errors = await outcome(manager, sent.headers["location"])
    assert (done["counts"]["refused"], errors) == (2, [(2, "archived"), (3, "forbidden")])
    assert (await customer_of(administrator, lost["id"]))["parent_id"] is None


async def test_a_row_that_names_a_customer_archived_meanwhile_is_refused(administrator: Client) -> None:
    from app.db.session import transaction

    acme = await make(administrator, "customers", name="Acme")
    mapping = {"columns": {"name": "name", "customer": "customer"}}
    sent = await send(administrator, "opportunities", "name,customer\nOne,Acme\nTwo,\n", mapping)
    async with transaction("system") as archiving:
        id = {"id": UUID(acme["id"])}
        await archiving.execute(text("select from customers where id = :id for update"), id)
        await archiving.execute(text("update customers set archived_at = now() where id = :id"), id)
        loading = asyncio.create_task(work())
        await until_it_waits("%for key share%")
    await loading
    done, errors = await outcome(administrator, sent.headers["location"])
    assert (done["counts"]["created"], errors) == (1, [(2, "unknown_reference")])


async def test_a_chain_that_closes_by_what_another_writes_is_refused(administrator: Client) -> None:
    from app.db import chains
    from app.db.session import transaction

    a, b = [await make(administrator, "customers", name=name) for name in "AB"]
    mapping = {"match_on": "name", "columns": {"name": "name", "parent": "parent"}}
    sent = await send(administrator, "customers", "name,parent\nB,A\n", mapping)
    async with transaction("system") as other:
        ids = {"id": UUID(a["id"]), "to": UUID(b["id"])}
        assert not await chains.closes(other, "customers", "parent_id", **ids)
        await other.execute(text("update customers set parent_id = :to where id = :id"), ids)
        loading = asyncio.create_task(work())
        await until_it_waits("%pg_advisory_xact_lock%")
    await loading
    assert (await outcome(administrator, sent.headers["location"]))[1] == [(2, "loop")]


async def test_the_import_of_a_user_who_is_deactivated_meanwhile_fails_at_once(
    administrator: Client, people: People
) -> None:
    user_id = await people.user("administrator")
    sent = await send(await people.client(user_id), "customers", "name\nA\n", {"columns": {"name": "name"}})
    assert (await administrator.patch(f"/v1/users/{user_id}", json={"active": False})).status_code == 200
    await work()
    done = (await administrator.get(sent.headers["location"])).json()
    assert (done["state"], done["failure"]) == ("failed", "Whoever sent it is no longer an active user")


async def test_lists_that_are_required_and_there_already_need_not_be_in_the_file(administrator: Client) -> None:
    minimum = {"opportunities": ["lines", "contacts"]}
    product = await make(administrator, "products", name="P", price="100", currency="EUR")
    acme = await make(administrator, "customers", name="Acme")
    contact = await make(administrator, "contacts", customer_id=acme["id"], last_name="X")
    lists = {"lines": [{"product_id": product["id"]}], "contacts": [{"contact_id": contact["id"]}]}
    full = {"name": "O", "amount": "10", "customer_id": acme["id"], **lists}
    for id, body in (("1", full), ("2", {"name": "O", "amount": "10"})):
        assert (await administrator.put(f"/v1/opportunities/by/erp/{id}", json=body)).status_code == 201
    assert (await administrator.patch("/v1/settings", json={"minimum_information": minimum})).status_code == 200
    columns = {"id": "external_id", "amount": "amount"}
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": columns}
    done = await loaded(administrator, "opportunities", "id,amount\n1,11\n2,11\n", mapping)
    assert (done["counts"]["updated"], done["counts"]["refused"]) == (1, 1)
    errors = [(each["row"], each["field"], each["code"]) for each in await errors_of(administrator, done)]
    assert errors == [(3, "lines", "required_information"), (3, "contacts", "required_information")]


async def test_a_new_external_id_is_a_change_with_a_version_and_an_event(administrator: Client) -> None:
    acme = await make(administrator, "customers", name="Acme")
    columns = {"name": "name", "id": "external_id"}
    mapping = {"match_on": "name", "external_system": "erp", "columns": columns}
    file = "name,id\nAcme,7\n"
    assert (await loaded(administrator, "customers", file, mapping))["counts"]["updated"] == 1
    assert (await loaded(administrator, "customers", file, mapping))["counts"]["unchanged"] == 1
    read = await customer_of(administrator, acme["id"])
    assert (read["version"], read["external_ids"]) == (2, [{"system": "erp", "external_id": "7"}])
    timeline = (await administrator.get(f"/v1/customers/{acme['id']}/timeline")).json()["items"]
    assert timeline[0]["type"] == "customer.changed"
    assert timeline[0]["changes"] == {"external_ids": [[], [{"system": "erp", "external_id": "7"}]]}


async def test_a_uuid_is_found_in_capitals(administrator: Client) -> None:
    parent = await make(administrator, "customers", name="Parent")
    mapping = {"columns": {"name": "name", "parent": {"to": "parent", "by": "id"}}}
    done = await loaded(administrator, "customers", f"name,parent\nChild,{parent['id'].upper()}\n", mapping)
    assert done["counts"]["created"] == 1


async def test_what_is_only_tried_waits_for_nobody_and_holds_up_nobody(administrator: Client) -> None:
    from app.db.session import transaction

    customer = await make(administrator, "customers", name="Acme")
    mapping = {"match_on": "name", "columns": {"name": "name", "about": "description"}}
    file = "name,about\nAcme,Changed\n"
    sent = await send(administrator, "customers", file, mapping, {"dry_run": True})
    async with transaction("system") as holding:
        held = text("select from customers where id = :id for no key update")
        await holding.execute(held, {"id": UUID(customer["id"])})
        await asyncio.wait_for(work(), 20)
    tried, errors = await outcome(administrator, sent.headers["location"])
    assert (tried["state"], tried["counts"]["updated"], errors) == ("checked", 1, [])
    assert (await administrator.get(f"/v1/customers/{customer['id']}")).json()["version"] == 1
