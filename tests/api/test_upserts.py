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


async def test_an_upsert_heeds_the_version_that_it_is_meant_for(administrator: Client, as_profile: Any) -> None:
    url = "/v1/customers/by/erp/4711"
    for named in ('"1"', "*"):
        early = await administrator.put(url, json={"name": "Acme"}, headers={"If-Match": named})
        assert (early.status_code, early.json()["code"]) == (412, "stale"), "there is none to match"
    assert (await administrator.get(url)).status_code == 404
    assert (await administrator.put(url, json={"name": "Acme"})).headers["ETag"] == '"1"'
    changed = await administrator.put(url, json={"employees": 4}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    stale = await administrator.put(url, json={"employees": 5}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "stale", 2)
    assert stale.json()["changed"] == {"employees": 4}
    assert (await administrator.get(url)).json()["employees"] == 4
    assert (await administrator.put(url, json={"employees": 5}, headers={"If-Match": "*"})).status_code == 200
    sales = await as_profile("sales")
    for path in (url, "/v1/customers/by/erp/4712"):
        hidden = await sales.put(path, json={"name": "Mine"}, headers={"If-Match": '"3"'})
        assert (hidden.status_code, hidden.json()["detail"]) == (412, early.json()["detail"]), path


async def test_of_fifty_upserts_of_one_version_at_once_one_succeeds(administrator: Client) -> None:
    url, headers = "/v1/customers/by/erp/1", {"If-Match": '"1"'}
    await administrator.put(url, json={"name": "Acme"})
    answers = await at_once(*(administrator.put(url, json={"employees": n}, headers=headers) for n in range(1, 51)))
    assert sorted(each.status_code for each in answers) == [200] + [412] * 49


async def test_fifty_upserts_of_one_id_at_once_make_one_customer(administrator: Client) -> None:
    answers = await at_once(*(administrator.put("/v1/customers/by/erp/1", json={"name": "Acme"}) for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [200] * 49 + [201]
    assert (await administrator.get("/v1/customers?count=exact")).json()["total"] == 1


async def test_an_id_of_another_system_beyond_ones_reach_is_taken(administrator: Client, as_profile: Any) -> None:
    await administrator.put("/v1/customers/by/erp/1", json={"name": "Acme"})
    answer = await (await as_profile("sales")).put("/v1/customers/by/erp/1", json={"name": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (409, "taken")


async def test_a_record_is_read_by_another_systems_id(administrator: Client, as_profile: Any) -> None:
    url = "/v1/customers/by/erp/4711"
    made = (await administrator.put(url, json={"name": "Acme"})).json()
    found = await administrator.get(url, params={"with": "can"})
    assert (found.status_code, found.headers["ETag"], found.json()["can"]["update"]) == (200, '"1"', True)
    by_id = await administrator.get(f"/v1/customers/{made['id']}")
    assert (await administrator.get(url)).content == by_id.content
    assert problems(await administrator.get(url, params={"wiht": "can"})) == {("/query/wiht", "unknown_parameter")}
    await administrator.delete(f"/v1/customers/{made['id']}")
    assert (await administrator.get(url)).json()["archived_at"] is not None
    hidden = await (await as_profile("sales")).get(url)
    for path in ("/v1/customers/by/shop/4711", "/v1/customers/by/erp/4712", "/v1/contacts/by/erp/4711"):
        missing = await administrator.get(path)
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found"), path
    assert (hidden.status_code, hidden.json()["detail"]) == (404, "No such customer")


async def test_another_systems_id_may_have_slashes_and_spaces(administrator: Client) -> None:
    for written, id in (("2026/17", "2026/17"), ("a%2Fb%2Fc", "a/b/c"), ("/by/", "/by/"), ("A%20b%3F%25", "A b?%")):
        url = f"/v1/customers/by/erp/{written}"
        made = await administrator.put(url, json={"name": "Acme"})
        assert (made.status_code, made.json()["external_ids"]) == (201, [{"system": "erp", "external_id": id}]), id
        assert (await administrator.get(url)).json()["id"] == made.json()["id"], id
        assert (await administrator.put(url, json={"name": "Beta"})).status_code == 200, id
    assert (await administrator.put("/v1/customers/by/erp/", json={"name": "Acme"})).status_code == 404
    assert (await administrator.post("/v1/customers/by/erp/a/b", json={})).status_code == 405
