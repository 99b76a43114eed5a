"""Somebody meets a customer that they do not reach, and asks: who hears of it, who lets them in, what stays untold."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from tests.conftest import Client
from tests.contracts.worlds import fetch, fingerprint
from tests.policies.steps import create, grant, revoke, status

AsProfile = Callable[..., Awaitable[Client]]

REASON = "They called me about an offer"


async def ask(client: Client, **evidence: Any) -> dict[str, Any]:
    answer = await client.post("/v1/access-requests", json={"reason": REASON} | evidence)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def listed(client: Client, **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/access-requests", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def decide(client: Client, request: dict[str, Any], verb: str, **body: Any) -> Any:
    return await client.post(f"/v1/access-requests/{request['id']}/{verb}", **({"json": body} if body else {}))


async def test_the_answer_is_the_same_whether_there_is_such_a_customer_or_not(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    await create(ana, "customers", emails=[{"address": "Eva@Acero.es"}])
    await create(ben, "customers", emails=[{"address": "own@acero.es"}])
    asked = [await ask(ben, email=each) for each in ("eva@acero.es", "nobody@acero.es", "own@acero.es")]
    for answer in asked:
        assert answer | {"id": "", "created_at": "", "evidence": {}} == {
            "id": "", "created_at": "", "evidence": {}, "requester_id": str(ben.user_id), "reason": REASON,
            "customer_id": None, "state": "open", "note": None, "decided_at": None,
        }  # fmt: skip
    assert [each["id"] for each in await listed(ben)] == [each["id"] for each in reversed(asked)]
    rows = await fetch("select id::text from access_requests where customer_id is not null")
    assert [row[0] for row in rows] == [asked[0]["id"]]
    assert [each["id"] for each in await listed(ana)] == [asked[0]["id"]]


async def test_it_goes_to_the_owner_and_the_manager_and_to_nobody_else(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, stranger = await as_profile("manager"), await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    eva, marketing = await as_profile("sales"), await as_profile("marketing")
    customer = await create(ana, "customers", phones=[{"number": "910 000 001"}])
    await administrator.put(f"/v1/customers/{customer['id']}/assignees/{eva.user_id}")
    request = await ask(ben, phone="+34 910000001")
    for who in (ana, manager, administrator):
        (seen,) = await listed(who)
        assert (seen["id"], seen["customer_id"], seen["requester_id"]) == (
            request["id"], customer["id"], str(ben.user_id),
        )  # fmt: skip
        assert (seen["evidence"], seen["reason"]) == ({"phone": "+34 910000001"}, REASON)
        assert (await who.get("/v1/me/agenda")).json()["totals"]["access_requests"] == 1
    before = await fingerprint()
    for who in (stranger, eva, marketing):
        assert await listed(who) == []
        assert (await who.get("/v1/me/agenda")).json()["totals"]["access_requests"] == 0
        for verb in ("grant", "refuse"):
            assert (await decide(who, request, verb)).status_code == 404
    for verb in ("grant", "refuse"):
        assert (await decide(ben, request, verb)).status_code == 403
    assert await fingerprint() == before


async def test_whoever_is_let_in_is_an_assignee_and_the_timeline_tells(as_profile: AsProfile) -> None:
    manager = await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    customer = await create(ana, "customers")
    await create(ana, "contacts", customer_id=customer["id"], emails=[{"address": "eva@acero.es"}])
    request = await ask(ben, email="EVA@acero.es")
    assert await status(ben, "customers", customer) == 404
    granted = await decide(ana, request, "grant")
    assert (granted.status_code, granted.json()["state"]) == (200, "granted"), granted.text
    assert await status(ben, "customers", customer) == 200
    (mine,) = await listed(ben, mine=True)
    assert (mine["state"], mine["customer_id"]) == ("granted", customer["id"])
    read = (await ben.get(f"/v1/customers/{customer['id']}")).json()["assignees"]
    assert {"user_id": str(ben.user_id), "role": "assignee"} in read
    told = (await ben.get(f"/v1/customers/{customer['id']}/timeline")).json()["items"][0]
    assert (told["type"], told["actor"]) == ("customer.assigned", str(ana.user_id))
    assert told["changes"] == {"assignees": [[], [{"user_id": str(ben.user_id), "role": "assignee"}]]}
    late = await decide(manager, request, "refuse")
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")


async def test_who_is_refused_is_told_why_and_not_about_what(as_profile: AsProfile) -> None:
    manager = await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    customer = await create(ana, "customers")
    request = await ask(ben, email="eva@acero.es")
    assert await listed(ana) == []
    await create(ana, "contacts", customer_id=customer["id"], emails=[{"address": "eva@acero.es"}])
    assert (await ask(ben, email="eva@acero.es"))["id"] == request["id"]
    refused = await decide(manager, request, "refuse", note="She is Ana's")
    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    (mine,) = await listed(ben, state="refused")
    assert (mine["note"], mine["customer_id"]) == ("She is Ana's", None)
    assert await status(ben, "customers", customer) == 404
    assert (await ask(ben, email="eva@acero.es"))["id"] != request["id"]


async def test_nobodys_customer_is_met_by_tax_id_and_let_into_by_who_sees_the_queue(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, ben = await as_profile("manager"), await as_profile("sales")
    customer = await create(administrator, "customers", owner_id=None, tax_id="B-123")
    request = await ask(ben, tax_id="b 123")
    assert [each["id"] for each in await listed(manager)] == [request["id"]]
    await revoke("manager", "customers", "read", "billing")
    (seen,) = await listed(manager)
    assert seen["evidence"] is None
    assert (await decide(manager, request, "grant")).status_code == 200
    assert await status(ben, "customers", customer) == 200


async def test_a_customer_is_met_by_what_another_system_calls_a_record_of_it(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    key = "7" * 255
    put = await ana.put(f"/v1/opportunities/by/erp/{key}", json={"name": "Ten", "customer_id": customer["id"]})
    assert put.status_code == 201
    taken = await ben.put(f"/v1/opportunities/by/erp/{key}", json={"name": "Ten"})
    assert (taken.status_code, taken.json()["code"]) == (409, "taken")
    evidence = {"entity": "opportunities", "system": "erp", "external_id": key}
    request = await ask(ben, external_id=evidence)
    assert (await listed(ana))[0]["evidence"] == {"external_id": evidence}
    assert (await decide(ana, request, "grant")).status_code == 200
    assert await status(ben, "customers", customer) == 200


async def test_requests_are_limited_and_must_say_one_thing(
    as_profile: AsProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await as_profile("sales")
    for body in (
        {"reason": REASON},
        {"reason": REASON, "email": "a@acero.es", "tax_id": "B1"},
        {"reason": " ", "email": "a@acero.es"},
        {"email": "a@acero.es"},
        {"reason": REASON, "phone": "no number"},
        {"reason": REASON, "customer_id": str(ben.user_id)},
        {"reason": REASON, "external_id": {"entity": "users", "system": "hr", "external_id": "1"}},
        {"reason": REASON, "external_id": {"system": "The ERP", "external_id": "1"}},
        {"reason": REASON, "external_id": {"system": "erp", "external_id": "1" * 256}},
        {"reason": REASON, "external_id": {"system": "erp", "external_id": 1}},
    ):
        refused = await ben.post("/v1/access-requests", json=body)
        assert refused.status_code == 422, body
    for number in range(20):
        await ask(ben, tax_id=f"B{number}")
    many = await ben.post("/v1/access-requests", json={"reason": REASON, "tax_id": "B20"})
    assert (many.status_code, many.json()["code"]) == (429, "too_many_requests")
    assert many.headers["retry-after"] == "86400"
    pages = (await ben.get("/v1/access-requests", params={"limit": 15})).json()
    rest = (await ben.get("/v1/access-requests", params={"limit": 15, "cursor": pages["next_cursor"]})).json()
    assert (len(pages["items"]), len(rest["items"]), rest["next_cursor"]) == (15, 5, None)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=1))
    await grant("sales", "customers", "read", "open", "all")
    assert (await ben.get("/v1/access-requests", params={"mine": "false"})).json()["items"] == []
