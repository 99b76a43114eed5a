"""Customers over HTTP."""

from typing import Any

import httpx
from sqlalchemy import text

from app.db.session import transaction
from tests.api.records import make, problems
from tests.conftest import Client


async def test_a_customer_is_created_read_changed_and_archived(administrator: Client) -> None:
    created = await administrator.post(
        "/v1/customers", json={"name": "Muñoz Hnos.", "website": "Munoz.es/", "emails": [{"address": "a@munoz.es"}]}
    )
    assert created.status_code == 201, created.text
    customer = created.json()
    assert customer["number"].startswith("C-0")
    assert customer["website"] == "https://munoz.es"
    assert customer["assignees"] == [{"user_id": str(administrator.user_id), "role": "owner"}]
    read = await administrator.get(created.headers["location"])
    assert read.json() == customer
    changed = await administrator.patch(
        f"/v1/customers/{customer['id']}", json={"sector": "retail"}, headers={"If-Match": created.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["sector"] == "retail"
    assert changed.headers["etag"] == '"2"'
    listed = await administrator.get(
        "/v1/customers", params={"sector": "retail", "q": "munoz", "sort": "name", "count": "exact"}
    )
    assert listed.status_code == 200, listed.text
    assert [each["id"] for each in listed.json()["items"]] == [customer["id"]]
    assert listed.json()["total"] == 1
    archived = await administrator.delete(f"/v1/customers/{customer['id']}")
    assert archived.status_code == 204, archived.text
    restored = await administrator.post(f"/v1/customers/{customer['id']}/restore")
    assert restored.status_code == 200, restored.text
    timeline = await administrator.get(f"/v1/customers/{customer['id']}/timeline")
    assert [each["type"] for each in timeline.json()["items"]] == [
        "customer.restored",
        "customer.archived",
        "customer.changed",
        "customer.created",
    ]


async def scalar(statement: str, **values: Any) -> Any:
    async with transaction("system") as session:
        return await session.scalar(text(statement), values)


async def test_the_lifecycle_stage_keeps_its_stays(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="A", lifecycle_stage="potential")
    url = f"/v1/customers/{customer['id']}"
    for stage in ("customer", "customer", None, "lost"):
        changed = (await administrator.patch(url, json={"lifecycle_stage": stage})).json()
        assert (changed["lifecycle_stage_entered_at"] is None) == (stage is None)
    async with transaction("system") as session:
        stays = (
            await session.execute(
                text(
                    "select stage, entered_at, left_at, by from stage_stays where field = 'lifecycle_stage' order by id"
                )
            )
        ).all()
    assert [each.stage for each in stays] == ["potential", "customer", "lost"]
    assert stays[0].left_at == stays[1].entered_at
    assert stays[1].left_at is not None
    assert stays[2].left_at is None
    assert {each.by for each in stays} == {administrator.user_id}


async def test_a_tax_id_belongs_to_one_customer_in_use(administrator: Client) -> None:
    first = await make(administrator, "customers", name="A", tax_id="B12345678")
    assert await taken(
        administrator, await administrator.post("/v1/customers", json={"name": "B", "tax_id": "B12345678"})
    )
    await administrator.delete(f"/v1/customers/{first['id']}")
    second = await make(administrator, "customers", name="B", tax_id="B12345678")
    assert await taken(administrator, await administrator.post(f"/v1/customers/{first['id']}/restore"))
    assert (await administrator.get(f"/v1/customers/{first['id']}")).json()["archived_at"] is not None
    await administrator.patch(f"/v1/customers/{second['id']}", json={"tax_id": None})
    assert (await administrator.post(f"/v1/customers/{first['id']}/restore")).status_code == 200


async def taken(client: Client, answer: httpx.Response) -> bool:
    return problems(answer, 409) == {("/tax_id", "duplicate")} and answer.json()["code"] == "duplicate"


async def test_archiving_takes_along_what_belongs_and_restoring_brings_exactly_that_back(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    other = await make(administrator, "customers", name="Other")
    part = {"customer_id": customer["id"]}
    kept = [("contacts", await make(administrator, "contacts", last_name="Ruiz", **part)),
            ("opportunities", await make(administrator, "opportunities", name="Valves", **part))]  # fmt: skip
    gone_before = [("contacts", await make(administrator, "contacts", last_name="Gone", **part)),
                   ("opportunities", await make(administrator, "opportunities", name="Gone", **part))]  # fmt: skip
    foreign = await make(administrator, "contacts", last_name="Foreign", customer_id=other["id"])

    async def archived(entity: str, record: dict[str, Any]) -> bool:
        return (await administrator.get(f"/v1/{entity}/{record['id']}")).json()["archived_at"] is not None

    for entity, record in gone_before:
        await administrator.delete(f"/v1/{entity}/{record['id']}")
    assert (await administrator.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    assert [await archived(*each) for each in kept] == [True, True]
    assert not await archived("contacts", foreign)
    operations = (
        "select count(distinct operation_id) from events where type like '%.archived' and record_id = any(:ids)"
    )
    assert await scalar(operations, ids=[customer["id"], *(record["id"] for _, record in kept)]) == 1
    alone = await administrator.post(f"/v1/contacts/{kept[0][1]['id']}/restore")
    assert (alone.status_code, alone.json()["code"]) == (409, "archived")
    assert (await administrator.patch(f"/v1/customers/{customer['id']}", json={"employees": 1})).json()[
        "code"
    ] == "archived"
    assert (await administrator.post(f"/v1/customers/{customer['id']}/restore")).status_code == 200
    assert [await archived(*each) for each in kept] == [False, False]
    assert [await archived(*each) for each in gone_before] == [True, True]
    for entity, record in gone_before:
        assert (await administrator.post(f"/v1/{entity}/{record['id']}/restore")).status_code == 200
    again = await administrator.delete(f"/v1/customers/{customer['id']}")
    twice = await administrator.delete(f"/v1/customers/{customer['id']}")
    assert (again.status_code, twice.status_code) == (204, 204)


async def test_an_id_in_a_body_must_be_there_for_the_caller(administrator: Client, as_profile: Any) -> None:
    foreign = await make(administrator, "customers", name="Acme")
    seller = await as_profile("sales")
    for id in (foreign["id"], "0198c0de-0000-7000-8000-000000000000"):
        answer = await seller.post("/v1/customers", json={"name": "Mine", "parent_id": id})
        assert problems(answer, 404) == {("/parent_id", "not_found")}
        relations = [{"customer_id": id, "kind": "supplier"}]
        answer = await seller.post("/v1/customers", json={"name": "Mine", "relations": relations})
        assert problems(answer, 404) == {("/relations/0/customer_id", "not_found")}


async def test_no_customer_is_its_own_parent(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json={"parent_id": customer["id"]})
    assert problems(answer) == {("/parent_id", "names_itself")}
    relations = {"relations": [{"customer_id": customer["id"], "kind": "partner"}]}
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json=relations)
    assert problems(answer) == {("/relations/0/customer_id", "names_itself")}


async def test_a_chain_of_parents_does_not_close(administrator: Client) -> None:
    ids = [(await administrator.post("/v1/customers", json={"name": name})).json()["id"] for name in ("A", "B", "C")]
    for child, parent in ((1, 0), (2, 1)):
        answer = await administrator.patch(f"/v1/customers/{ids[child]}", json={"parent_id": ids[parent]})
        assert answer.status_code == 200, answer.text
    closed = await administrator.patch(f"/v1/customers/{ids[0]}", json={"parent_id": ids[2]})
    assert (closed.status_code, closed.json()["errors"][0]["pointer"], closed.json()["code"]) == (
        409,
        "/parent_id",
        "loop",
    )
    assert (await administrator.get(f"/v1/customers/{ids[0]}")).json()["parent_id"] is None
