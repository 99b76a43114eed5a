"""Is what was created since some time found where it is, however much there was before?"""

from datetime import datetime
from uuid import uuid4

import pytest

from app.db import reading
from app.db.reach import Reach
from app.db.reading import Shape
from tests.api.records import least, make
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.db.copies import copy


@pytest.mark.parametrize("entity", ["customers", "contacts", "leads", "opportunities", "activities"])
async def test_what_was_created_since_is_looked_up_by_its_time(administrator: Client, entity: str) -> None:
    customer = await make(administrator, "customers", name="Toro")
    record = customer
    if entity != "customers":
        record = await make(administrator, entity, **least(entity, customer["id"]))
    await copy(entity)
    since = record["created_at"]
    found = await administrator.get(f"/v1/{entity}", params={"created_at__gte": since})
    assert [item["id"] for item in found.json()["items"]] == [record["id"]]
    shape = Shape(entity, Reach("all"), ("id",), filters=(("created_at", "gte"),))
    sql, values, planned_once = reading.statement(
        shape, {"created_at__gte": datetime.fromisoformat(since), "sid": uuid4()}
    )
    assert not planned_once
    said = "\n".join(row[0] for row in await fetch(f"explain {sql}", *values))
    assert f"{entity}_created_at_idx" in said, said
