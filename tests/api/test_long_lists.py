"""Is a list or a search the same, whether what it finds stands in the beginning of a long list or anywhere?"""

from typing import Any

import pytest

from tests.conftest import Client, People
from tests.loading import loaded

OWNED = {"columns": {"name": "name", "owner": {"to": "owner", "by": "username"}}}
CUSTOMERS = 150
# Which of the customers a word stands in the names of.
WORDS = {"taller": range(150), "norte": range(0, 150, 2), "oeste": range(0, 150, 9), "ultimo": range(147, 148)}
LIMIT = 2
# Whose they are: nobody's, or of one of two, the first of whom is the manager's. A manager reads both.
OWNERS = ["" if n % 10 == 4 else "ana" if n % 3 == 0 else "bea" for n in range(CUSTOMERS)]
REACHED = {"everything": {"ana", "bea", ""}, "team": {"ana", ""}, "own": {"ana"}}


@pytest.fixture
async def callers(administrator: Client, people: People) -> dict[str, Client]:
    """Who reads everything, and who reads what a team of one has, and what is nobody's; and that one."""
    manager = await people.user("manager")
    ana = await people.user("sales", username="ana", manager=manager)
    await people.user("sales", username="bea")
    names = [" ".join([*(word for word, each in WORDS.items() if n in each), f"{n:03}"]) for n in range(CUSTOMERS)]
    rows = [f"{name},{owner}" for name, owner in zip(names, OWNERS, strict=True)]
    await loaded(administrator, "customers", "\n".join(["name,owner", *rows]), OWNED)
    return {"everything": administrator, "team": await people.client(manager), "own": await people.client(ana)}


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
async def test_page_by_page_each_is_found_once(callers: dict[str, Client], order: dict[str, str]) -> None:
    """In the order in which what counts, and so looks through everything, has them on one page; without a word too."""
    for word, matching in {**WORDS, "": range(CUSTOMERS)}.items():
        for reach, client in callers.items():
            whole = await client.get("/v1/customers", params={"q": word, "limit": 200, "count": "exact"} | order)
            in_order = [int(item["name"][-3:]) for item in whole.json()["items"]]
            assert sorted(in_order) == [n for n in matching if OWNERS[n] in REACHED[reach]]
            assert await pages(client, q=word, **order) == in_order


@pytest.mark.parametrize(
    ("q", "limit", "everything", "team"),
    [
        ("taller", 2, ["beginning"], ["beginning"]),
        ("norte", 2, ["beginning"], ["beginning"]),
        ("ultimo", 2, ["beginning", "everywhere"], ["beginning", "everywhere"]),
        # The beginning is all that there is.
        ("ultimo", 4, ["beginning"], ["beginning"]),
        # What is anybody's takes no two ways.
        ("", 2, ["everywhere"], ["beginning"]),
        ("", 200, ["everywhere"], ["beginning"]),
    ],
)
async def test_who_sees_much_is_shown_many_from_the_beginning(
    callers: dict[str, Client], q: str, limit: int, everything: list[str], team: list[str], seen: list[str]
) -> None:
    """And everything is looked through only if that was not enough. To count is to look through everything."""
    expected = {"everything": everything, "team": team, "own": ["everywhere"]}
    for reach, client in callers.items():
        for asked, looked in (({}, expected[reach]), ({"sort": "name"}, expected[reach]), ({"count": "exact"}, None)):
            seen.clear()
            await client.get("/v1/customers", params={"q": q, "limit": limit} | asked)
            assert seen == (looked or ["everywhere"])


async def test_who_filters_is_not_shown_the_beginning_first(callers: dict[str, Client], seen: list[str]) -> None:
    """A filter finds its own way: few in forty may pass it."""
    seen.clear()
    answer = await callers["team"].get("/v1/customers", params={"kind": "company", "limit": LIMIT})
    assert len(answer.json()["items"]) == LIMIT
    assert seen == ["everywhere"]
