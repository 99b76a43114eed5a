"""Writing the same twice, and two writing at once: Idempotency-Key, ETag, If-Match."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import Request
from sqlalchemy import text

from app.api.deps import fingerprint
from app.db.session import transaction
from tests.api.records import ACTIONS, asked, at_once, found, least, make, problems
from tests.conftest import Client
from tests.contracts.contract import document
from tests.contracts.worlds import failed_job

MANY = 50
# What takes or answers a secret, or ends the session that it would be repeated in, is not kept; a mailed link that is
# promised twice is one.
WITH_SECRETS = {"/v1/users/{id}/password", "/v1/users/{id}/invite", "/v1/api-keys"}
POSTS = [
    path
    for path, methods in document()["paths"].items()
    if "post" in methods and not path.startswith("/v1/auth/") and path not in WITH_SECRETS
]


async def scalar(statement: str, **values: Any) -> Any:
    async with transaction("system") as session:
        return await session.scalar(text(statement), values)


async def test_fifty_equal_requests_at_once_make_one_record(administrator: Client) -> None:
    headers = {"Idempotency-Key": "one"}
    body = {"name": "Acme", "tags": ["a"]}
    answers = await at_once(*(administrator.post("/v1/customers", json=body, headers=headers) for _ in range(MANY)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert len({each.headers["location"] for each in answers}) == 1
    assert {each.headers["etag"] for each in answers} == {'"1"'}
    assert sum(each.headers.get("idempotency-replayed") == "true" for each in answers) == MANY - 1
    assert await scalar("select count(*) from customers") == 1
    assert await scalar("select count(*) from events where type = 'customer.created'") == 1


async def test_a_key_with_another_body_is_refused(administrator: Client) -> None:
    headers = {"Idempotency-Key": "one"}
    await administrator.post("/v1/customers", json={"name": "Acme"}, headers=headers)
    for other in ({"name": "Other"}, {"name": "Acme", "tags": []}):
        answer = await administrator.post("/v1/customers", json=other, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
    answer = await administrator.post("/v1/customers?a=b", json={"name": "Acme"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
    assert await found(administrator, "customers") == ["Acme"]


def test_requests_with_another_query_are_not_the_same() -> None:
    scope = {"type": "http", "path": "/", "headers": [], "server": ("crm.test", 80), "state": {"heard": []}}
    first, same, other = (fingerprint(Request(scope | {"query_string": query})) for query in (b"a=b", b"a=b", b"a=c"))
    assert first == same != other


async def test_a_key_belongs_to_its_caller_and_path(administrator: Client, as_profile: Any) -> None:
    other = await as_profile("administrator")
    headers = {"Idempotency-Key": "one"}
    for client, path in ((administrator, "/v1/customers"), (other, "/v1/customers"), (other, "/v1/products")):
        answer = await client.post(path, json={"name": "Acme"}, headers=headers)
        assert "idempotency-replayed" not in answer.headers
        assert answer.status_code == 201


async def test_a_request_that_failed_leaves_no_key(administrator: Client) -> None:
    headers = {"Idempotency-Key": "one"}
    await make(administrator, "products", name="Valve", sku="V1")
    for body, status in (({"name": "", "sku": "V1"}, 422), ({"name": "Valve", "sku": "V1"}, 409)):
        assert (await administrator.post("/v1/products", json=body, headers=headers)).status_code == status
        assert await scalar("select count(*) from idempotency_keys") == 0
    again = await administrator.post("/v1/products", json={"name": "Valve", "sku": "V2"}, headers=headers)
    assert again.status_code == 201


async def test_a_key_is_good_for_a_day(administrator: Client) -> None:
    headers = {"Idempotency-Key": "one"}
    await administrator.post("/v1/customers", json={"name": "Acme"}, headers=headers)
    await scalar("with old as (update idempotency_keys set created_at = created_at - interval '25 hours') select 1")
    answer = await administrator.post("/v1/customers", json={"name": "Other"}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["name"] == "Other"


async def test_while_the_first_request_runs_the_second_waits_and_is_told(administrator: Client) -> None:
    """Another transaction holds the key's row, as a request that takes long would."""
    first = {"Idempotency-Key": "one"}
    async with transaction("system") as session:
        await session.execute(
            text(
                "insert into idempotency_keys (subject, method, path, key, fingerprint, created_at)"
                " values (:subject, 'POST', '/v1/customers', 'one', '', now())"
            ),
            {"subject": administrator.user_id},
        )
        before = asyncio.get_running_loop().time()
        answer = await administrator.post("/v1/customers", json={"name": "Acme"}, headers=first)
        assert 1.5 < asyncio.get_running_loop().time() - before < 8
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_key_running"


async def test_every_post_is_safe_to_repeat(administrator: Client, ids: dict[str, str]) -> None:
    """Found from the application: a new POST route is in here, or says that its answers hold secrets."""
    for route in POSTS:
        kind = route.split("/")[2]
        headers, id = {"Idempotency-Key": route}, ""
        sent: dict[str, Any] = {}
        if kind == "access-requests":
            id = await asked(administrator, ids["customers"])
        elif kind == "jobs":
            id = str(await failed_job())
        elif "{id}" in route:
            nobodys = {"owner_id": None} if route.endswith("/claim") else {}
            id = (await make(administrator, kind, **least(kind, ids["customers"]), **nobodys))["id"]
        if route == "/v1/imports":
            boundary = {"entity": "products", "mapping": '{"columns": {"name": "name"}}'}
            sent = {"content": multipart(boundary, b"name\nValve\n")}
            headers["Content-Type"] = "multipart/form-data; boundary=x"
        elif route.endswith("/restore"):
            await administrator.delete(f"/v1/{kind}/{id}")
        elif route.endswith("/hand-over"):
            sent = {"json": {"to": [str(administrator.user_id)]}}
        elif route == f"/v1/{kind}":
            sent = {"json": least(kind, ids["customers"])}
        else:
            sent = {"json": ACTIONS.get(route, {})}
        path = route.format(id=id, key="odd")
        first = await administrator.post(path, headers=headers, **sent)
        assert first.is_success, (route, first.text)
        events = await scalar("select count(*) from events")
        second = await administrator.post(path, headers=headers, **sent)
        assert second.headers["idempotency-replayed"] == "true", route
        assert (second.status_code, second.content) == (first.status_code, first.content), route
        for name in ("etag", "location", "content-type"):
            assert second.headers.get(name) == first.headers.get(name), route
        assert await scalar("select count(*) from events") == events, route


def multipart(fields: dict[str, str], content: bytes) -> bytes:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n'
    return "".join(parts).encode() + file + content + b"\r\n--x--\r\n"


async def test_answers_with_secrets_are_not_kept(administrator: Client) -> None:
    body = {"password": "a long enough password 8"}
    user = await make(administrator, "users", name="Ana", username="ana", profile_id="sales")
    path = f"/v1/users/{user['id']}/password"
    for _ in range(2):
        answer = await administrator.post(path, json=body, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 204
        assert "idempotency-replayed" not in answer.headers
    assert await scalar("select count(*) from idempotency_keys") == 0


async def test_fifty_changes_of_one_version_at_once_make_one_change(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    url, headers = f"/v1/customers/{customer['id']}", {"If-Match": '"1"'}
    answers = await at_once(
        *(administrator.patch(url, json={"employees": number}, headers=headers) for number in range(1, MANY + 1))
    )
    by_status = {status: [each for each in answers if each.status_code == status] for status in (200, 412)}
    assert [len(each) for each in by_status.values()] == [1, MANY - 1]
    won = by_status[200][0].json()["employees"]
    for each in by_status[412]:
        assert each.json()["code"] == "stale"
        assert each.json()["version"] == 2
        assert each.json()["changed"] == {"employees": won}
    assert (await administrator.get(url)).json()["version"] == 2
    assert await scalar("select count(*) from events where type = 'customer.changed'") == 1


async def test_a_stale_answer_shows_all_that_changed_since_and_nothing_hidden(
    administrator: Client, as_profile: Any
) -> None:
    customer = await make(administrator, "customers", name="Acme", employees=1)
    url = f"/v1/customers/{customer['id']}"
    change = {"emails": [{"address": "a@acme.example"}], "annual_revenue": "10.5", "tax_id": "A1"}
    await administrator.patch(url, json={"name": "Acme 2"})
    await administrator.patch(url, json=change)
    answer = await administrator.patch(url, json={"name": "x"}, headers={"If-Match": '"1"'})
    changed = answer.json()["changed"]
    assert changed["name"] == "Acme 2"
    assert changed["annual_revenue"] == "10.50"
    assert changed["emails"] == [{"address": "a@acme.example", "primary": True, "invalid": False}]
    assert changed["tax_id"] == "A1"
    assert not {"search_open", "name_key", "version"} & set(changed)
    second = await administrator.patch(url, json={"name": "x"}, headers={"If-Match": '"2"'})
    assert "name" not in second.json()["changed"]
    support = await as_profile("support")
    answer = await support.patch(url, json={"phones": []}, headers={"If-Match": '"1"'})
    assert answer.status_code == 412
    assert set(answer.json()["changed"]) == {"name", "annual_revenue", "annual_revenue_band", "currency", "emails"}


async def test_a_stale_answer_shows_lists_and_that_the_record_was_archived(administrator: Client) -> None:
    valve = await make(administrator, "products", name="Valve", price="5")
    opportunity = await make(administrator, "opportunities", name="V")
    url = f"/v1/opportunities/{opportunity['id']}"
    read = (await administrator.patch(url, json={"lines": [{"product_id": valve["id"]}]})).json()
    stale = {"If-Match": '"1"'}
    changed = (await administrator.patch(url, json={"name": "x"}, headers=stale)).json()["changed"]
    assert changed == {"lines": read["lines"], "currency": "EUR"}
    await administrator.delete(url)
    archived_at = (await administrator.get(url)).json()["archived_at"]
    refused = await administrator.patch(url, json={"name": "x"}, headers={"If-Match": '"2"'})
    assert (refused.status_code, refused.json()["changed"]) == (412, {"archived_at": archived_at})
    await administrator.post(f"{url}/restore")
    refused = await administrator.patch(url, json={"name": "x"}, headers={"If-Match": '"3"'})
    assert (refused.status_code, refused.json()["changed"]) == (412, {"archived_at": None})


@pytest.mark.parametrize("if_match", ['"1"', "*", ' "7", "1"', 'W/"1"', None])
async def test_a_version_that_is_the_records_lets_the_change_through(
    administrator: Client, if_match: str | None
) -> None:
    customer = await make(administrator, "customers", name="Acme")
    headers = {"If-Match": if_match} if if_match else {}
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json={"employees": 2}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["cache-control"] == "private, no-store"


async def test_archiving_heeds_the_version_too(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    url = f"/v1/customers/{customer['id']}"
    await administrator.patch(url, json={"employees": 2})
    assert (await administrator.delete(url, headers={"If-Match": '"1"'})).status_code == 412
    assert (await administrator.delete(url, headers={"If-Match": '"2"'})).status_code == 204


async def test_a_change_that_changes_nothing_writes_nothing(administrator: Client) -> None:
    values = {
        "name": "Acme",
        "annual_revenue": "1.5",
        "emails": [{"address": "a@acme.example"}],
        "website": "acme.example",
    }
    customer = await make(administrator, "customers", **values)
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json=values)
    assert answer.json() == customer
    assert await scalar("select count(*) from events") == 1


async def test_reading_never_answers_304(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    answer = await administrator.get(f"/v1/customers/{customer['id']}", headers={"If-None-Match": '"1"'})
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "private, no-store"


async def test_unknown_and_read_only_fields_are_refused(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    body = {"nmae": "x", "version": 7, "number": "C-1", "assignees": [], "id": customer["id"], "country": "ES"}
    wrong = {("/nmae", "unknown_field")} | {(f"/{name}", "read_only_field") for name in body if name != "nmae"}
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json=body)
    assert problems(answer) == wrong
    assert "name" in next(each["message"] for each in answer.json()["errors"] if each["pointer"] == "/nmae")
    assert problems(await administrator.post("/v1/customers", json=body | {"name": "x"})) == wrong
    assert problems(await administrator.put("/v1/customers/by/erp/1", json=body | {"name": "x"})) == wrong
    nested = {"name": "x", "emails": [{"address": "a@b.example", "adress": "x"}]}
    assert problems(await administrator.post("/v1/customers", json=nested)) == {("/emails/0/adress", "unknown_field")}


async def test_a_file_sent_twice_with_one_key_is_one_import(administrator: Client) -> None:
    mapping = json.dumps({"columns": {"name": "name"}})
    answers = [
        await administrator.post(
            "/v1/imports",
            data={"entity": "customers", "mapping": mapping},
            files={"file": ("file.csv", b"name\nAcme\n", "text/csv")},
            headers={"Idempotency-Key": "a file"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202], answers[1].text
    assert answers[0].request.headers["content-type"] != answers[1].request.headers["content-type"]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_signing_out_twice_with_one_key_signs_both_sessions_out(administrator: Client, people: Any) -> None:
    other = await people.client(administrator.user_id)
    for client in (administrator, other):
        answer = await client.post("/v1/auth/logout", headers={"Idempotency-Key": "bye"})
        assert answer.status_code == 204, answer.text
