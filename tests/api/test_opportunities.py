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


async def test_amounts_take_the_digits_of_another_currency_with_the_currency(administrator: Client) -> None:
    valve = await make(administrator, "products", name="Valve", price="50")
    lines = [{"product_id": valve["id"], "unit_price": "9.99"}]
    euro = await make(administrator, "opportunities", name="V", amount="100.4", currency="EUR", lines=lines)
    told = await _currency_becomes(administrator, "opportunities", euro["id"], "JPY")
    assert (told["amount"], told["lines"][0]["unit_price"]) == ("100", "10")
    told = await _currency_becomes(administrator, "opportunities", euro["id"], "EUR")
    assert (told["amount"], told["lines"][0]["unit_price"]) == ("100.00", "10.00")
    told = await _currency_becomes(administrator, "opportunities", euro["id"], None)
    assert (told["currency"], told["version"]) == ("EUR", 3), "the company's: no amount is without one"
    only_lines = await make(administrator, "opportunities", name="W", currency="JPY", lines=lines)
    told = await _currency_becomes(administrator, "opportunities", only_lines["id"], None)
    assert (told["currency"], told["lines"][0]["unit_price"]) == ("EUR", "10.00")
    yen = await make(administrator, "products", name="Pipe", price="100", currency="JPY", tax_rate="21")
    changes = {"currency": "KWD", "tax_rate": "21"}
    told = (await administrator.patch(f"/v1/products/{yen['id']}", json=changes)).json()
    assert (told["price"], told["currency"], told["tax_rate"]) == ("100.000", "KWD", "21")
    acme = await make(administrator, "customers", name="Acme", annual_revenue="5", credit_limit="7", currency="JPY")
    told = await _currency_becomes(administrator, "customers", acme["id"], "EUR")
    assert (told["annual_revenue"], told["credit_limit"]) == ("5.00", "7.00")
    line = (await administrator.get(f"/v1/customers/{acme['id']}/timeline")).json()["items"][0]
    assert line["changes"]["annual_revenue"] == ["5", "5.00"]


async def _currency_becomes(client: Client, section: str, id: str, currency: str | None) -> dict[str, Any]:
    """The record with another currency, as it is read afterwards."""
    url = f"/v1/{section}/{id}"
    answer = await client.patch(url, json={"currency": currency})
    read = (await client.get(url)).json()
    assert answer.json() == read
    return read  # type: ignore[no-any-return]


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


async def test_the_pipeline_is_one_of_opportunities_and_there(administrator: Client) -> None:
    pipelines = (await administrator.get("/v1/pipelines")).json()["items"]
    of_leads = next(each["id"] for each in pipelines if each["entity"] == "leads")
    for id in ("0198c0de-0000-7000-8000-000000000000", of_leads):
        answer = await administrator.post("/v1/opportunities", json={"name": "V", "pipeline_id": id})
        assert problems(answer, 404) == {("/pipeline_id", "not_found")}
        also = {"name": "V", "pipeline_id": id, "competitor": "nobody"}
        assert problems(await administrator.post("/v1/opportunities", json=also)) == {("/competitor", "unknown_option")}


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


async def test_what_was_archived_since_may_stay_among_lines_contacts_and_relations(administrator: Client) -> None:
    valve, pipe = [await make(administrator, "products", name=name, price="5") for name in ("Valve", "Pipe")]
    customer = await make(administrator, "customers", name="Acme")
    partner = await make(administrator, "customers", name="Partner")
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    relations = [{"customer_id": partner["id"], "kind": "partner"}]
    await administrator.patch(f"/v1/customers/{customer['id']}", json={"relations": relations})
    lists = {"lines": [{"product_id": valve["id"]}], "contacts": [{"contact_id": contact["id"]}]}
    made = await make(administrator, "opportunities", name="V", customer_id=customer["id"], **lists)
    gone = {"products": valve, "contacts": contact, "customers": partner}
    for section, record in gone.items():
        assert (await administrator.delete(f"/v1/{section}/{record['id']}")).status_code < 300
    urls = {name: f"/v1/{name}/{id}" for name, id in (("opportunities", made["id"]), ("customers", customer["id"]))}
    for section, names in (("opportunities", ("lines", "contacts")), ("customers", ("relations",))):
        read = (await administrator.get(urls[section])).json()
        answer = await administrator.patch(urls[section], json={name: read[name] for name in names})
        assert (answer.status_code, answer.json()) == (200, read), "sent back as it was read"
    more = [*made["lines"], {"product_id": pipe["id"]}]
    answer = await administrator.patch(urls["opportunities"], json={"lines": more})
    assert [line["product_id"] for line in answer.json()["lines"]] == [valve["id"], pipe["id"]]
    await administrator.patch(urls["opportunities"], json={"lines": [], "contacts": []})
    answer = await administrator.patch(urls["opportunities"], json=lists)
    missing = {("/lines/0/product_id", "not_found"), ("/contacts/0/contact_id", "not_found")}
    assert problems(answer, 404) == missing, "once away it does not come back"
