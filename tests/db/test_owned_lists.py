"""Is what somebody owns found where it is, however little or old it is, and page by page in order?"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.db.reach import Reach
from app.db.reading import Shape
from tests.api.records import least, make
from tests.conftest import Client
from tests.contracts.worlds import execute
from tests.db.many import COPIES, copy, plan_for, plan_for_any
from tests.loading import everything


@pytest.mark.parametrize("entity", ["customers", "leads", "opportunities", "activities"])
@pytest.mark.parametrize("after", [None, (False,)])
async def test_the_newest_of_one_owner_are_looked_up_among_what_they_own(
    administrator: Client, entity: str, after: tuple[bool, ...] | None
) -> None:
    """With a plan for whomever it may be: who owns nothing is not looked for among all records that there are."""
    customer = await make(administrator, "customers", name="Toro")
    if entity != "customers":
        await make(administrator, entity, **least(entity, customer["id"]))
    await copy(entity)
    shape = Shape(entity, Reach("all"), ("id",), filters=(("owner_id", "is"),), after=after)
    said = await plan_for_any(shape, owner_id__is=uuid4(), after_0=str(uuid4()))
    assert f"{entity}_owner_id_id_idx" in said, said
    assert f"{entity}_pkey" not in said, said
    assert f"Seq Scan on {entity}" not in said, said


@pytest.mark.parametrize("after", [None, (False,)])
async def test_the_newest_that_one_has_are_looked_up_among_what_they_own(
    administrator: Client, after: tuple[bool, ...] | None
) -> None:
    """However many came later, and are nobody's."""
    await make(administrator, "customers", name="Toro")
    await copy("customers")
    half = UUID(f"00000000-0000-7000-8000-{COPIES // 2:012}")
    await execute("update customers set owner_id = null where id > $1", half)
    await execute("analyze customers")
    shape = Shape("customers", Reach("own", alone=True), ("id",), after=after)
    said = await plan_for(shape, reached=[administrator.user_id], after_0=str(half))
    assert "Index Scan Backward using customers_owner_id_id_idx" in said, said


OWNERS = ("ana", "bea", "eva")


@pytest.fixture
async def owned(
    administrator: Client, make_user: Callable[..., Awaitable[UUID]]
) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """The customers of three, made in turns, of two sectors, with names in no order: by owner, in the order of time."""
    ids = {name: str(await make_user(username=name, profile="sales", password=str(uuid4()))) for name in OWNERS}
    made: dict[str, tuple[str, list[dict[str, Any]]]] = {name: (id, []) for name, id in ids.items()}
    for n in range(18):
        id, records = made[OWNERS[n % 2]]
        values = {"name": f"{n * 7 % 5} Toro", "sector": ("retail", "finance")[n % 3 == 0], "owner_id": id}
        records.append(await make(administrator, "customers", **values))
    return made


@pytest.mark.parametrize(
    ("asked", "sector", "key", "descending"),
    [
        ({}, None, lambda record: record["id"], True),
        ({"sort": "name"}, None, lambda record: (record["name"], record["id"]), False),
        ({"sort": "-name"}, None, lambda record: (record["name"], record["id"]), True),
        ({"sort": "name", "sector": "retail"}, "retail", lambda record: (record["name"], record["id"]), False),
        ({"sort": "-name", "sector": "finance"}, "finance", lambda record: (record["name"], record["id"]), True),
    ],
)
async def test_page_by_page_each_of_an_owner_is_shown_once_in_order(
    administrator: Client,
    owned: dict[str, tuple[str, list[dict[str, Any]]]],
    asked: dict[str, str],
    sector: str | None,
    key: Callable[[dict[str, Any]], Any],
    descending: bool,
) -> None:
    for owner_id, records in owned.values():
        wanted = [record for record in records if sector in (None, record["sector"])]
        expected = [record["id"] for record in sorted(wanted, key=key, reverse=descending)]
        for limit in (1, 4, 50):
            found = await everything(administrator, "/v1/customers", **asked, owner_id=owner_id, limit=limit)
            assert [item["id"] for item in found] == expected
