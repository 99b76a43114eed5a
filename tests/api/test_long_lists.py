"""Is a search the same, whether what it finds stands in the beginning of a long list or anywhere?"""

from typing import Any

import pytest

from app.db import reading
from tests.conftest import Client, People
from tests.loading import loaded

OWNED = {"columns": {"name": "name", "owner": {"to": "owner", "by": "username"}}}
CUSTOMERS = 150
# Which of the customers a word stands in the names of.
WORDS = {"taller": range(150), "norte": range(0, 150, 2), "oeste": range(0, 150, 9), "ultimo": range(147, 148)}
LIMIT = 2


@pytest.fixture
async def callers(administrator: Client, people: People) -> dict[str, Client]:
    """Who reads everything, and who reads what a team of one has: every third customer."""
    manager = await people.user("manager")
    await people.user("sales", username="ana", manager=manager)
    await people.user("sales", username="bea")
    names = [" ".join([*(word for word, each in WORDS.items() if n in each), f"{n:03}"]) for n in range(CUSTOMERS)]
    rows = [f"{name},{'ana' if n % 3 == 0 else 'bea'}" for n, name in enumerate(names)]
    await loaded(administrator, "customers", "\n".join(["name,owner", *rows]), OWNED)
    return {"everything": administrator, "team": await people.client(manager)}


async def pages(client: Client, **parameters: Any) -> list[int]:
    """The numbers in the names of all that is found, page by page."""
    numbers: list[int] = []
    asked: dict[str, Any] = parameters | {"limit": LIMIT, "fields": "name"}
    while True:
        page = (await client.get("/v1/customers", params=asked)).json()
        numbers += [int(item["name"][-3:]) for item in page["items"]]
        if not page["next_cursor"]:
            return numbers
        assert len(page["items"]) == LIMIT
        asked["cursor"] = page["next_cursor"]


@pytest.mark.parametrize("order", [{}, {"sort": "name"}, {"sort": "-created_at"}])
async def test_page_by_page_a_search_finds_each_match_once(callers: dict[str, Client], order: dict[str, str]) -> None:
    """In the order in which a search that counts, and so looks through everything, has them on one page."""
    for word, matching in WORDS.items():
        for reach, client in callers.items():
            whole = await client.get("/v1/customers", params={"q": word, "limit": 200, "count": "exact"} | order)
            in_order = [int(item["name"][-3:]) for item in whole.json()["items"]]
            assert sorted(in_order) == [n for n in matching if reach == "everything" or n % 3 == 0]
            assert await pages(client, q=word, **order) == in_order


@pytest.mark.parametrize(
    ("q", "looked"),
    [
        ("taller", ["beginning"]),
        ("norte", ["beginning"]),
        ("ultimo", ["beginning", "everywhere"]),
        ("", ["everywhere"]),
    ],
)
async def test_who_sees_much_is_shown_many_matches_from_the_beginning(
    callers: dict[str, Client], q: str, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And everything is looked through only if that was not enough. To count is to look through everything."""
    made, seen = reading.statement, []

    def watched(shape: reading.Shape, values: Any) -> Any:
        seen.append("beginning" if shape.beginning else "everywhere")
        return made(shape, values)

    monkeypatch.setattr(reading, "statement", watched)
    for client in callers.values():
        for asked, expected in (({}, looked), ({"sort": "name"}, looked), ({"count": "exact"}, ["everywhere"])):
            seen.clear()
            await client.get("/v1/customers", params={"q": q, "limit": LIMIT} | asked)
            assert seen == expected
