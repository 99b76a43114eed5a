"""Which records somebody reaches: their own, their team's, nobody's, and what is read through the customer."""

from collections.abc import Awaitable, Callable

from uuid_utils.compat import uuid7

from tests.conftest import Client, People
from tests.contracts.worlds import fingerprint
from tests.policies.steps import change, create, grant, revoke, status

AsProfile = Callable[..., Awaitable[Client]]


async def test_out_of_reach_is_404_and_seen_but_not_to_be_changed_403(as_profile: AsProfile) -> None:
    ana, ben, marketing = await as_profile("sales"), await as_profile("sales"), await as_profile("marketing")
    customer = await create(ana, "customers")
    path = f"/v1/customers/{customer['id']}"
    assert (await ben.patch(path, json={"description": "x"})).status_code == 404
    assert (await ben.delete(path)).status_code == 404
    assert (await marketing.patch(path, json={"description": "x"})).status_code == 403
    assert (await marketing.delete(path)).status_code == 403
    assert (await ana.delete(path)).status_code == 403


async def test_a_hidden_field_of_a_record_out_of_reach_is_404_too(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    assert (await change(ben, "customers", customer, credit_limit="1")).status_code == 404
    refused = await change(ana, "customers", customer, credit_limit="1")
    assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")


async def test_a_manager_reaches_the_team_down_the_tree_and_no_other(people: People, as_profile: AsProfile) -> None:
    director = await as_profile("manager")
    middle = await as_profile("manager", manager=director.user_id)
    seller = await as_profile("sales", manager=middle.user_id)
    stranger = await as_profile("manager")
    customer = await create(seller, "customers")
    assert [await status(each, "customers", customer) for each in (director, middle, seller, stranger)] == [
        200, 200, 200, 404,
    ]  # fmt: skip
    theirs = await create(director, "customers")
    assert [await status(each, "customers", theirs) for each in (middle, seller)] == [404, 404]


async def test_nobodys_records_are_seen_by_managers_who_assign_and_by_nobody_below(
    as_profile: AsProfile, administrator: Client
) -> None:
    manager, seller, marketing = [await as_profile(each) for each in ("manager", "sales", "marketing")]
    customer = await create(administrator, "customers", owner_id=None)
    contact = await create(administrator, "contacts", customer_id=customer["id"])
    nowhere = await create(administrator, "opportunities", owner_id=None)
    below = await create(administrator, "opportunities", owner_id=None, customer_id=customer["id"])
    kept = [("customers", customer), ("contacts", contact), ("opportunities", nowhere), ("opportunities", below)]
    for kind, record in kept:
        assert [await status(each, kind, record) for each in (manager, seller, marketing)] == [200, 404, 200], kind
    unassigned = await manager.get("/v1/customers", params={"assigned": "false"})
    assert [each["id"] for each in unassigned.json()["items"]] == [customer["id"]]
    claimed = await change(manager, "customers", customer, owner_id=manager.user_id)
    assert claimed.status_code == 200, claimed.text
    await revoke("manager", "customers", "assign", "open")
    other = await create(administrator, "customers", owner_id=None)
    assert await status(manager, "customers", other) == 404


async def test_contacts_and_opportunities_are_read_through_the_customer(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    manager = await as_profile("administrator")
    customer = await create(ana, "customers")
    contact = await create(ana, "contacts", customer_id=customer["id"])
    anas = await create(ana, "opportunities", customer_id=customer["id"])
    for kind, record in (("contacts", contact), ("opportunities", anas)):
        assert (await status(ana, kind, record), await status(ben, kind, record)) == (200, 404)
    await create(manager, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)
    for kind, record in (("contacts", contact), ("opportunities", anas), ("customers", customer)):
        assert await status(ben, kind, record) == 200, kind


async def test_a_colleagues_opportunity_is_seen_and_not_moved_but_the_shared_customer_is_changed(
    as_profile: AsProfile, administrator: Client
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    anas = await create(ana, "opportunities", customer_id=customer["id"])
    await create(administrator, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)
    assert (await change(ben, "opportunities", anas, description="x")).status_code == 403
    moved = await ben.post(f"/v1/opportunities/{anas['id']}/stage", json={"stage": "qualification"})
    assert moved.status_code == 403
    assert (await change(ben, "customers", customer, description="x")).status_code == 200


async def test_an_opportunity_without_a_customer_is_its_owners(as_profile: AsProfile) -> None:
    manager = await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    opportunity = await create(ana, "opportunities")
    assert [await status(each, "opportunities", opportunity) for each in (ana, manager, ben)] == [200, 200, 404]


async def test_reading_takes_the_narrower_of_the_two_reaches(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    opportunity = await create(ana, "opportunities", customer_id=customer["id"])
    await grant("sales", "opportunities", "read", "open", "all")
    assert await status(ben, "opportunities", opportunity) == 404
    await grant("sales", "customers", "read", "open", "all")
    assert await status(ben, "opportunities", opportunity) == 200


async def test_what_is_created_under_a_foreign_customer_is_404_and_nothing_is_written(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer, bens = await create(ana, "customers"), await create(ben, "customers")
    contact = await create(ana, "contacts", customer_id=customer["id"])
    mine = await create(ben, "contacts", customer_id=bens["id"])
    before = await fingerprint()
    for kind, body in (
        ("contacts", {"first_name": "Eva", "customer_id": customer["id"]}),
        ("opportunities", {"name": "New", "customer_id": customer["id"]}),
        ("opportunities", {"name": "New", "contacts": [{"contact_id": contact["id"]}]}),
        ("opportunities", {"name": "New", "lines": [{"product_id": str(uuid7())}]}),
        ("customers", {"name": "New", "parent_id": customer["id"]}),
        ("customers", {"name": "New", "relations": [{"customer_id": customer["id"], "kind": "partner"}]}),
    ):
        for key in ({}, {"Idempotency-Key": str(uuid7())}):
            answer = await ben.post(f"/v1/{kind}", json=body, headers=key)
            assert answer.status_code in (404, 422), answer.text
    for kind, record, body in (
        ("contacts", mine, {"customer_id": customer["id"]}),
        ("contacts", mine, {"reports_to_id": contact["id"]}),
        ("customers", bens, {"referred_by_id": customer["id"]}),
    ):
        assert (await ben.patch(f"/v1/{kind}/{record['id']}", json=body)).status_code == 404
    assert await fingerprint() == before


async def test_a_foreign_id_in_a_body_is_answered_as_one_never_used(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    answers = []
    for id in (customer["id"], str(uuid7())):
        answer = await ben.post("/v1/contacts", json={"first_name": "Eva", "customer_id": id})
        answers.append((answer.status_code, answer.json() | {"request_id": ""}))
    assert answers[0] == answers[1]
    assert answers[0][1]["errors"][0]["pointer"] == "/customer_id"


async def test_naming_another_owner_needs_the_right_to_assign(as_profile: AsProfile) -> None:
    manager = await as_profile("manager")
    ana = await as_profile("sales", manager=manager.user_id)
    ben = await as_profile("sales")
    for owner in (str(ben.user_id), None):
        refused = await ana.post("/v1/customers", json={"name": "New", "owner_id": owner})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/owner_id")
    mine = await create(ana, "customers", owner_id=ana.user_id)
    for owner in (str(ben.user_id), None):
        assert (await change(ana, "customers", mine, owner_id=owner)).status_code == 403
    assert (await change(ana, "customers", mine, owner_id=ana.user_id)).status_code == 200
    assert (await change(manager, "customers", mine, owner_id=ben.user_id)).status_code == 200


async def test_a_body_that_claims_ownership_does_not_make_it_so(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    assert (await change(ben, "customers", customer, owner_id=ben.user_id)).status_code == 404
    upserted = await ben.put("/v1/customers/by/erp/1", json={"name": "Mine", "id": customer["id"]})
    assert upserted.status_code == 422
