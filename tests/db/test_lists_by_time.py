"""Is what is asked for by its time found where it is, however much else there is?"""

from datetime import datetime
from typing import Any

import pytest

from app.db.reach import Reach
from app.db.reading import Shape
from tests.api.records import least, make
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.db.many import copy, plan_for, plan_for_any
from tests.loading import everything


@pytest.fixture(params=["customers", "contacts", "leads", "opportunities", "activities"])
async def newest(administrator: Client, request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """An entity, and the newest of many records of it."""
    entity = request.param
    record = await make(administrator, "customers", name="Toro")
    if entity != "customers":
        record = await make(administrator, entity, **least(entity, record["id"]))
    await copy(entity)
    return entity, record


@pytest.mark.parametrize(("field", "index"), [("created_at", "created_at_id_idx"), ("updated_at", "updated_at_idx")])
async def test_what_was_created_or_changed_since_is_looked_up_by_its_time(
    administrator: Client, newest: tuple[str, dict[str, Any]], field: str, index: str
) -> None:
    entity, record = newest
    since = record[field]
    asked = {f"{field}__gte": since, "fields": "id"}
    assert await everything(administrator, f"/v1/{entity}", **asked) == [{"id": record["id"]}]
    shape = Shape(entity, Reach("all"), ("id",), filters=((field, "gte"),))
    plan = await plan_for(shape, **{f"{field}__gte": datetime.fromisoformat(since)})
    assert f"{entity}_{index}" in plan, plan


@pytest.mark.parametrize("direction", ["", "-"])
async def test_lists_in_the_order_of_creation_are_read_in_it(
    administrator: Client, newest: tuple[str, dict[str, Any]], direction: str
) -> None:
    entity, _ = newest
    sort = f"{direction}created_at"
    plan = await plan_for_any(Shape(entity, Reach("all"), ("id",), sort=(sort,)))
    assert f"using {entity}_created_at_id_idx" in plan, plan
    order = "desc" if direction else "asc"
    expected = await fetch(f"select id::text from {entity} order by created_at {order}, id {order}")
    found = await everything(administrator, f"/v1/{entity}", sort=sort, fields="id")
    assert found == [dict(row) for row in expected]
