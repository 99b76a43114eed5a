"""Customers over HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.seeds import remember_anew
from app.db.session import transaction
from tests.api.records import make, problems
from tests.conftest import Client


async def test_a_customer_is_created_read_changed_and_archived(administrator: Client) -> None:
    created = await administrator.post(
        "/v1/customers", json={"name": "Muñoz Hnos.", "website": "Munoz.es/", "emails": [{"address": "a@munoz.es"}]}
    )
    assert created.status_code == 201, created.text
    customer = created.json()
    assert customer["number"].startswith("C-0")
    assert customer["website"] == "https://munoz.es"
    assert customer["assignees"] == [{"user_id": str(administrator.user_id), "role": "owner"}]
    read = await administrator.get(created.headers["location"])
    assert read.json() == customer
    changed = await administrator.patch(
        f"/v1/customers/{customer['id']}", json={"sector": "retail"}, headers={"If-Match": created.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["sector"] == "retail"
    assert changed.headers["etag"] == '"2"'
    listed = await administrator.get(
        "/v1/customers", params={"sector": "retail", "q": "munoz", "sort": "name", "count": "exact"}
    )
    assert listed.status_code == 200, listed.text
    assert [each["id"] for each in listed.json()["items"]] == [customer["id"]]
    assert listed.json()["total"] == 1
    archived = await administrator.delete(f"/v1/customers/{customer['id']}")
    assert archived.status_code == 204, archived.text
    restored = await administrator.post(f"/v1/customers/{customer['id']}/restore")
    assert restored.status_code == 200, restored.text
    timeline = await administrator.get(f"/v1/customers/{customer['id']}/timeline")
    assert [each["type"] for each in timeline.json()["items"]] == [
        "customer.restored",
        "customer.archived",
        "customer.changed",
        "customer.created",
    ]


async def scalar(statement: str, **values: Any) -> Any:
    async with transaction("system") as session:
        return await session.scalar(text(statement), values)


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
        ("/phones/1/number", "phone")
    }


async def test_one_telephone_and_one_e_mail_are_primary(administrator: Client) -> None:
    emails = [{"address": f"{name}@acme.example", "primary": name != "a"} for name in "abc"]
    customer = await make(administrator, "customers", name="A", emails=emails)
    assert [each["primary"] for each in customer["emails"]] == [False, True, False]


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


async def test_the_lifecycle_stage_keeps_its_stays(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="A", lifecycle_stage="potential")
    url = f"/v1/customers/{customer['id']}"
    for stage in ("customer", "customer", None, "lost"):
        changed = (await administrator.patch(url, json={"lifecycle_stage": stage})).json()
        assert (changed["lifecycle_stage_entered_at"] is None) == (stage is None)
    async with transaction("system") as session:
        stays = (
            await session.execute(
                text(
                    "select stage, entered_at, left_at, by from stage_stays where field = 'lifecycle_stage' order by id"
                )
            )
        ).all()
    assert [each.stage for each in stays] == ["potential", "customer", "lost"]
    assert stays[0].left_at == stays[1].entered_at
    assert stays[1].left_at is not None
    assert stays[2].left_at is None
    assert {each.by for each in stays} == {administrator.user_id}


async def test_a_tax_id_belongs_to_one_customer_in_use(administrator: Client) -> None:
    first = await make(administrator, "customers", name="A", tax_id="B12345678")
    assert await taken(
        administrator, await administrator.post("/v1/customers", json={"name": "B", "tax_id": "B12345678"})
    )
    await administrator.delete(f"/v1/customers/{first['id']}")
    second = await make(administrator, "customers", name="B", tax_id="B12345678")
    assert await taken(administrator, await administrator.post(f"/v1/customers/{first['id']}/restore"))
    assert (await administrator.get(f"/v1/customers/{first['id']}")).json()["archived_at"] is not None
    await administrator.patch(f"/v1/customers/{second['id']}", json={"tax_id": None})
    assert (await administrator.post(f"/v1/customers/{first['id']}/restore")).status_code == 200


async def taken(client: Client, answer: httpx.Response) -> bool:
    return problems(answer, 409) == {("/tax_id", "duplicate")} and answer.json()["code"] == "duplicate"


async def test_archiving_takes_along_what_belongs_and_restoring_brings_exactly_that_back(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    other = await make(administrator, "customers", name="Other")
    part = {"customer_id": customer["id"]}
    kept = [("contacts", await make(administrator, "contacts", last_name="Ruiz", **part)),
            ("opportunities", await make(administrator, "opportunities", name="Valves", **part))]  # fmt: skip
    gone_before = [("contacts", await make(administrator, "contacts", last_name="Gone", **part)),
                   ("opportunities", await make(administrator, "opportunities", name="Gone", **part))]  # fmt: skip
    foreign = await make(administrator, "contacts", last_name="Foreign", customer_id=other["id"])

    async def archived(entity: str, record: dict[str, Any]) -> bool:
        return (await administrator.get(f"/v1/{entity}/{record['id']}")).json()["archived_at"] is not None

    for entity, record in gone_before:
        await administrator.delete(f"/v1/{entity}/{record['id']}")
    assert (await administrator.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    assert [await archived(*each) for each in kept] == [True, True]
    assert not await archived("contacts", foreign)
    operations = (
        "select count(distinct operation_id) from events where type like '%.archived' and record_id = any(:ids)"
    )
    assert await scalar(operations, ids=[customer["id"], *(record["id"] for _, record in kept)]) == 1
    alone = await administrator.post(f"/v1/contacts/{kept[0][1]['id']}/restore")
    assert (alone.status_code, alone.json()["code"]) == (409, "archived")
    assert (await administrator.patch(f"/v1/customers/{customer['id']}", json={"employees": 1})).json()[
        "code"
    ] == "archived"
    assert (await administrator.post(f"/v1/customers/{customer['id']}/restore")).status_code == 200
    assert [await archived(*each) for each in kept] == [False, False]
    assert [await archived(*each) for each in gone_before] == [True, True]
    for entity, record in gone_before:
        assert (await administrator.post(f"/v1/{entity}/{record['id']}/restore")).status_code == 200
    again = await administrator.delete(f"/v1/customers/{customer['id']}")
    twice = await administrator.delete(f"/v1/customers/{customer['id']}")
    assert (again.status_code, twice.status_code) == (204, 204)


async def test_an_id_in_a_body_must_be_there_for_the_caller(administrator: Client, as_profile: Any) -> None:
    foreign = await make(administrator, "customers", name="Acme")
    seller = await as_profile("sales")
    for id in (foreign["id"], "0198c0de-0000-7000-8000-000000000000"):
        answer = await seller.post("/v1/customers", json={"name": "Mine", "parent_id": id})
        assert problems(answer, 404) == {("/parent_id", "not_found")}
        relations = [{"customer_id": id, "kind": "supplier"}]
        answer = await seller.post("/v1/customers", json={"name": "Mine", "relations": relations})
        assert problems(answer, 404) == {("/relations/0/customer_id", "not_found")}


async def test_no_customer_is_its_own_parent(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    answer = await administrator.patch(f"/v1/customers/{customer['id']}", json={"parent_id": customer["id"]})
    assert problems(answer) == {("/parent_id", "names_itself")}


async def test_null_clears(administrator: Client) -> None:
    values = {"employees": 3, "sector": "retail", "website": "acme.example", "birth_month": 2, "annual_revenue": "1"}
    customer = await make(administrator, "customers", name="Acme", **values)
    cleared = await administrator.patch(f"/v1/customers/{customer['id']}", json=dict.fromkeys(values))
    assert [cleared.json()[name] for name in values] == [None] * len(values)


async def test_a_birthday_is_a_day_that_there_is(administrator: Client) -> None:
    assert await refusals(administrator, birth_day=30, birth_month=2) == {("/birth_day", "date")}
    assert (await make(administrator, "customers", name="A", birth_day=29, birth_month=2))["birth_day"] == 29


async def test_a_chain_of_parents_does_not_close(administrator: Client) -> None:
    ids = [(await administrator.post("/v1/customers", json={"name": name})).json()["id"] for name in ("A", "B", "C")]
    for child, parent in ((1, 0), (2, 1)):
        answer = await administrator.patch(f"/v1/customers/{ids[child]}", json={"parent_id": ids[parent]})
        assert answer.status_code == 200, answer.text
    closed = await administrator.patch(f"/v1/customers/{ids[0]}", json={"parent_id": ids[2]})
    assert (closed.status_code, closed.json()["errors"][0]["pointer"], closed.json()["code"]) == (
        409,
        "/parent_id",
        "loop",
    )
    assert (await administrator.get(f"/v1/customers/{ids[0]}")).json()["parent_id"] is None
