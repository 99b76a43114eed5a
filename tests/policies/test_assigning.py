"""Assignees by hand and by what they own: who and why, told as far as one may see it; and how each reason ends."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.api.records import make
from tests.conftest import Client, People
from tests.contracts.worlds import fetch, fingerprint
from tests.policies.steps import change, create, revoke, status

AsProfile = Callable[..., Awaitable[Client]]


async def why(client: Client, customer: dict[str, Any]) -> dict[str, tuple[str | None, list[str]]]:
    """Each assignee's role and the records that are their reasons."""
    answer = await client.get(f"/v1/customers/{customer['id']}/assignees")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return {each["user_id"]: (each["role"], [of["record_id"] for of in each["reasons"]]) for each in items}


async def test_who_is_assigned_and_why_is_told_as_far_as_one_may_see_the_records(
    administrator: Client, as_profile: AsProfile, ana: Client, ben: Client
) -> None:
    support, stranger = await as_profile("support"), await as_profile("sales")
    customer = await create(ana, "customers")
    owned = {"customer_id": customer["id"], "owner_id": str(ben.user_id)}
    lead = await make(administrator, "leads", last_name="Ruiz", **owned)
    call = await make(administrator, "activities", kind="call", subject="Call", **owned)
    everything = {str(ana.user_id): ("owner", []), str(ben.user_id): (None, [call["id"], lead["id"]])}
    assert await why(ana, customer) == await why(ben, customer) == everything
    assert list(await why(ana, customer)) == list(everything)
    # Support sees no leads: neither the record nor that it is a reason.
    assert (await why(support, customer))[str(ben.user_id)] == (None, [call["id"]])
    await revoke("support", "activities", "read", "open")
    assert (await why(support, customer))[str(ben.user_id)] == (None, [])
    missing = await stranger.get(f"/v1/customers/{customer['id']}/assignees")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_reason_lasts_as_long_as_the_record_is_theirs_and_to_be_done_there(
    administrator: Client, ana: Client, ben: Client
) -> None:
    customer, other = await create(ana, "customers"), await create(ana, "customers")
    kinds = {"leads": {"last_name": "Ruiz"}, "opportunities": {"name": "Ten"}}
    kinds |= {"activities": {"kind": "call", "subject": "Call"}}
    reached = 200
    for kind, body in kinds.items():
        record = await make(administrator, kind, customer_id=customer["id"], owner_id=str(ben.user_id), **body)
        path = f"/v1/{kind}/{record['id']}"
        steps: list[tuple[str, str, dict[str, Any], int]] = [
            ("PATCH", path, {"owner_id": str(ana.user_id)}, 404),
            ("PATCH", path, {"owner_id": str(ben.user_id)}, reached),
            ("PATCH", path, {"customer_id": other["id"]}, 404),
            ("PATCH", path, {"customer_id": customer["id"]}, reached),
            ("DELETE", path, {}, 404),
            ("POST", f"{path}/restore", {}, reached),
        ]
        if kind == "activities":
            steps += [
                ("POST", f"{path}/done", {"outcome": "reached"}, 404),
                ("PATCH", path, {"state": "planned"}, reached),
                ("PATCH", path, {"state": "cancelled"}, 404),
                ("DELETE", path, {}, 404),
                ("POST", f"{path}/restore", {}, 404),
                ("PATCH", path, {"state": "planned"}, reached),
            ]
        assert await status(ben, "customers", customer) == 200
        for method, at, given, expected in steps:
            answer = await administrator.request(method, at, **({"json": given} if given else {}))
            assert answer.status_code in (200, 204), answer.text
            assert await status(ben, "customers", customer) == expected, (kind, method, given)
        assert (await administrator.delete(path)).status_code == 204


async def test_somebody_is_assigned_by_hand_and_taken_off_again(
    administrator: Client, as_profile: AsProfile, people: People, ana: Client, ben: Client
) -> None:
    customer = await create(ana, "customers")
    path = f"/v1/customers/{customer['id']}/assignees/{ben.user_id}"
    gone = await people.user("sales", active=False)
    for id in (gone, customer["id"]):
        nobody = await administrator.put(f"/v1/customers/{customer['id']}/assignees/{id}")
        assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
    given = await administrator.put(path)
    assert (given.status_code, given.headers["etag"]) == (200, '"2"')
    assert {"user_id": str(ben.user_id), "role": "assignee"} in given.json()["assignees"]
    assert (await administrator.put(path)).headers["etag"] == '"2"'
    assert await why(ben, customer) == {str(ana.user_id): ("owner", []), str(ben.user_id): ("assignee", [])}
    assert (await change(ben, "customers", customer, description="Theirs to change")).status_code == 200
    # Owning something there besides, they stay for that.
    deal = await make(ben, "opportunities", name="Ten", customer_id=customer["id"])
    assert (await administrator.delete(path)).status_code == 204
    assert (await why(ana, customer))[str(ben.user_id)] == (None, [deal["id"]])
    told = (await ana.get(f"/v1/customers/{customer['id']}/timeline", params={"type": "customer.unassigned"})).json()
    assert [each["changes"] for each in told["items"]] == [
        {"assignees": [[{"user_id": str(ben.user_id), "role": "assignee"}], []]}
    ]
    before = await fingerprint()
    for user in (ben, ana):
        refused = await administrator.delete(f"/v1/customers/{customer['id']}/assignees/{user.user_id}")
        assert (refused.status_code, refused.json()["code"]) == (409, "still_responsible")
    assert await fingerprint() == before
    await administrator.put(path)
    await administrator.delete(f"/v1/opportunities/{deal['id']}")
    assert await status(ben, "customers", customer) == 200
    assert (await administrator.delete(path)).status_code == 204
    assert await status(ben, "customers", customer) == 404
    assert (await administrator.delete(path)).status_code == 404
    # The owner stays the owner, and an archived customer gets nobody.
    await administrator.put(f"/v1/customers/{customer['id']}/assignees/{ana.user_id}")
    assert await why(ana, customer) == {str(ana.user_id): ("owner", [])}
    await administrator.delete(f"/v1/customers/{customer['id']}")
    assert (await administrator.put(path)).json()["code"] == "archived"


async def test_assigning_by_hand_needs_the_right_to_assign_and_reach(
    administrator: Client, as_profile: AsProfile, ana: Client, ben: Client
) -> None:
    manager, marketing = await as_profile("manager"), await as_profile("marketing")
    customer, nobodys = await create(ana, "customers"), await create(administrator, "customers", owner_id=None)
    before = await fingerprint()
    for who, expected in ((ana, 403), (ben, 404), (manager, 404), (marketing, 403)):
        path = f"/v1/customers/{customer['id']}/assignees/{ben.user_id}"
        assert (await who.put(path)).status_code == expected
        assert (await who.delete(path)).status_code == expected
    by_body = await change(ana, "customers", customer, assignees=[])
    assert (by_body.status_code, by_body.json()["code"]) == (422, "read_only_field")
    assert await fingerprint() == before
    given = await manager.put(f"/v1/customers/{nobodys['id']}/assignees/{ben.user_id}")
    assert given.status_code == 200, given.text
    assert (given.json()["assigned"], given.json()["owner_id"]) == (True, None)
    assert await status(ben, "customers", nobodys) == 200
    taken = await administrator.delete(f"/v1/customers/{nobodys['id']}/assignees/{ben.user_id}")
    assert taken.status_code == 204
    assert [row[0] for row in await fetch("select id::text from customers where not assigned")] == [nobodys["id"]]
