"""What do the callers do? O1 lists one owner's customers of one sector, O4 moves an opportunity of one's own."""

import random
from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from asyncpg import Record

from benchmarks.data import OPEN_STAGES, SECTORS
from benchmarks.load import WrongAnswer

FIELDS = (
    *("id", "number", "name", "owner_id", "sector", "customer_type", "origin", "country", "province", "municipality"),
    *("employees", "annual_revenue", "currency", "lifecycle_stage", "updated_at"),
)
LIMIT = 50


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request as it goes over the connection."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class ListCustomers:
    """O1: 50 of one owner's customers of a sector, by name, 15 fields, asked by the owner."""

    name = "O1"

    def __init__(self, tokens: Mapping[UUID, str]) -> None:
        self.chance = random.Random(1)
        self.tokens = tokens
        self.people = list(tokens)

    def begin(self) -> tuple[bytes, object]:
        owner, sector = self.chance.choice(self.people), self.chance.choice(SECTORS)
        query = f"owner_id={owner}&sector={sector}&sort=name&limit={LIMIT}&fields={','.join(FIELDS)}"
        return request("GET", f"/v1/customers?{query}", self.tokens[owner]), (str(owner), sector)

    def end(self, expected: object, status: int, body: bytes) -> None:
        items = orjson.loads(body)["items"] if status == 200 else []
        if len(items) != LIMIT or any((item["owner_id"], item["sector"]) != expected for item in items):
            raise WrongAnswer(f"O1: {status} {body[:300]!r}")
        if items[0].keys() != set(FIELDS) or items[-1].keys() != set(FIELDS):
            raise WrongAnswer(f"O1: the fields {', '.join(items[0])}")


class MoveOpportunity:
    """O4: an opportunity, of any person's own, to the next stage or the one before."""

    name = "O4"

    def __init__(self, tokens: Mapping[UUID, str], opportunities: Sequence[Record]) -> None:
        """opportunities: id, owner_id, stage and version of those that are open and belong to these people."""
        self.chance = random.Random(4)
        self.tokens = tokens
        self.idle = [tuple(row) for row in opportunities]

    def begin(self) -> tuple[bytes, object]:
        # What is under way is not moved by another caller at once: that would be a conflict, and rightly.
        at = self.chance.randrange(len(self.idle))
        self.idle[at], self.idle[-1] = self.idle[-1], self.idle[at]
        id, owner, stage, version = self.idle.pop()
        now = OPEN_STAGES.index(stage)
        to = OPEN_STAGES[self.chance.choice([place for place in (now - 1, now + 1) if 0 <= place < len(OPEN_STAGES)])]
        asked = request("POST", f"/v1/opportunities/{id}/stage", self.tokens[owner], orjson.dumps({"stage": to}))
        return asked, (id, owner, to, version + 1)

    def end(self, expected: object, status: int, body: bytes) -> None:
        assert isinstance(expected, tuple)
        answer = orjson.loads(body)
        id, owner, stage, version = expected
        found = [answer.get(name) for name in ("id", "owner_id", "stage", "version")]
        if status != 200 or found != [str(id), str(owner), stage, version]:
            raise WrongAnswer(f"O4: {status} {body[:300]!r}")
        self.idle.append(expected)
