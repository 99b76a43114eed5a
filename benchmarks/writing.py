"""What do the callers write, one request each?"""

import random
from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from asyncpg import Record

from benchmarks import load
from benchmarks.data import OPEN_STAGES, ORIGINS, PLACES, SECTORS, SURNAMES, TRADES, TYPES
from benchmarks.load import WrongAnswer
from benchmarks.operations import Company, request

OPEN_OPPORTUNITIES = """
select id, owner_id, stage, version from opportunities where owner_id = any($1) and stage_kind = 'open' order by id
"""


class CreateCustomer:
    """O3: a new customer with picklists, address, telephone and e-mail, whose it is who creates it."""

    name = "O3"

    def __init__(self, tokens: Mapping[UUID, str]) -> None:
        self.chance = random.Random(3)
        self.tokens = tokens
        self.people = list(tokens)
        self.made = 0

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        return cls(company.sellers)

    def begin(self) -> tuple[bytes, object]:
        self.made += 1
        chance = self.chance
        name = f"{chance.choice(TRADES)} {chance.choice(SURNAMES)} {chance.choice(SURNAMES)} {self.made}"
        country, region, province, municipality = chance.choice(PLACES)
        address = {"kind": "main", "street": "Calle Mayor 1", "postal_code": "28001", "country": country}
        address |= {"region": region, "province": province, "municipality": municipality}
        given = {
            "name": name,
            "website": f"https://nueva{self.made}.example",
            "sector": chance.choice(SECTORS),
            "customer_type": chance.choice(TYPES),
            "origin": chance.choice(ORIGINS),
            "employees": chance.randrange(1, 500),
            "annual_revenue": f"{chance.randrange(50_000, 5_000_000)}.00",
            "currency": "EUR",
            "lifecycle_stage": "potential",
            "phones": [{"kind": "landline", "number": f"+34912{self.made:06}"}],
            "emails": [{"address": f"hola@nueva{self.made}.example"}],
            "addresses": [address],
        }
        owner = chance.choice(self.people)
        return request("POST", "/v1/customers", self.tokens[owner], orjson.dumps(given)), (name, given["sector"])

    def end(self, expected: object, status: int, body: bytes) -> None:
        answer = orjson.loads(body)
        if status != 201 or (answer["name"], answer["sector"]) != expected or answer["municipality"] is None:
            raise WrongAnswer(f"O3: {status} {body[:300]!r}")


class MoveOpportunity:
    """O4: an opportunity, of any person's own, to the next stage or the one before."""

    name = "O4"

    def __init__(self, tokens: Mapping[UUID, str], opportunities: Sequence[Record]) -> None:
        """opportunities: id, owner_id, stage and version of those that are open and belong to these people."""
        self.chance = random.Random(4)
        self.tokens = tokens
        self.idle = [tuple(row) for row in opportunities]

    @classmethod
    async def prepared(cls, company: Company) -> load.Operation:
        return cls(company.sellers, await company.connection.fetch(OPEN_OPPORTUNITIES, list(company.sellers)))

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
