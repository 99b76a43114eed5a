"""What do the callers read? One class for each operation; what they write is in `writing.py` and `importing.py`."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import orjson
from asyncpg import Record

from app.domain.entities.values import fold
from benchmarks import load
from benchmarks.data import SECTORS, SURNAMES, TRADES
from benchmarks.load import WrongAnswer

FIELDS = (
    *("id", "number", "name", "owner_id", "sector", "customer_type", "origin", "country", "province", "municipality"),
    *("employees", "annual_revenue", "currency", "lifecycle_stage", "updated_at"),
)
LIMIT, PEOPLE = 50, 16
# What is in everybody's website: of the planted ones, and of those that came in by O3 and O5 when the data are kept.
WEBSITES = ("empresa.example", "nueva.example", "cliente.example")
# The large ones, of which each has 300 activities and 40 opportunities.
LARGE = """
select c.id, c.owner_id from customers c where c.owner_id = any($1)
  and (select count(*) from activities a where a.customer_id = c.id) >= 300 order by id
"""
WON = "select count(*) from opportunities where stage_kind = 'won' and archived_at is null"


@dataclass(frozen=True)
class Company:
    """One service's address and database, and a token for each of sixteen people who do each kind of work."""

    port: int
    connection: asyncpg.Connection
    sellers: Mapping[UUID, str]
    directors: Mapping[UUID, str]
    marketers: Mapping[UUID, str]


def request(method: str, path: str, token: str, body: bytes = b"", type: str = "application/json") -> bytes:
    """A request as it goes over the connection."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: {type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def items_of(operation: str, status: int, body: bytes, at_least: int = LIMIT) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = orjson.loads(body)["items"] if status == 200 else []
    if len(items) < at_least:
        raise WrongAnswer(f"{operation}: {status} {body[:300]!r}")
    return items


def fields_of(operation: str, items: Sequence[Mapping[str, Any]]) -> None:
    if items[0].keys() != set(FIELDS) or items[-1].keys() != set(FIELDS):
        raise WrongAnswer(f"{operation}: the fields {', '.join(items[0])}")


class ListCustomers:
    """O1: 50 of one owner's customers of a sector, by name, 15 fields, asked by the owner."""

    name = "O1"

    def __init__(self, tokens: Mapping[UUID, str]) -> None:
        self.chance = random.Random(1)
        self.tokens = tokens
        self.people = list(tokens)

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        return cls(company.sellers)

    def begin(self) -> tuple[bytes, object]:
        owner, sector = self.chance.choice(self.people), self.chance.choice(SECTORS)
        query = f"owner_id={owner}&sector={sector}&sort=name&limit={LIMIT}&fields={','.join(FIELDS)}"
        return request("GET", f"/v1/customers?{query}", self.tokens[owner]), (str(owner), sector)

    def end(self, expected: object, status: int, body: bytes) -> None:
        items = items_of(self.name, status, body)
        if len(items) != LIMIT or any((item["owner_id"], item["sector"]) != expected for item in items):
            raise WrongAnswer(f"O1: {status} {body[:300]!r}")
        fields_of(self.name, items)


class CustomerPage:
    """O2: a customer with all that hangs off it, asked by its owner; one in ten is a large one."""

    name = "O2"

    def __init__(self, tokens: Mapping[UUID, str], large: Sequence[Record], others: Sequence[Record]) -> None:
        self.chance = random.Random(2)
        self.tokens = tokens
        self.large, self.others = large, others

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        people = list(company.sellers)
        others = "select c.id, c.owner_id from customers c where c.owner_id = any($1)"
        others += " and exists (select from contacts k where k.customer_id = c.id) order by c.id"
        return cls(
            company.sellers,
            await company.connection.fetch(LARGE, people),
            await company.connection.fetch(others, people),
        )

    def begin(self) -> tuple[bytes, object]:
        is_large = self.chance.random() < 0.1
        id, owner = self.chance.choice(self.large if is_large else self.others)
        return request("GET", f"/v1/customers/{id}/page", self.tokens[owner]), (str(id), is_large)

    def end(self, expected: object, status: int, body: bytes) -> None:
        assert isinstance(expected, tuple)
        id, is_large = expected
        answer = orjson.loads(body) if status == 200 else {}
        if not answer or answer["customer"]["id"] != id or len(answer["contacts"]) != 2:
            raise WrongAnswer(f"O2: {status} {body[:300]!r}")
        if is_large and (len(answer["activities"]) != 20 or answer["counts"]["activities"] < 300):
            raise WrongAnswer(f"O2: {answer['counts']}")
        if any(each["customer_id"] != id for name in ("activities", "opportunities") for each in answer[name]):
            raise WrongAnswer("O2: of another customer")


class SearchCustomers:
    """O6: three to eight letters out of a name among all customers, asked by a manager above everybody."""

    name = "O6"

    def __init__(self, tokens: Mapping[UUID, str]) -> None:
        self.chance = random.Random(6)
        self.people = list(tokens.values())

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        return cls(company.directors)

    def begin(self) -> tuple[bytes, object]:
        fragment = self.fragment()
        while any(fragment in website for website in WEBSITES):
            fragment = self.fragment()
        query = f"q={quote(fragment)}&limit={LIMIT}&fields={','.join(FIELDS)}"
        return request("GET", f"/v1/customers?{query}", self.chance.choice(self.people)), fragment

    def fragment(self) -> str:
        """As it is kept, without accents: the floor folds nothing."""
        word = self.chance.choice((*SURNAMES, *TRADES)).split()[-1]
        length = min(len(word), self.chance.randrange(3, 9))
        start = self.chance.randrange(len(word) - length + 1)
        return fold(word[start : start + length])

    def end(self, expected: object, status: int, body: bytes) -> None:
        items = items_of(self.name, status, body)
        if any(str(expected) not in fold(item["name"]) for item in items):
            raise WrongAnswer(f"O6: {expected} is not in every name")
        fields_of(self.name, items)


class WonAmounts:
    """O7: what was won, by month and owner, over all opportunities, asked by who sees all."""

    name = "O7"

    def __init__(self, tokens: Mapping[UUID, str], won: int) -> None:
        self.chance = random.Random(7)
        self.people = list(tokens.values())
        self.won = won

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        return cls(company.marketers, await company.connection.fetchval(WON))

    def begin(self) -> tuple[bytes, object]:
        return request("GET", "/v1/reports/won-amounts", self.chance.choice(self.people)), None

    def end(self, expected: object, status: int, body: bytes) -> None:
        if sum(item["opportunities"] for item in items_of(self.name, status, body)) != self.won:
            raise WrongAnswer(f"O7: {status} {body[:300]!r}")


class Timeline:
    """O8: page 1 of a large customer's timeline, asked by its owner."""

    name = "O8"
    pages = 0

    def __init__(self, tokens: Mapping[UUID, str], places: Sequence[tuple[UUID, UUID, str]]) -> None:
        """places: customer, owner and the query of the page."""
        self.chance = random.Random(8)
        self.tokens = tokens
        self.places = places

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        found = (await company.connection.fetch(LARGE, list(company.sellers)))[:100]
        places = []
        for id, owner in found:
            query = ""
            if cls.pages:
                at, number = await company.connection.fetchrow(
                    "select occurred_at, id from events where customer_id = $1 order by occurred_at desc, id desc"
                    " offset $2 limit 1",
                    id,
                    cls.pages * LIMIT - 1,
                )
                query = f"?cursor={at:%Y-%m-%dT%H:%M:%S.%f}Z_{number}"
            places.append((id, owner, query))
        return cls(company.sellers, places)

    def begin(self) -> tuple[bytes, object]:
        id, owner, query = self.chance.choice(self.places)
        return request("GET", f"/v1/customers/{id}/timeline{query}", self.tokens[owner]), None

    def end(self, expected: object, status: int, body: bytes) -> None:
        items = items_of(self.name, status, body)
        if len(items) != LIMIT or not any(item["changes"] for item in items):
            raise WrongAnswer(f"O8: {len(items)} events")


class LaterTimeline(Timeline):
    """O8 on page 5."""

    name = "O8, page 5"
    pages = 4


class FirstPage:
    """Page 1 of all customers by name, asked by who sees all."""

    name = "O9, page 1"
    pages = 0

    def __init__(self, tokens: Mapping[UUID, str], cursor: str) -> None:
        self.chance = random.Random(9)
        self.people = list(tokens.values())
        self.cursor = cursor

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        # A cursor is good for whoever asks the same.
        cursor = await cls.walked(company, next(iter(company.marketers.values())))
        return cls(company.marketers, cursor)

    @classmethod
    async def walked(cls, company: Company, token: str) -> str:
        """The cursor of the page, come by page after page."""
        cursor = ""
        async with load.connected(company.port) as ask:
            for _ in range(cls.pages):
                cursor = orjson.loads((await ask(cls.asked(token, cursor)))[1])["next_cursor"]
        return cursor

    @staticmethod
    def asked(token: str, cursor: str) -> bytes:
        query = f"sort=name&limit={LIMIT}&fields={','.join(FIELDS)}" + (f"&cursor={quote(cursor)}" if cursor else "")
        return request("GET", f"/v1/customers?{query}", token)

    def begin(self) -> tuple[bytes, object]:
        return self.asked(self.chance.choice(self.people), self.cursor), None

    def end(self, expected: object, status: int, body: bytes) -> None:
        fields_of(self.name, items_of(self.name, status, body))


class LaterPage(FirstPage):
    """O9: page 1,000 of all customers by name."""

    name = "O9"
    pages = 999
