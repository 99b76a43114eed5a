"""Contacts over HTTP."""

from typing import Any

from tests.api.records import make, problems
from tests.conftest import Client


async def test_a_contact_belongs_to_a_customer_and_has_a_name(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    made = await make(administrator, "contacts", first_name="Ana", last_name="Ruiz", customer_id=customer["id"])
    assert made["name"] == "Ana Ruiz"
    changed = await administrator.patch(f"/v1/contacts/{made['id']}", json={"first_name": None})
    assert changed.json()["name"] == "Ruiz"
    nameless = await administrator.patch(f"/v1/contacts/{made['id']}", json={"last_name": ""})
    assert problems(nameless) == {("/last_name", "required_information")}
    alone = await administrator.post("/v1/contacts", json={"last_name": "Ruiz"})
    assert problems(alone) == {("/customer_id", "required_information")}


async def test_telephones_are_dialled_from_the_contacts_own_country(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    values = {"phones": [{"number": "06 1234 5678"}], "addresses": [{"country": "IT"}]}
    made = await make(administrator, "contacts", last_name="Rossi", customer_id=customer["id"], **values)
    assert made["phones"][0]["number"] == "+390612345678"
    wrong = await administrator.patch(f"/v1/contacts/{made['id']}", json={"emails": [{"address": "no"}]})
    assert problems(wrong) == {("/emails/0/address", "email")}


async def test_a_contact_is_seen_through_its_customer(administrator: Client, as_profile: Any) -> None:
    seller = await as_profile("sales")
    theirs = await make(administrator, "customers", name="Theirs")
    mine = await make(seller, "customers", name="Mine")
    hidden = await make(administrator, "contacts", last_name="Hidden", customer_id=theirs["id"])
    shared = await make(administrator, "contacts", last_name="Shared", customer_id=mine["id"])
    assert [each["id"] for each in (await seller.get("/v1/contacts")).json()["items"]] == [shared["id"]]
    assert (await seller.get(f"/v1/contacts/{hidden['id']}")).status_code == 404
    assert (await seller.patch(f"/v1/contacts/{shared['id']}", json={"job_title": "CEO"})).status_code == 200
    refused = await seller.post("/v1/contacts", json={"last_name": "X", "customer_id": theirs["id"]})
    assert problems(refused, 404) == {("/customer_id", "not_found")}


async def test_a_contact_of_an_archived_customer_is_not_made(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    await administrator.delete(f"/v1/customers/{customer['id']}")
    answer = await administrator.post("/v1/contacts", json={"last_name": "X", "customer_id": customer["id"]})
    assert problems(answer, 404) == {("/customer_id", "not_found")}


async def test_nobody_reports_to_themselves(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    made = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    answer = await administrator.patch(f"/v1/contacts/{made['id']}", json={"reports_to_id": made["id"]})
    assert problems(answer) == {("/reports_to_id", "names_itself")}
