"""Creating or changing a record by the id that another system knows it by."""

from typing import Any

from tests.api.records import at_once, problems
from tests.conftest import Client


async def test_another_systems_id_creates_once_and_changes_after(administrator: Client) -> None:
    url = "/v1/customers/by/erp/4711"
    created = await administrator.put(url, json={"name": "Acme", "employees": 3})
    assert created.status_code == 201
    assert created.json()["external_ids"] == [{"system": "erp", "external_id": "4711"}]
    changed = await administrator.put(url, json={"employees": 4})
    assert changed.status_code == 200
    assert (changed.json()["id"], changed.json()["employees"], changed.json()["name"]) == (
        created.json()["id"],
        4,
        "Acme",
    )
    assert (await administrator.put("/v1/customers/by/shop/4711", json={"name": "Other"})).status_code == 201
    assert problems(await administrator.put("/v1/customers/by/erp/1", json={})) == {("/name", "required_information")}
    await administrator.delete(f"/v1/customers/{created.json()['id']}")
    archived = await administrator.put(url, json={"employees": 5})
    assert (archived.status_code, archived.json()["code"]) == (409, "archived")


async def test_fifty_upserts_of_one_id_at_once_make_one_customer(administrator: Client) -> None:
    answers = await at_once(*(administrator.put("/v1/customers/by/erp/1", json={"name": "Acme"}) for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [200] * 49 + [201]
    assert (await administrator.get("/v1/customers?count=exact")).json()["total"] == 1


async def test_an_id_of_another_system_beyond_ones_reach_is_taken(administrator: Client, as_profile: Any) -> None:
    await administrator.put("/v1/customers/by/erp/1", json={"name": "Acme"})
    answer = await (await as_profile("sales")).put("/v1/customers/by/erp/1", json={"name": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (409, "taken")
