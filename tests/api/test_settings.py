"""The company's settings over HTTP, and what follows from them."""

from typing import Any

import pytest

from tests.api.records import make, problems
from tests.conftest import Client


async def require(client: Client, **minimum: list[str]) -> None:
    answer = await client.patch("/v1/settings", json={"minimum_information": minimum})
    assert answer.status_code == 200, answer.text


async def test_settings_are_read_and_changed(administrator: Client) -> None:
    before = await administrator.get("/v1/settings")
    assert (before.json()["country"], before.json()["currency"]) == ("ES", "EUR")
    minimum = {"customers": ["name"], "activity_reports": ["outcome"]}
    assert before.json()["minimum_information"] == minimum
    change = {"company_name": "Talleres Ebro", "holidays": ["2027-01-01"], "time_zone": "europe/rome"}
    after = await administrator.patch("/v1/settings", json=change, headers={"If-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json() == before.json() | change | {
        "time_zone": "Europe/Rome",
        "version": before.json()["version"] + 1,
    }
    stale = await administrator.patch("/v1/settings", json=change, headers={"If-Match": before.headers["etag"]})
    assert stale.status_code == 412
    for named in (after.headers["etag"], "*", f"W/{after.headers['etag']}", f'"7777", {after.headers["etag"]}'):
        assert (await administrator.patch("/v1/settings", json={}, headers={"If-Match": named})).status_code == 200, (
            named
        )
    same = await administrator.patch("/v1/settings", json=change)
    assert same.headers["etag"] == after.headers["etag"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "XX"}, "/country"),
        ({"currency": "ESP"}, "/currency"),
        ({"time_zone": "Madrid"}, "/time_zone"),
        ({"country": None}, "/country"),
        ({"languages": []}, "/languages"),
        ({"minimum_information": {"customers": ["nme"]}}, "/minimum_information/customers/0"),
        ({"minimum_information": {"forms": []}}, "/minimum_information/forms"),
        ({"minimum_information": {"~/": []}}, "/minimum_information/~0~1"),
        ({"minimum_information": {str(number): [] for number in range(9)}}, "/minimum_information"),
        ({"business_hours": [{"weekday": 1, "opens": "10:00", "closes": "09:00"}]}, "/business_hours/0"),
        ({"contry": "ES"}, "/contry"),
    ],
)
async def test_wrong_settings_are_refused(administrator: Client, change: dict[str, Any], pointer: str) -> None:
    assert {place for place, _ in problems(await administrator.patch("/v1/settings", json=change))} == {pointer}


async def test_the_nearest_entity_and_field_are_named(administrator: Client) -> None:
    minimum = {"custmers": ["name"], "activity_reports": ["outcom"], "leads": ["first_name", "emial"]}
    answer = await administrator.patch("/v1/settings", json={"minimum_information": minimum})
    assert answer.status_code == 422
    assert {tuple(each.values()) for each in answer.json()["errors"]} == {
        ("/minimum_information/custmers", "unknown_entity", "No such entity; did you mean customers?"),
        ("/minimum_information/activity_reports/0", "unknown_field", "No such field; did you mean outcome?"),
        ("/minimum_information/leads/1", "unknown_field", "No such field; did you mean emails?"),
    }


async def test_only_who_may_configure_changes_them(as_profile: Any) -> None:
    answer = await (await as_profile("manager")).patch("/v1/settings", json={"country": "IT"})
    assert answer.status_code == 403


async def test_the_minimum_is_asked_for_on_every_way_in(administrator: Client) -> None:
    before = await make(administrator, "customers", name="Before")
    await require(administrator, customers=["name", "sector", "emails"])
    missing = {("/sector", "required_information"), ("/emails", "required_information")}
    created = await administrator.post("/v1/customers", json={"name": "Acme"})
    assert problems(created) == missing
    assert created.json()["code"] == "required_information"
    assert problems(await administrator.put("/v1/customers/by/erp/1", json={"name": "Acme"})) == missing
    assert problems(await administrator.patch(f"/v1/customers/{before['id']}", json={"employees": 1})) == missing
    whole = {"name": "Acme", "sector": "retail", "emails": [{"address": "a@acme.example"}]}
    made = await administrator.put("/v1/customers/by/erp/1", json=whole)
    assert made.status_code == 201
    cleared = await administrator.patch(f"/v1/customers/{made.json()['id']}", json={"sector": None, "emails": []})
    assert problems(cleared) == missing
    assert problems(await administrator.put("/v1/customers/by/erp/1", json={"sector": None})) == {
        ("/sector", "required_information")
    }


async def test_a_customer_needs_a_name_as_shipped(administrator: Client) -> None:
    for body in ({}, {"name": ""}, {"name": "  "}, {"name": None}):
        answer = await administrator.post("/v1/customers", json=body)
        assert {pointer for pointer, _ in problems(answer)} == {"/name"}
    assert (await administrator.post("/v1/customers", json={})).json()["code"] == "required_information"


async def test_lists_in_tables_of_their_own_can_be_required(administrator: Client) -> None:
    product = await make(administrator, "products", name="Valve")
    empty = await make(administrator, "opportunities", name="Empty")
    await require(administrator, opportunities=["lines"])
    missing = {("/lines", "required_information")}
    assert problems(await administrator.post("/v1/opportunities", json={"name": "V"})) == missing
    made = await make(administrator, "opportunities", name="V", lines=[{"product_id": product["id"]}])
    url = f"/v1/opportunities/{made['id']}"
    assert (await administrator.patch(url, json={"name": "W"})).status_code == 200
    assert problems(await administrator.patch(url, json={"lines": []})) == missing
    assert problems(await administrator.patch(f"/v1/opportunities/{empty['id']}", json={"name": "W"})) == missing


async def test_numbers_of_new_customers_begin_with_the_prefix(administrator: Client) -> None:
    await administrator.patch("/v1/settings", json={"customer_number_prefix": "K/"})
    assert (await make(administrator, "customers", name="A"))["number"].startswith("K/0")


@pytest.mark.parametrize("blank", ["", "  ", None])
async def test_a_blank_name_is_a_missing_one(administrator: Client, blank: str | None) -> None:
    created = await administrator.post("/v1/customers", json={"name": blank})
    assert (created.status_code, created.json()["code"]) == (422, "required_information")
    id = (await administrator.post("/v1/customers", json={"name": "Acme"})).json()["id"]
    changed = await administrator.patch(f"/v1/customers/{id}", json={"name": blank})
    assert (changed.status_code, changed.json()["code"]) == (422, "required_information")


async def test_what_somebody_may_not_give_is_not_asked_of_them(administrator: Client, as_profile: Any) -> None:
    id = (await administrator.post("/v1/customers", json={"name": "Acme"})).json()["id"]
    await administrator.patch("/v1/settings", json={"minimum_information": {"customers": ["name", "tax_id"]}})
    support = await as_profile("support")
    answer = await support.patch(f"/v1/customers/{id}", json={"description": "Closed on Mondays"})
    assert answer.status_code == 200, answer.text
    answer = await administrator.patch(f"/v1/customers/{id}", json={"description": "Open on Mondays"})
    assert (answer.status_code, answer.json()["code"]) == (422, "required_information")
