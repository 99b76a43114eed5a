"""Lists: filters by type, sort with nulls last, pages by key, chosen fields, counts, and what they refuse."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.domain import listing
from app.settings import derived_keys
from tests.api.records import found, make, problems
from tests.conftest import Client

# name, and what differs: A has everything, D nothing.
CUSTOMERS: dict[str, dict[str, Any]] = {
    "A": {
        "kind": "company", "employees": 10, "annual_revenue": "50000", "sector": "retail", "tags": ["x", "y"],
        "website": "alpha.example", "tax_id": "A-1", "birth_month": 3,
    },
    "B": {"kind": "person", "employees": 20, "annual_revenue": "150000.50", "sector": "finance", "tags": ["y"]},
    "C": {"kind": "company", "employees": 30, "annual_revenue": "2000000", "sector": "retail", "tags": ["z"],
          "website": "gamma.example"},
    "D": {},
}  # fmt: skip


@pytest.fixture
async def customers(administrator: Client) -> dict[str, dict[str, Any]]:
    return {name: await make(administrator, "customers", name=name, **values) for name, values in CUSTOMERS.items()}


FOUND = [
    ("sector=retail", "AC"),
    ("sector=retail&sector=finance", "ABC"),
    ("sector__ne=retail", "BD"),
    ("sector__ne=retail&sector__ne=finance", "D"),
    ("sector__is_null=true", "D"),
    ("sector__is_null=false", "ABC"),
    ("kind=person", "B"),
    ("kind__ne=person", "ACD"),
    ("employees=20", "B"),
    ("employees=10&employees=30", "AC"),
    ("employees__ne=20", "ACD"),
    ("employees__gt=20", "C"),
    ("employees__gte=20", "BC"),
    ("employees__lt=20", "A"),
    ("employees__lte=20", "AB"),
    ("employees__gte=10&employees__lt=30", "AB"),
    ("employees__is_null=true", "D"),
    ("annual_revenue=150000.5", "B"),
    ("annual_revenue__gt=50000.00", "BC"),
    ("annual_revenue__lte=150000.50", "AB"),
    ("annual_revenue_band=over_1m", "C"),
    ("name=A&name=D", "AD"),
    ("name__ne=A", "BCD"),
    ("name__contains=b", "B"),
    ("name__starts=c", "C"),
    ("name__contains=%25", ""),
    ("website=https://alpha.example", "A"),
    ("website=alpha.example", "A"),
    ("website__contains=MMA", "C"),
    ("website__starts=https://a", "A"),
    ("website__is_null=true", "BD"),
    ("tax_id__starts=a-", "A"),
    ("tax_id__contains=_1", ""),
    ("birth_month=3", "A"),
    ("tags=x", "A"),
    ("tags=x&tags=z", "AC"),
    ("tags__all=x&tags__all=y", "A"),
    ("tags__none=y", "CD"),
    ("tags__none=y&tags__none=z", "D"),
    ("assigned=true", "ABCD"),
    ("assigned=false", ""),
    ("created_at__gt=2020-01-01T00:00:00Z", "ABCD"),
    ("created_at__lt=2020-01-01T00:00:00%2B02:00", ""),
    ("lifecycle_stage_entered_at__is_null=true", "ABCD"),
    ("sector=retail&employees__gt=10&tags=z", "C"),
    ("archived=true", ""),
]


async def test_every_operator_finds_what_its_type_lets_it(administrator: Client, customers: Any) -> None:
    for query, names in FOUND:
        answer = await administrator.get(f"/v1/customers?sort=name&count=exact&{query}")
        assert answer.status_code == 200, answer.text
        assert "".join(each["name"] for each in answer.json()["items"]) == names, query
        assert answer.json()["total"] == len(names)


async def test_dates_and_ids_are_filtered_by(administrator: Client, customers: Any) -> None:
    a = customers["A"]["id"]
    await make(administrator, "opportunities", name="O", customer_id=a, expected_close_on="2026-12-31")
    await make(administrator, "opportunities", name="P", expected_close_on="2027-01-01")
    await make(administrator, "opportunities", name="Q")
    for query, names in (
        ({"customer_id": a}, ["O"]),
        ({"customer_id__ne": a}, ["P", "Q"]),
        ({"customer_id__is_null": "true"}, ["P", "Q"]),
        ({"expected_close_on": "2026-12-31"}, ["O"]),
        ({"expected_close_on__gt": "2026-12-31"}, ["P"]),
        ({"expected_close_on__lte": "2026-12-31"}, ["O"]),
        ({"stage": "reception", "probability__gte": 10}, ["O", "P", "Q"]),
        ({"stage__ne": "reception"}, []),
        ({"stage_kind": "open", "owner_id": str(administrator.user_id)}, ["O", "P", "Q"]),
    ):
        assert await found(administrator, "opportunities", sort="name", **query) == names, query


@pytest.mark.parametrize(
    ("query", "pointer", "code", "hint"),
    [
        ("sectr=retail", "/query/sectr", "unknown_parameter", "sector"),
        ("employees__contains=1", "/query/employees__contains", "unknown_parameter", ""),
        ("sector__gt=retail", "/query/sector__gt", "unknown_parameter", ""),
        ("sort=-employes", "/query/sort", "unknown_field", "employees"),
        ("sort=description", "/query/sort", "unknown_field", ""),
        ("sort=name,-name", "/query/sort", "repeated", ""),
        ("fields=id,nme", "/query/fields", "unknown_field", "name"),
        ("country=Spain", "/query/country", "country", ""),
        ("source=file", "/query/source", "literal_error", "import"),
        ("sector=retial", "/query/sector", "unknown_option", "retail"),
        ("sector__ne=retial", "/query/sector__ne", "unknown_option", "retail"),
        ("employees=many", "/query/employees", "whole_number", ""),
        ("employees__gt=1&employees__gt=2", "/query/employees__gt", "repeated", ""),
        ("annual_revenue=NaN", "/query/annual_revenue", "decimal", ""),
        ("created_at__gt=2026-01-01", "/query/created_at__gt", "instant", ""),
        ("owner_id=me", "/query/owner_id", "uuid_parsing", ""),
        ("count=all", "/query/count", "literal_error", "exact"),
        ("limit=0", "/query/limit", "greater_than_equal", ""),
        ("limit=201", "/query/limit", "less_than_equal", ""),
        ("limit=1&limit=2", "/query/limit", "repeated", ""),
        ("archived=perhaps", "/query/archived", "bool_parsing", ""),
        ("cursor=abc", "/query/cursor", "invalid_cursor", ""),
    ],
)
async def test_a_wrong_question_is_refused_with_what_was_meant(
    administrator: Client, query: str, pointer: str, code: str, hint: str
) -> None:
    answer = await administrator.get(f"/v1/customers?{query}")
    assert problems(answer) == {(pointer, code)}
    assert answer.json()["code"] == code
    assert hint in answer.json()["errors"][0]["message"]


async def test_all_that_is_wrong_is_said_at_once(administrator: Client) -> None:
    answer = await administrator.get("/v1/customers?sectr=a&limit=0&sort=x")
    assert {pointer for pointer, _ in problems(answer)} == {"/query/sectr", "/query/limit", "/query/sort"}


async def test_stages_are_options_too(administrator: Client) -> None:
    answer = await administrator.get("/v1/opportunities?stage=negotation")
    assert problems(answer) == {("/query/stage", "unknown_option")}
    assert "negotiation" in answer.json()["detail"]
    for section, query, code in (
        ("opportunities", "stage_kind=foo", "literal_error"),
        ("activities", "state=foo", "literal_error"),
        ("imports", "state=foo", "literal_error"),
        ("imports", "entity=custmers", "unknown_option"),
    ):
        answer = await administrator.get(f"/v1/{section}?{query}")
        assert problems(answer) == {(f"/query/{query.partition('=')[0]}", code)}


async def test_countries_are_filtered_by_as_they_are_written(administrator: Client) -> None:
    await make(administrator, "customers", name="Acme", addresses=[{"country": "es"}])
    for value in ("ES", "es", " es "):
        assert await found(administrator, "customers", country=value) == ["Acme"]
    assert await found(administrator, "customers", country__ne="es") == []


async def test_nulls_come_last_in_both_directions(administrator: Client, customers: Any) -> None:
    await make(administrator, "customers", name="E")
    assert await found(administrator, "customers", sort="employees,name") == ["A", "B", "C", "D", "E"]
    assert await found(administrator, "customers", sort="-employees,name") == ["C", "B", "A", "D", "E"]
    assert await found(administrator, "customers", sort="-employees,-name") == ["C", "B", "A", "E", "D"]


async def test_names_sort_without_accents_and_case(administrator: Client) -> None:
    for name in ("ábaco", "Zeta", "Acero", "ÑANDÚ", "nata", "Álamo"):
        await make(administrator, "customers", name=name)
    expected = ["ábaco", "Acero", "Álamo", "ÑANDÚ", "nata", "Zeta"]
    assert await found(administrator, "customers", sort="name") == expected
    assert await found(administrator, "customers", sort="-name") == expected[::-1]


async def test_without_a_sort_the_newest_come_first(administrator: Client, customers: Any) -> None:
    assert await found(administrator, "customers") == ["D", "C", "B", "A"]


async def test_pages_follow_each_other_and_end(administrator: Client, customers: Any) -> None:
    for sort in ("", "name", "-employees", "annual_revenue,-name"):
        names, cursor = [], None
        for _ in range(4):
            parameters = {"limit": 1, "count": "exact"} | ({"sort": sort} if sort else {})
            answer = await administrator.get(
                "/v1/customers", params=parameters | ({"cursor": cursor} if cursor else {})
            )
            names += [each["name"] for each in answer.json()["items"]]
            assert answer.json()["total"] == 4
            cursor = answer.json()["next_cursor"]
        assert cursor is None
        assert sorted(names) == ["A", "B", "C", "D"], sort


async def test_a_page_may_be_longer_or_show_other_fields_than_the_one_before(
    administrator: Client, customers: Any
) -> None:
    first = (await administrator.get("/v1/customers?sort=name&limit=1")).json()
    rest = {"sort": "name", "limit": 200, "fields": "name", "cursor": first["next_cursor"]}
    assert await found(administrator, "customers", **rest) == ["B", "C", "D"]


@pytest.mark.parametrize(
    "other",
    ["sort=-name", "", "sort=name&sector=retail", "sort=name&q=a", "sort=name&archived=true", "sort=name,employees"],
)
async def test_a_cursor_of_another_query_is_refused(administrator: Client, customers: Any, other: str) -> None:
    cursor = (await administrator.get("/v1/customers?sort=name&limit=1")).json()["next_cursor"]
    answer = await administrator.get(f"/v1/customers?{other}&cursor={cursor}")
    assert problems(answer) == {("/query/cursor", "invalid_cursor")}


async def test_a_cursor_that_was_changed_is_refused(administrator: Client, customers: Any) -> None:
    cursor = (await administrator.get("/v1/customers?sort=name&limit=1")).json()["next_cursor"]
    for changed in (cursor[:-2], ("B" if cursor[0] == "A" else "A") + cursor[1:], cursor + "AAAA", cursor[:22]):
        answer = await administrator.get("/v1/customers", params={"sort": "name", "cursor": changed})
        assert problems(answer) == {("/query/cursor", "invalid_cursor")}
    of_another_list = await administrator.get("/v1/products", params={"sort": "name", "cursor": cursor})
    assert problems(of_another_list) == {("/query/cursor", "invalid_cursor")}


async def test_a_cursor_outlives_a_change_of_the_secret(
    administrator: Client, customers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As access tokens do: the new one first, the old one for two more days."""
    first = (await administrator.get("/v1/customers?sort=name&limit=1")).json()
    monkeypatch.setattr(listing, "derived_keys", lambda purpose: [b"new" * 11, *derived_keys(purpose)])
    rest = {"sort": "name", "limit": "1", "cursor": first["next_cursor"]}
    second = (await administrator.get("/v1/customers", params=rest)).json()
    assert [each["name"] for each in second["items"]] == ["B"]
    rest["cursor"] = second["next_cursor"]
    assert [each["name"] for each in (await administrator.get("/v1/customers", params=rest)).json()["items"]] == ["C"]
    monkeypatch.setattr(listing, "derived_keys", lambda purpose: [b"other" * 7])
    assert problems(await administrator.get("/v1/customers", params=rest)) == {("/query/cursor", "invalid_cursor")}


async def test_a_count_comes_only_when_asked_for(administrator: Client, customers: Any) -> None:
    totals = [
        (await administrator.get(f"/v1/customers?limit=1{count}")).json()["total"]
        for count in ("", "&count=exact", "&count=estimate")
    ]
    assert totals == [None, 4, 4]


async def test_a_count_is_of_what_the_caller_reaches(
    customers: Any, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    seller = await as_profile("sales")
    await make(seller, "customers", name="Mine")
    assert (await seller.get("/v1/customers?count=exact")).json()["total"] == 1


async def test_fields_are_chosen_and_the_id_is_always_there(administrator: Client, customers: Any) -> None:
    for fields, expected in (("id,name", {"id", "name"}), ("name", {"id", "name"}), ("assignees", {"id", "assignees"})):
        item = (await administrator.get(f"/v1/customers?fields={fields}&limit=1")).json()["items"][0]
        assert set(item) == expected
    item = (await administrator.get("/v1/customers?limit=1")).json()["items"][0]
    assert {"id", "name", "phones", "version"} <= set(item)
    assert not {"assignees", "external_ids"} & set(item)


async def test_archived_records_are_listed_only_when_asked_for(administrator: Client, customers: Any) -> None:
    await administrator.delete(f"/v1/customers/{customers['B']['id']}")
    assert await found(administrator, "customers", sort="name") == ["A", "C", "D"]
    assert await found(administrator, "customers", sort="name", archived="true") == ["B"]
    assert await found(administrator, "customers", sort="name", archived="false") == ["A", "C", "D"]
    assert (await administrator.get("/v1/customers?archived=true")).json()["items"][0]["archived_at"] is not None


async def test_a_field_that_is_hidden_is_neither_filtered_nor_sorted_nor_chosen(
    customers: Any, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    marketing = await as_profile("marketing")
    for query in ("tax_id=A-1", "tax_id__is_null=true", "sort=credit_limit", "fields=tax_id", "birth_month=3"):
        answer = await marketing.get(f"/v1/customers?{query}")
        assert answer.status_code == 403, query
        assert answer.json()["code"] == "field_hidden"


async def test_a_list_without_search_text_takes_no_q(administrator: Client) -> None:
    for path in ("picklists", "pipelines", "imports"):
        answer = await administrator.get(f"/v1/{path}", params={"q": "zzz"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")


async def test_reasons_and_profiles_are_options_too(administrator: Client) -> None:
    for path, near in (("opportunities?lost_reason=prise", "price"), ("users?profile_id=salez", "sales")):
        answer = await administrator.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_option")
        assert near in answer.json()["detail"]
