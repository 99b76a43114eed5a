"""Paging by key against PostgreSQL's own order: every row once, in order, whatever the sort and whatever is added."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from app.db import reading
from app.db.models import table_of
from app.db.reach import Reach
from app.db.reading import Shape
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import specs
from tests.contracts.worlds import fetch

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SORTABLE = {
    name: [field for field, spec in specs(ENTITIES[name].read).items() if spec.sort]
    for name in ("customers", "opportunities", "products")
}
SEVERAL = {
    "customers": [("employees", "-name"), ("-sector", "-annual_revenue"), ("name", "employees", "-sector")],
    "opportunities": [("-amount", "expected_close_on"), ("stage_entered_at", "-name")],
    "products": [("sku", "-price")],
}
SORTS = {
    entity: [(f"{sign}{field}",) for field in fields for sign in ("", "-")] + SEVERAL[entity]
    for entity, fields in SORTABLE.items()
}
# Few values, so that many rows are equal and the id decides; none at all, so that nulls do.
NAMES = ["a", "b", "ab", "a b", "ñ", "Z", "z", "_", ""]
LISTS = [
    "phones", "emails", "addresses", "social_profiles", "relations", "traits", "important_dates", "relatives",
    "hobbies", "rewards",
]  # fmt: skip
AMOUNTS = ["0", "0.1", "0.10", "10", "9", "100000000000000.000001"]


async def plant(entity: str, count: int, seed: int) -> None:
    """Rows that differ in their sort keys, and often do not."""
    table = table_of(entity)
    async with transaction("system") as session:
        pipeline = (
            await session.execute(text("select pipeline_id, key, kind from stages where key = 'reception'"))
        ).one()
        values = []
        for i in range(count):
            n = (seed * 7919 + i * 104729) % 1009
            name, at = NAMES[n % len(NAMES)], FIRST + timedelta(microseconds=n % 3, days=n % 2)
            amount = None if n % 3 == 0 else AMOUNTS[n % len(AMOUNTS)]
            row: dict[str, Any] = {
                "id": uuid4(), "version": 1, "source": "api", "created_at": at, "created_by": SYSTEM_USER,
                "updated_at": at, "updated_by": SYSTEM_USER, "name": name, "name_key": name, "tags": [],
            }  # fmt: skip
            if entity == "customers":
                row |= {
                    "number": uuid4().hex[:20], "kind": "company", "assigned": False,
                    "employees": None if n % 4 == 0 else n % 5, "annual_revenue": amount, "credit_limit": amount,
                    "sector": None if n % 5 == 0 else ["retail", "a b", "Ñ"][n % 3],
                    "lifecycle_stage_entered_at": None if n % 2 else at,
                    **{name: [] for name in LISTS},
                }  # fmt: skip
            elif entity == "opportunities":
                row |= {
                    "opened_at": at, "pipeline_id": pipeline.pipeline_id, "stage": pipeline.key,
                    "stage_kind": pipeline.kind, "stage_entered_at": at, "amount": amount, "probability": n % 3,
                    "expected_close_on": None if n % 3 == 1 else at.date(), "closed_at": None,
                }  # fmt: skip
            else:
                row |= {
                    "sku": None if n % 2 else f"{NAMES[n % 9]}{uuid4()}", "kind": "product", "active": True,
                    "price": amount,
                }  # fmt: skip
            values.append(row)
        await session.execute(insert(table), values)


async def page(
    entity: str, sort: tuple[str, ...], limit: int, after: list[str | None] | None
) -> tuple[list[UUID], Any]:
    nulls = tuple(value is None for value in after) if after is not None else None
    shape = Shape(entity, Reach("all"), ("id",), sort=sort, limit=limit, after=nulls)
    values = {"reached": [], "sid": UUID(int=0)}
    sql, bound, _ = reading.statement(shape, values | {f"after_{i}": value for i, value in enumerate(after or ())})
    [row] = await fetch(sql, *bound)
    ids = [UUID(each["id"]) for each in orjson.loads(f"[{row['items']}]")]
    return ids, orjson.loads(row["last"]) if row["found"] > limit else None


async def in_order(entity: str, sort: tuple[str, ...]) -> list[UUID]:
    """All ids as PostgreSQL orders them by the sort keys, said plainly."""
    columns = table_of(entity).c
    keys = [(f"{key.lstrip('-')}_key" if f"{key.lstrip('-')}_key" in columns else key.lstrip("-"), key) for key in sort]
    order = [f"{column} {'desc' if key.startswith('-') else 'asc'} nulls last" for column, key in keys]
    order.append("id desc" if sort[-1].startswith("-") else "id")
    rows = await fetch(f"select id from {entity} order by {', '.join(order)}")
    return [row["id"] for row in rows]


async def walked(entity: str, sort: tuple[str, ...], limit: int, grow: bool) -> list[UUID]:
    seen: list[UUID] = []
    after, turn = None, 0
    while True:
        ids, after = await page(entity, sort, limit, after)
        seen += ids
        if after is None:
            return seen
        turn += 1
        if grow and turn < 3:
            await plant(entity, 1, seed=len(seen))


@pytest.mark.parametrize("entity", SORTABLE)
async def test_paging_gives_each_row_once_in_the_order_of_the_database(entity: str, database: None) -> None:
    await plant(entity, 60, seed=1)
    for sort in SORTS[entity]:
        expected = await in_order(entity, sort)
        assert len(expected) == 60
        for limit in (4, 59, 60):
            assert await walked(entity, sort, limit, grow=False) == expected, sort


@pytest.mark.parametrize("entity", SORTABLE)
async def test_rows_added_meanwhile_neither_skip_nor_repeat_others(entity: str, database: None) -> None:
    await plant(entity, 30, seed=3)
    for sort in SORTS[entity]:
        before = set(await in_order(entity, sort))
        seen = await walked(entity, sort, 11, grow=True)
        assert len(seen) == len(set(seen)), sort
        assert before <= set(seen), sort
        assert seen == [id for id in await in_order(entity, sort) if id in set(seen)], sort


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_sort_with_any_limit_pages_through(database: None, data: st.DataObject) -> None:
    entity = data.draw(st.sampled_from(sorted(SORTABLE)))
    fields = data.draw(st.lists(st.sampled_from(SORTABLE[entity]), min_size=1, max_size=3, unique=True))
    sort = tuple(f"{data.draw(st.sampled_from(['', '-']))}{field}" for field in fields)
    await plant(entity, data.draw(st.integers(1, 8)), seed=data.draw(st.integers(0, 10_000)))
    assert await walked(entity, sort, data.draw(st.integers(4, 60)), grow=False) == await in_order(entity, sort)
