"""Files of thousands of rows: none is worth more than its share of the time."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.entities import fields
from tests.conftest import Client
from tests.contracts.worlds import execute
from tests.loading import everything, loaded

PRODUCTS = {"match_on": "sku", "columns": {"sku": "sku", "name": "name", "price": "price"}}
MANY = 2_100


def file(raised: int, besides: int = 0) -> str:
    """A price list, on which all but one are raised."""
    lines = (f"S{number},Product {number},{number + raised * (number != besides)}.50" for number in range(1, MANY + 1))
    return "sku,name,price\n" + "\n".join(lines)


async def test_each_of_thousands_of_rows_changes_its_record_once(administrator: Client) -> None:
    assert (await loaded(administrator, "products", file(0), PRODUCTS))["counts"]["created"] == MANY
    done = await loaded(administrator, "products", file(1, besides=1_500), PRODUCTS)
    assert done["counts"] == {"created": 0, "updated": MANY - 1, "unchanged": 1, "refused": 0, "merged": 0}
    found = {each["sku"]: (each["price"], each["version"]) for each in await everything(administrator, "/v1/products")}
    expected = {f"S{number}": (f"{number + 1}.50", 2) for number in range(1, MANY + 1)}
    assert found == expected | {"S1500": ("1500.50", 1)}


async def test_no_model_is_made_for_a_row(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await loaded(administrator, "products", "sku,name,price\nS,Product,1\n", PRODUCTS)
    await loaded(administrator, "products", "sku,name,price\nS,Product,2\n", PRODUCTS)

    def made(*_: Any, **__: Any) -> None:
        pytest.fail("It takes longer to make a model than to check a row by it")

    monkeypatch.setattr(fields, "create_model", made)
    done = await loaded(administrator, "products", "sku,name,price\nS,Product,3\n", PRODUCTS)
    assert done["counts"]["updated"] == 1


async def test_the_keys_of_a_record_follow_what_a_file_changes(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "website": "website", "email": "emails.address"}}
    size = {"match_on": "name", "columns": {"name": "name", "employees": "employees"}}

    async def keys() -> set[tuple[str, str]]:
        async with transaction("system") as session:
            return {(row.kind, row.key) for row in await session.execute(text("select kind, key from match_keys"))}

    before = {("name", "acme"), ("domain", "old.example"), ("email", "a@acme.example")}
    await loaded(administrator, "customers", "name,website,email\nAcme,https://old.example,a@acme.example\n", mapping)
    assert await keys() == before
    await loaded(administrator, "customers", "name,employees\nAcme,7\n", size)
    assert await keys() == before
    await loaded(administrator, "customers", "name,website,email\nAcme,https://new.example,b@acme.example\n", mapping)
    assert await keys() == before - {("domain", "old.example")} | {
        ("domain", "new.example"),
        ("email", "b@acme.example"),
    }


@pytest.fixture
async def left_alone(database: None) -> AsyncIterator[None]:
    """PostgreSQL does not look at these tables by itself, whatever other tests left behind there."""
    for table in ("products", "external_ids"):
        await execute(f"alter table {table} set (autovacuum_enabled = false)")
    yield
    for table in ("products", "external_ids"):
        await execute(f"alter table {table} reset (autovacuum_enabled)")


async def test_a_table_that_is_taken_for_empty_is_looked_at_anew(left_alone: None, administrator: Client) -> None:
    """PostgreSQL takes it for empty if it looks at it while an attempt is on, after one that came to nothing."""
    products = "where oid = 'public.products'::regclass"  # The seeds are kept in a table of the same name.
    known = text(f"select reltuples from pg_class {products}")
    async with transaction("system") as session:
        await session.execute(text(f"update pg_class set reltuples = 0, relpages = 100 {products}"))
        assert await session.scalar(known) == 0
    await loaded(administrator, "products", "sku,name,price\nA,Product,1\nB,Product,2\n", PRODUCTS)
    async with transaction("system") as session:
        assert await session.scalar(known) == 2


async def test_what_is_taken_for_empty_is_looked_at_after_many_new_rows(
    left_alone: None, administrator: Client
) -> None:
    """The next file may name its records by what that table holds."""
    ids = "where oid = 'public.external_ids'::regclass"
    await execute(f"update pg_class set reltuples = 0, relpages = 100 {ids}")
    mapping = PRODUCTS | {"external_system": "erp", "columns": PRODUCTS["columns"] | {"sku": ["sku", "external_id"]}}
    await loaded(administrator, "products", file(0), mapping)
    async with transaction("system") as session:
        assert await session.scalar(text(f"select reltuples from pg_class {ids}")) == MANY


async def test_tags_of_a_file_are_kept_once_as_those_of_a_body(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "tags": "tags"}}

    async def tags() -> list[str]:
        (acme,) = await everything(administrator, "/v1/customers")
        return list((await administrator.get(f"/v1/customers/{acme['id']}")).json()["tags"])

    await loaded(administrator, "customers", 'name,tags\nAcme,"VIP;new; vip"\nacme,"New;old"\n', mapping)
    assert await tags() == ["VIP", "new", "old"]
    again = await loaded(administrator, "customers", 'name,tags\nacme,"OLD;Vip;vip"\n', mapping)
    assert again["counts"]["unchanged"] == 1
    await loaded(administrator, "customers", 'name,tags\nAcme,"Gone;vip;gone"\n', mapping)
    assert await tags() == ["VIP", "new", "old", "Gone"]
