"""What customers' fields take, refuse, and what follows from them."""

from typing import Any

import pytest
from sqlalchemy import text

from app.db.seeds import remember_anew
from app.db.session import transaction
from tests.api.records import make, problems
from tests.conftest import Client


async def refusals(client: Client, **values: Any) -> set[tuple[str, str]]:
    return problems(await client.post("/v1/customers", json={"name": "Acme"} | values))


async def test_telephones_are_written_as_e164_in_the_country_of_the_address_or_else_the_companys(
    administrator: Client,
) -> None:
    phones = [{"number": "06 1234 5678"}, {"kind": "mobile", "number": "+34 600 123 456"}]
    italian = await make(administrator, "customers", name="A", phones=phones, addresses=[{"country": "it"}])
    assert [each["number"] for each in italian["phones"]] == ["+390612345678", "+34600123456"]
    spanish = await make(administrator, "customers", name="B", phones=[{"number": "912 34 56 78"}])
    assert spanish["phones"] == [{"kind": "landline", "number": "+34912345678", "primary": True}]
    await administrator.patch("/v1/settings", json={"country": "FR"})
    french = await make(administrator, "customers", name="C", phones=[{"number": "01 23 45 67 89"}])
    assert french["phones"][0]["number"] == "+33123456789"
    assert await refusals(administrator, phones=[{"number": "+34600123456"}, {"number": "12"}]) == {
        ("/phones/1/number", "phone_too_short")
    }


async def test_one_telephone_and_one_e_mail_are_primary(administrator: Client) -> None:
    emails = [{"address": f"{name}@acme.example", "primary": name != "a"} for name in "abc"]
    customer = await make(administrator, "customers", name="A", emails=emails)
    assert [each["primary"] for each in customer["emails"]] == [False, True, False]


@pytest.mark.parametrize(
    ("entity", "needed"),
    [
        *((entity, {"name": "A"}) for entity in ("customers", "opportunities", "products")),
        ("leads", {"last_name": "A"}),
        ("activities", {"kind": "task", "subject": "A"}),
    ],
)
async def test_of_tags_alike_but_for_case_and_blanks_the_first_is_kept(
    administrator: Client, entity: str, needed: dict[str, str]
) -> None:
    made = await make(administrator, entity, **needed, tags=["VIP", "a", " vip ", "á", "a", "B  c", "b C"])
    assert made["tags"] == ["VIP", "a", "á", "B  c"]
    changed = await administrator.patch(f"/v1/{entity}/{made['id']}", json={"tags": ["vip", "VIP"]})
    assert (changed.status_code, changed.json()["tags"]) == (200, ["vip"])


async def test_e_mails_are_checked(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="A", emails=[{"address": " Ana.Ruiz@EXAMPLE.com "}])
    assert customer["emails"][0]["address"] == "Ana.Ruiz@example.com"
    for wrong in ("ana", "ana@", "@example.com", "a b@example.com", "ana@example"):
        assert {pointer for pointer, _ in await refusals(administrator, emails=[{"address": wrong}])} == {
            "/emails/0/address"
        }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("EXAMPLE.com/", "https://example.com"),
        ("http://www.example.com/Tienda?a=1", "http://www.example.com/Tienda?a=1"),
        ("muñoz.es", "https://xn--muoz-hqa.es"),
        ("", None),
    ],
)
async def test_websites_are_normalised(administrator: Client, given: str, kept: str | None) -> None:
    assert (await make(administrator, "customers", name="A", website=given))["website"] == kept


@pytest.mark.parametrize("wrong", ["javascript:alert(1)", "ftp://example.com", "http://localhost", "a b.example"])
async def test_what_is_no_website_is_refused(administrator: Client, wrong: str) -> None:
    assert await refusals(administrator, website=wrong) == {("/website", "website")}


@pytest.mark.parametrize(
    ("amount", "currency", "kept"),
    [
        ("1234.505", "EUR", "1234.51"),
        ("1234", "EUR", "1234.00"),
        (1234.5, None, "1234.50"),
        ("1234.5", "JPY", "1235"),
        ("1.2345", "KWD", "1.235"),
        ("0", "EUR", "0.00"),
    ],
)
async def test_money_has_the_digits_of_its_currency(
    administrator: Client, amount: Any, currency: str | None, kept: str
) -> None:
    values = {"annual_revenue": amount} | ({"currency": currency} if currency else {})
    customer = await make(administrator, "customers", name="A", **values)
    assert (customer["annual_revenue"], customer["currency"]) == (kept, currency or "EUR")


async def test_another_currency_takes_the_amounts_along(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="A", annual_revenue="1234.56", credit_limit="10.40")
    changed = await administrator.patch(f"/v1/customers/{customer['id']}", json={"currency": "JPY"})
    assert (changed.json()["annual_revenue"], changed.json()["credit_limit"]) == ("1235", "10")


async def test_an_amount_that_rounding_makes_too_long_is_refused(administrator: Client) -> None:
    assert await refusals(administrator, annual_revenue="999999999999999.999") == {
        ("/annual_revenue", "too_many_digits")
    }


async def test_options_are_active_ones_and_an_unknown_one_names_the_nearest(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="A", sector="retail")
    answer = await administrator.post("/v1/customers", json={"name": "B", "sector": "technolgy"})
    assert problems(answer) == {("/sector", "unknown_option")}
    assert "technology" in answer.json()["errors"][0]["message"]
    async with transaction("system") as session:
        await session.execute(text("update options set active = false where key = 'retail'"))
        await remember_anew(session)
    assert await refusals(administrator, sector="retail") == {("/sector", "unknown_option")}
    kept = await administrator.patch(f"/v1/customers/{customer['id']}", json={"sector": "retail", "employees": 1})
    assert kept.status_code == 200, "what was chosen while it was active stays"
    nested = {"addresses": [{"kind": "mian"}], "traits": [{"kind": "x", "values": ["y"]}]}
    assert await refusals(administrator, **nested) == {
        ("/addresses/0/kind", "unknown_option"),
        ("/traits/0/kind", "unknown_option"),
    }


async def test_the_revenue_band_follows_the_revenue(administrator: Client) -> None:
    bands = [
        ("0", "under_100k"),
        ("99999.99", "under_100k"),
        ("100000", "to_500k"),
        ("500000", "to_1m"),
        ("1e6", "over_1m"),
    ]
    customer = await make(administrator, "customers", name="A")
    url = f"/v1/customers/{customer['id']}"
    for revenue, band in bands:
        amount = float(revenue) if "e" in revenue else revenue
        changed = (await administrator.patch(url, json={"annual_revenue": amount})).json()
        assert changed["annual_revenue_band"] == band, revenue
    against = (await administrator.patch(url, json={"annual_revenue_band": "under_100k"})).json()
    assert against["annual_revenue_band"] == "over_1m", "the amount is known, so the band is not given"
    cleared = (await administrator.patch(url, json={"annual_revenue": None})).json()
    assert cleared["annual_revenue_band"] is None
    known = (await administrator.patch(url, json={"annual_revenue_band": "to_1m"})).json()
    assert (known["annual_revenue"], known["annual_revenue_band"]) == (None, "to_1m")


async def test_geography_follows_the_primary_address(administrator: Client) -> None:
    main = {"kind": "main", "city": "Teruel", "province": "Teruel", "region": "Aragón", "country": "ES"}
    billing = {"kind": "billing", "municipality": "Torino", "region": "Piemonte", "country": "IT"}
    customer = await make(administrator, "customers", name="A", addresses=[billing, main])
    names = ("country", "region", "province", "municipality")
    assert [customer[name] for name in names] == ["ES", "Aragón", "Teruel", "Teruel"]
    url = f"/v1/customers/{customer['id']}"
    moved = (await administrator.patch(url, json={"addresses": [billing]})).json()
    assert [moved[name] for name in names] == ["IT", "Piemonte", None, "Torino"]
    gone = (await administrator.patch(url, json={"addresses": []})).json()
    assert [gone[name] for name in names] == [None] * 4
    assert (await administrator.patch(url, json={"country": "ES"})).json()["code"] == "read_only_field"


async def test_null_clears(administrator: Client) -> None:
    values = {"employees": 3, "sector": "retail", "website": "acme.example", "birth_month": 2, "annual_revenue": "1"}
    customer = await make(administrator, "customers", name="Acme", **values)
    cleared = await administrator.patch(f"/v1/customers/{customer['id']}", json=dict.fromkeys(values))
    assert [cleared.json()[name] for name in values] == [None] * len(values)


async def test_a_birthday_is_a_day_that_there_is(administrator: Client) -> None:
    assert await refusals(administrator, birth_day=30, birth_month=2) == {("/birth_day", "day_of_month")}
    assert await refusals(administrator, birth_day=30) == {("/birth_month", "month_missing")}
    assert await refusals(administrator, birth_year=1850) == {("/birth_year", "year_out_of_range")}
    assert (await make(administrator, "customers", name="A", birth_day=29, birth_month=2))["birth_day"] == 29
