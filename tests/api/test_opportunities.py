"""Opportunities over HTTP: what they begin with, their lines and contacts, whose they are."""

from typing import Any

from tests.api.records import make, problems
from tests.conftest import Client


async def test_an_opportunity_begins_in_the_first_stage_and_is_its_makers(administrator: Client) -> None:
    made = await make(administrator, "opportunities", name="Valves")
    assert (made["stage"], made["stage_kind"], made["probability"]) == ("reception", "open", 10)
    assert (made["owner_id"], made["closed_at"], made["lost_reason"]) == (str(administrator.user_id), None, None)
    assert made["opened_at"] is not None
    pipelines = (await administrator.get("/v1/pipelines?entity=opportunities")).json()["items"]
    assert made["pipeline_id"] == pipelines[0]["id"]


async def test_what_is_given_is_kept(administrator: Client) -> None:
    values = {"opened_at": "2020-02-03T09:00:00+01:00", "probability": 33, "expected_close_on": "2027-01-31"}
    made = await make(administrator, "opportunities", name="Valves", **values)
    assert made["opened_at"].startswith("2020-02-03T08:00:00")
    assert (made["probability"], made["expected_close_on"]) == (33, "2027-01-31")
    url = f"/v1/opportunities/{made['id']}"
    cleared = (await administrator.patch(url, json={"opened_at": None, "probability": None})).json()
    assert cleared["opened_at"] == made["created_at"]
    assert cleared["probability"] == 10, "the stage's"


async def test_its_stage_is_not_changed_by_writing_to_it(administrator: Client) -> None:
    made = await make(administrator, "opportunities", name="Valves")
    for name, value in (("stage", "won"), ("stage_kind", "won"), ("lost_reason", "price"), ("closed_at", None)):
        answer = await administrator.patch(f"/v1/opportunities/{made['id']}", json={name: value})
        assert problems(answer) == {(f"/{name}", "read_only_field")}
        assert problems(await administrator.post("/v1/opportunities", json={"name": "x", name: value})) == {
            (f"/{name}", "read_only_field")
        }


async def test_money_has_the_digits_of_its_currency(administrator: Client) -> None:
    valve = await make(administrator, "products", name="Valve")
    lines = [{"product_id": valve["id"], "quantity": "1.5", "unit_price": "10.6"}]
    yen = await make(
        administrator, "opportunities", name="V", amount="99.5", currency="JPY", competitor_price=1.2, lines=lines
    )
    assert (yen["amount"], yen["competitor_price"], yen["lines"][0]["unit_price"]) == ("100", "1", "11")
    euro = await make(administrator, "opportunities", name="V", lines=lines)
    assert (euro["currency"], euro["lines"][0]["unit_price"]) == ("EUR", "10.60")
    too_long = lines[0] | {"unit_price": "999999999999999.999"}
    answer = await administrator.post("/v1/opportunities", json={"name": "V", "lines": [lines[0], too_long]})
    assert problems(answer) == {("/lines/1/unit_price", "too_many_digits")}


async def test_lines_and_contacts_are_replaced_whole(administrator: Client) -> None:
    valve = await make(administrator, "products", name="Valve", price="12.5")
    pipe = await make(administrator, "products", name="Pipe")
    customer = await make(administrator, "customers", name="Acme")
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    made = await make(
        administrator, "opportunities", name="V", customer_id=customer["id"],
        lines=[{"product_id": valve["id"]}, {"product_id": pipe["id"], "quantity": "2", "unit_price": "3.00"}],
        contacts=[{"contact_id": contact["id"], "role": "decision_maker"}],
    )  # fmt: skip
    assert made["lines"] == [
        {"product_id": valve["id"], "quantity": "1", "unit_price": "12.50"},
        {"product_id": pipe["id"], "quantity": "2", "unit_price": "3.00"},
    ]
    assert made["contacts"] == [{"contact_id": contact["id"], "role": "decision_maker"}]
    url = f"/v1/opportunities/{made['id']}"
    same = (await administrator.patch(url, json={"lines": made["lines"], "contacts": made["contacts"]})).json()
    assert same["version"] == 1
    changed = (await administrator.patch(url, json={"lines": [{"product_id": pipe["id"]}]})).json()
    assert changed["lines"] == [{"product_id": pipe["id"], "quantity": "1", "unit_price": None}]
    assert changed["contacts"] == made["contacts"]
    assert changed["version"] == 2


async def test_lines_and_contacts_name_records_that_are_there(administrator: Client) -> None:
    nobody = "0198c0de-0000-7000-8000-000000000000"
    for name, item in (("lines", {"product_id": nobody}), ("contacts", {"contact_id": nobody})):
        answer = await administrator.post("/v1/opportunities", json={"name": "V", name: [item]})
        assert problems(answer, 404) == {(f"/{name}/0/{next(iter(item))}", "not_found")}
    answer = await administrator.post("/v1/opportunities", json={"name": "V", "pipeline_id": nobody})
    assert problems(answer) == {("/pipeline_id", "not_found")}


async def test_whoever_owns_one_can_open_its_customer(administrator: Client, as_profile: Any) -> None:
    seller = await as_profile("sales")
    customer = await make(administrator, "customers", name="Acme")
    assert (await seller.get(f"/v1/customers/{customer['id']}")).status_code == 404
    values = {"customer_id": customer["id"], "owner_id": str(seller.user_id)}
    made = await make(administrator, "opportunities", name="V", **values)
    assert (await seller.get(f"/v1/customers/{customer['id']}")).status_code == 200
    await administrator.patch(f"/v1/opportunities/{made['id']}", json={"owner_id": str(administrator.user_id)})
    assert (await seller.get(f"/v1/customers/{customer['id']}")).status_code == 404


async def test_what_was_won_keeps_customer_and_amount(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    made = await make(administrator, "opportunities", name="V", customer_id=customer["id"], amount="1")
    url = f"/v1/opportunities/{made['id']}"
    for stage in ("qualification", "proposal", "negotiation", "won"):
        assert (await administrator.post(f"{url}/stage", json={"stage": stage})).status_code == 200
    for name in ("customer_id", "amount"):
        assert problems(await administrator.patch(url, json={name: None})) == {(f"/{name}", "required_information")}


async def test_a_line_takes_its_products_price_only_in_its_own_currency(administrator: Client) -> None:
    product = {"name": "GTX", "price": "550", "currency": "USD"}
    id = (await administrator.post("/v1/products", json=product)).json()["id"]
    for currency, price in (("USD", "550.00"), ("EUR", None)):
        body = {
            "name": "Ten of them",
            "currency": currency,
            "amount": "1",
            "lines": [{"product_id": id, "quantity": "10"}],
        }
        line = (await administrator.post("/v1/opportunities", json=body)).json()["lines"][0]
        assert line == {"product_id": id, "quantity": "10", "unit_price": price}


async def test_what_is_closed_was_opened_before(administrator: Client) -> None:
    made = await make(administrator, "opportunities", name="Valves")
    url = f"/v1/opportunities/{made['id']}"
    await administrator.post(f"{url}/stage", json={"stage": "lost", "lost_reason": "price"})
    answer = await administrator.patch(url, json={"opened_at": "2031-01-01T00:00:00Z"})
    assert problems(answer) == {("/opened_at", "closed_before_opened")}
    assert (await administrator.patch(url, json={"opened_at": "2020-01-01T00:00:00Z"})).status_code == 200
