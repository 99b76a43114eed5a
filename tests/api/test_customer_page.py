"""A customer's page: what the record and the lists say, in one answer."""

from typing import Any

from tests.api.records import TO_WON, make, opportunity
from tests.conftest import Client
from tests.policies.steps import grant, revoke


async def page(client: Client, customer: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/v1/customers/{customer['id']}/page")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    body: dict[str, Any] = answer.json()
    return body


async def listed(client: Client, kind: str, customer: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/{kind}", params={"customer_id": customer["id"], "limit": 200} | parameters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def furnish(client: Client, **values: Any) -> dict[str, Any]:
    """A customer with a primary contact between two others, 22 activities, and opportunities of every kind."""
    customer = await make(client, "customers", name="Acero", tax_id="B12345678", **values)
    of: dict[str, Any] = {"customer_id": customer["id"]}
    for name, primary in (("Ana", False), ("Eva", True), ("Ben", False)):
        await make(client, "contacts", first_name=name, primary=primary, hobbies=["golf"], **of)
    for number in range(22):
        await make(client, "activities", kind="call", subject=f"Call {number}", **of)
    for name, stages in (("open", ()), ("later", TO_WON[:2]), ("won", TO_WON), ("lost", ("lost",))):
        await opportunity(client, *stages, name=name, amount="100", **of)
    return customer


async def test_a_page_is_the_customer_and_the_first_of_what_its_lists_show(administrator: Client) -> None:
    customer, other = await furnish(administrator), await make(administrator, "customers", name="Other")
    await make(administrator, "contacts", first_name="Of another", customer_id=other["id"])
    gone = await make(administrator, "contacts", first_name="Gone", customer_id=customer["id"])
    assert (await administrator.delete(f"/v1/contacts/{gone['id']}")).status_code == 204
    shown = await page(administrator, customer)
    assert shown["customer"] == (await administrator.get(f"/v1/customers/{customer['id']}")).json()
    assert shown["customer"]["assignees"], "what is computed too"
    contacts = await listed(administrator, "contacts", customer)
    assert shown["contacts"] == sorted(contacts, key=lambda each: not each["primary"])
    assert [each["first_name"] for each in shown["contacts"]] == ["Eva", "Ben", "Ana"]
    assert shown["activities"] == (await listed(administrator, "activities", customer))[:20]
    assert shown["activities"][0]["subject"] == "Call 21"
    assert shown["opportunities"] == await listed(administrator, "opportunities", customer, stage_kind="open")
    assert [each["name"] for each in shown["opportunities"]] == ["later", "open"]
    assert shown["counts"] == {"contacts": 3, "activities": 22, "opportunities": 4, "open_opportunities": 2}

    assert (await administrator.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    archived = await page(administrator, customer)
    assert archived["customer"]["archived_at"] is not None
    assert (archived["contacts"], archived["activities"], archived["opportunities"]) == ([], [], [])
    assert archived["counts"] == dict.fromkeys(shown["counts"], 0)


async def test_each_section_of_a_page_is_under_its_own_access(as_profile: Any, administrator: Client) -> None:
    ana, ben, support = await as_profile("sales"), await as_profile("sales"), await as_profile("support")
    customer = await furnish(administrator, owner_id=str(ana.user_id))
    whole = await page(ana, customer)
    assert whole["counts"] == {"contacts": 3, "activities": 22, "opportunities": 4, "open_opportunities": 2}
    for answer in (
        await ben.get(f"/v1/customers/{customer['id']}/page"),
        await ana.get(f"/v1/customers/{ana.user_id}/page"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    # Closed: nothing, and no number either. Hidden fields are left out of every part.
    seen = await page(support, customer)
    assert seen["opportunities"] is None
    assert seen["counts"] == {"contacts": 3, "activities": 22, "opportunities": None, "open_opportunities": None}
    assert seen["customer"]["id"] == customer["id"]
    assert "tax_id" not in seen["customer"]
    assert "hobbies" not in seen["contacts"][0]
    assert "hobbies" in whole["contacts"][0]

    # Who reaches all customers, and only their own customers' contacts.
    await revoke("sales", "customers", "read", "open")
    await grant("sales", "customers", "read", "open", "all")
    narrow = await page(ben, customer)
    assert narrow["customer"]["name"] == "Acero"
    assert (narrow["contacts"], narrow["activities"], narrow["opportunities"]) == ([], [], [])
    assert narrow["counts"] == dict.fromkeys(narrow["counts"], 0)
    assert (await page(ana, customer))["counts"] == whole["counts"]
    # Whoever is let in sees what its owner sees, from the next request on.
    put = await administrator.put(f"/v1/customers/{customer['id']}/assignees/{ben.user_id}", json={})
    assert put.status_code in (200, 201, 204), put.text
    assert (await page(ben, customer))["contacts"] == whole["contacts"]
    await revoke("sales", "activities", "read", "open")
    closed = await page(ben, customer)
    assert (closed["activities"], closed["counts"]["activities"]) == (None, None)


async def test_a_manager_sees_the_pages_of_their_team_and_of_nobodys_customers(
    as_profile: Any, administrator: Client
) -> None:
    manager = await as_profile("manager")
    member = await as_profile("sales", manager=manager.user_id)
    theirs = await make(member, "customers", name="Theirs")
    nobodys = await make(administrator, "customers", name="Nobody's", owner_id=None)
    for customer in (theirs, nobodys):
        await make(administrator, "contacts", first_name="Eva", customer_id=customer["id"])
        assert (await page(manager, customer))["counts"]["contacts"] == 1
    # Without the right to assign customers, what is nobody's is out of reach.
    await revoke("manager", "customers", "assign", "open")
    assert (await manager.get(f"/v1/customers/{nobodys['id']}/page")).status_code == 404
    assert (await page(manager, theirs))["counts"]["contacts"] == 1
