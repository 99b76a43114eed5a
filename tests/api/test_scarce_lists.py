"""Is a list whole, of which there is little among much that others have? In its beginning there is none of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.db import reach, reading
from tests.conftest import Client, People
from tests.loading import everything, loaded

# Whose each customer is: one of two, the first of whom is the manager's, or nobody's. A manager reads Ana's and those.
OWNERS = ["bea", "ana", *[""] * 5]
# Whose customer each record hangs off. What Bea has is the oldest and the newest, and as much as is looked through.
RECORDS = [0] * 130 + [2, 1, 3, 3, 0, 4, 1, 5] + [0] * 130
TEAMS = [number for number, customer in enumerate(RECORDS) if OWNERS[customer] != "bea"]
MAPPINGS: dict[str, dict[str, Any]] = {
    "contacts": {"columns": {"name": "last_name"}},
    "leads": {"columns": {"name": "last_name"}},
    "opportunities": {"columns": {"name": "name"}},
    "activities": {"columns": {"name": "subject"}, "constants": {"kind": "call"}},
}


@pytest.fixture(params=[10_000, 3], ids=["few", "many"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of nobody's customers four have records: few, or more than count as few."""
    monkeypatch.setattr(reach, "FEW", request.param)
    reading._compiled.cache_clear()
    yield
    reading._compiled.cache_clear()


@pytest.fixture
async def manager(administrator: Client, people: People) -> Client:
    id = await people.user("manager")
    await people.user("sales", username="ana", manager=id)
    await people.user("sales", username="bea")
    owned = {"columns": {"name": "name", "owner": {"to": "owner", "by": "username"}}}
    customers = "\n".join(f"C{number},{owner}" for number, owner in enumerate(OWNERS))
    await loaded(administrator, "customers", f"name,owner\n{customers}", owned)
    return await people.client(id)


@pytest.mark.parametrize("entity", MAPPINGS)
async def test_what_others_have_more_of_is_found_to_the_last(
    entity: str, few: None, manager: Client, administrator: Client, seen: list[str]
) -> None:
    mapping = MAPPINGS[entity]
    columns = mapping["columns"] | {"customer": {"to": "customer", "by": "name"}}
    rows = "\n".join(f"{number:03},C{customer}" for number, customer in enumerate(RECORDS))
    done = await loaded(administrator, entity, f"name,customer\n{rows}", mapping | {"columns": columns})
    assert done["counts"]["created"] == len(RECORDS)
    orders: list[dict[str, str]] = [
        {},
        {"sort": "created_at"},
        *([] if entity == "activities" else [{"sort": "name"}, {"sort": "-name"}]),
    ]
    for order in orders:
        whole = (await manager.get(f"/v1/{entity}", params=order | {"limit": 200, "count": "exact"})).json()
        assert sorted(numbers(whole["items"])) == TEAMS
        seen.clear()
        page_by_page = await everything(manager, f"/v1/{entity}", limit=2, **order)
        assert numbers(page_by_page) == numbers(whole["items"])
        assert seen[:2] == ["beginning", "scarce"]


def numbers(items: list[dict[str, Any]]) -> list[int]:
    return [int(item.get("name") or item["subject"]) for item in items]
