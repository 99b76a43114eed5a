"""What does access cost? Processor time within a request, and time within PostgreSQL, against going without it.

D has 50 owners with 2,000 of its 100,000 customers each, ten of them below each manager.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from uuid import UUID

from app.db import reading, session
from app.db.reach import Reach
from app.domain.entities.catalog import ENTITIES
from app.domain.listing import Listing, list_shape
from app.policies import callers
from app.policies.access import Access
from app.policies.tokens import issue_access_token
from benchmarks import data

LISTS: dict[str, tuple[str, Listing]] = {
    "customers, newest": ("customers", Listing()),
    "customers, by name": ("customers", Listing(sort=("name",))),
    "customers of a sector, by name": ("customers", Listing(where={("sector", "is"): "retail"}, sort=("name",))),
    "customers found by a word": ("customers", Listing(q="rossi")),
    "customers, counted": ("customers", Listing(count="exact")),
    "opportunities, newest": ("opportunities", Listing()),
    "opportunities in a stage": ("opportunities", Listing(where={("stage", "is"): "proposal"})),
}
# Each is measured in blocks, of which the least disturbed one counts.
BLOCKS, CALLS, REQUESTS = 30, 300, 50
# What requests ask of access. What of it runs statements is not here; what that asks in turn is.
ASKED = ("require", "require_enrolled", "require_fields", "fields", "reach", "reached", "level", "may", "can", "rows")


@dataclass(frozen=True)
class Person:
    """One who asks, and a customer and an opportunity of theirs."""

    profile: str
    user_id: UUID
    customer_id: UUID
    opportunity_id: UUID


def main(size: int, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder, data.planted(Path(folder), size):
        found = asyncio.run(measured())
    print(json.dumps(found) if as_json else table(found))


async def measured() -> dict[str, list[dict[str, Any]]]:
    """requests: µs of processor; lists: ms within PostgreSQL."""
    people = [await person(profile) for profile in ("sales", "manager")]
    found: dict[str, list[dict[str, Any]]] = {"requests": [], "lists": []}
    for each in people:
        customers = "/v1/customers?sector=retail&sort=name"
        for name, (method, path) in {
            "list": ("GET", f"{customers}&fields=name,sector,owner_id"),
            "list with can": ("GET", f"{customers}&with=can"),
            "read": ("GET", f"/v1/customers/{each.customer_id}"),
            "change": ("PATCH", f"/v1/opportunities/{each.opportunity_id}"),
        }.items():
            ask = asking(method, path, issue_access_token(each.user_id, each.user_id))
            found["requests"].append({"profile": each.profile, "name": name} | await in_a_request(each.user_id, ask))
    for name, (entity, listing) in LISTS.items():
        found["lists"].append({"name": name} | await in_postgres(people, entity, listing))
    await session.close()
    return found


async def person(profile: str) -> Person:
    pool = await session.reading_pool()
    return Person(profile, *await pool.fetchrow(_PERSON, profile))


_PERSON = """
select u.id, c.id, o.id from users u
join user_reach r on r.user_id = u.id and (r.via = 'team') = (u.profile_id = 'manager')
join customers c on c.owner_id = r.reached_id join opportunities o on o.customer_id = c.id and o.owner_id = c.owner_id
where u.profile_id = $1 order by u.id, c.id limit 1
"""


def asking(method: str, path: str, token: str) -> Callable[[], Awaitable[None]]:
    """Asks the application itself, without a server between; each PATCH changes something."""
    from app.main import app

    path, _, query = path.partition("?")
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
    }
    scope |= {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}
    scope |= {"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": ""}
    numbers = count()

    async def ask() -> None:
        body = b'{"description": "Call %d"}' % next(numbers) if method == "PATCH" else b""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(dict(scope), receive, send)
        if sent[0]["status"] != 200:
            raise RuntimeError(f"{method} {path}: {sent}")

    return ask


async def in_a_request(user_id: UUID, ask: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """What a request asks of access, asked again and again by itself; and, as a check, the whole request with access
    and with every answer ready in its place."""
    await ask()
    access = callers.known(user_id, user_id)
    assert access is not None
    recorder = copied(Recorder, access, calls=[], depth=0)
    with in_place_of_access(recorder):
        await ask()
    steps = [partial(getattr(access, name), *arguments, **named) for name, arguments, named, _ in recorder.calls]

    def again() -> None:
        found = callers.known(user_id, user_id)
        assert found is not None
        for step in steps:
            step()

    alone, whole, ready = [], [], []
    prepared = copied(Prepared, access, at=-1, answers=[answer for _, _, _, answer in recorder.calls])
    for _ in range(BLOCKS):
        alone.append(processor(again, CALLS))
        whole.append(await processor_of(ask))
        with in_place_of_access(prepared):
            ready.append(await processor_of(ask))
    return {
        "asked": len(steps) + 1,
        "access": round(min(alone), 1),
        "access_median": round(median(alone), 1),
        "request": round(min(whole)),
        "request_prepared": round(min(ready)),
        "request_median": round(median(whole)),
        "request_prepared_median": round(median(ready)),
    }


def processor(function: Callable[[], None], times: int) -> float:
    """µs for one call."""
    began = process_time()
    for _ in range(times):
        function()
    return (process_time() - began) / times * 1e6


async def processor_of(ask: Callable[[], Awaitable[None]]) -> float:
    """µs for one request, PostgreSQL's not among them."""
    began = process_time()
    for _ in range(REQUESTS):
        await ask()
    return (process_time() - began) / REQUESTS * 1e6


class Recorder(Access):
    """An Access that writes down what it is asked, and what it answers."""


class Prepared(Access):
    """An Access that has every answer of a request ready, in order."""


def recording(name: str) -> Callable[..., Any]:
    def record(self: Any, *arguments: Any, **named: Any) -> Any:
        # What one question asks of another is part of it.
        object.__setattr__(self, "depth", self.depth + 1)
        try:
            answer = getattr(Access, name)(self, *arguments, **named)
        finally:
            object.__setattr__(self, "depth", self.depth - 1)
        if self.depth == 0:
            self.calls.append((name, arguments, named, answer))
        return answer

    return record


def ready(self: Any, *_: Any, **__: Any) -> Any:
    object.__setattr__(self, "at", (self.at + 1) % len(self.answers))
    return self.answers[self.at]


for _name in ASKED:
    setattr(Recorder, _name, recording(_name))
    setattr(Prepared, _name, ready)


def copied(kind: type[Access], access: Access, **more: Any) -> Any:
    made = kind(**{each.name: getattr(access, each.name) for each in fields(access) if each.init})
    for name, value in more.items():
        object.__setattr__(made, name, value)
    return made


@contextmanager
def in_place_of_access(access: Access) -> Iterator[None]:
    """Whoever asks is this."""
    original = callers.known
    callers.known = lambda *_: access
    try:
        yield
    finally:
        callers.known = original


async def in_postgres(people: list[Person], entity: str, listing: Listing) -> dict[str, Any]:
    """profile → ms for planning and running the list's statement as they; `…_by_owner`: without access, asked by the
    `owner_id` of those reached, which finds nearly the same rows; `all`: without either."""
    pool = await session.reading_pool()
    times: dict[str, list[float]] = {}
    async with pool.acquire() as connection:
        statements = {}
        for each in people:
            access = await callers.meet(connection, each.user_id, each.user_id)
            reached = list(access.reached(access.reach(entity).level))
            by_owner = replace(listing, where=listing.where | {("owner_id", "any"): reached})
            for name, asked in ((each.profile, listing), (f"{each.profile}_by_owner", by_owner), ("all", listing)):
                shape, values = list_shape(access, ENTITIES[entity], asked)
                shape = shape if name == each.profile else replace(shape, reach=Reach("all"))
                statements[name] = reading.statement(shape, values)
        for _ in range(BLOCKS):
            for name, (sql, bound, _) in statements.items():
                explained = await connection.fetchval(f"explain (analyze, timing off, format json) {sql}", *bound)
                plan = json.loads(explained)[0]
                times.setdefault(name, []).append(plan["Planning Time"] + plan["Execution Time"])
    return {name: round(min(of), 2) for name, of in times.items()} | {
        f"{name}_median": round(median(of), 2) for name, of in times.items()
    }


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    head = f"{'µs of processor':<32}{'asked':>6}{'access':>8}{'median':>8}{'request':>9}{'prepared':>10}{'medians':>14}"
    lines = ["", head]
    for row in found["requests"]:
        medians = f"{row['request_median']} / {row['request_prepared_median']}"
        lines.append(
            f"{row['profile'] + ': ' + row['name']:<32}{row['asked']:>6}{row['access']:>8}{row['access_median']:>8}"
            f"{row['request']:>9}{row['request_prepared']:>10}{medians:>14}"
        )
    lines += ["", f"{'ms within PostgreSQL':<32}{'all':>8}{'owner of 2,000':>30}{'manager of ten':>30}"]
    for row in found["lists"]:
        line = f"{row['name']:<32}{row['all']:>8}"
        for profile in ("sales", "manager"):
            by_owner = row[f"{profile}_by_owner"]
            line += f"{row[profile]:>14} /{by_owner:>7} = {row[profile] / by_owner:>4.1f}"
        lines.append(line)
    lines.append("")
    lines.append(
        "The least of the blocks. Prepared: with what access answers made ready. Lists: under access / without it,"
    )
    lines.append("found by `owner_id` = how many times; all: the same list without any condition.")
    return "\n".join(lines)
