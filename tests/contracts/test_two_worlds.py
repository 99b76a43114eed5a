"""Two databases that differ only in what somebody may not see answer that person alike, to the byte.

Who sees what is told here anew, in plain words and apart from `app/policies`; questions come from the application's
own description of itself. `CRM_TEST_QUESTIONS` asks more, `CRM_TEST_SEED` asks the same again.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app import clock
from app.db.models import RECORDS, table_of
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import specs
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.questions import Grammar, Question

QUESTIONS = int(os.environ.get("CRM_TEST_QUESTIONS", "75"))
SEED = os.environ.get("CRM_TEST_SEED")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CANARY = "canary"
WORDS = ["muñoz", "rossi", "smith", "hermanos", "acero", "vino", "logistics", "software", "madrid", "torino"]
GROUPS = {"contact_details", "segmentation", "billing", "personal_profile", "satisfaction"}


@dataclass(frozen=True)
class Sight:
    """What a profile does not see: relations of other people's records, whole kinds, and groups of fields."""

    foreign: frozenset[str]
    unseen: frozenset[str]
    hidden: dict[str, set[str]]


OTHERS = frozenset({"sales", "reception", "team", "foreign", "doomed", "nobodys"})
SIGHTS = {
    "sales": Sight(OTHERS - {"sales"}, frozenset({"imports"}), {"users": {"account"}}),
    "manager": Sight(OTHERS - {"team", "nobodys"}, frozenset(), {}),
    "marketing": Sight(
        frozenset(),
        frozenset({"imports"}),
        {
            "customers": {"billing", "personal_profile", "satisfaction"},
            "contacts": {"personal_profile"},
            "users": {"account"},
        },
    ),
    "support": Sight(
        frozenset(),
        frozenset({"imports", "opportunities"}),
        {
            "customers": {"segmentation", "billing", "personal_profile"},
            "contacts": {"segmentation", "personal_profile"},
            "users": {"account"},
        },
    ),
    # Not shipped: one who sees names and little else, of few.
    "reception": Sight(
        OTHERS - {"reception"},
        frozenset({"imports", "opportunities"}),
        {"customers": GROUPS, "contacts": GROUPS, "users": {"account"}},
    ),
}
# What others may be changed without the database's own rules, or reach itself, being broken.
KEPT = {"id", "archive_id", "assigned", "stage", "stage_kind", "closed_at", "lost_reason", "pipeline_id", "parent_id"}


@dataclass
class Stage:
    """Where the questions are asked: the world as it was made, and who asks."""

    world: worlds.World
    clients: dict[str, Client]
    restore: Callable[[], Awaitable[None]]
    stranger: UUID


@pytest.fixture(scope="module")
async def stage(emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        await worlds.execute("insert into profiles (id, labels) values ('reception', '{}')")
        for kind, scope in (("customers", "own"), ("contacts", "own"), ("users", "all")):
            await worlds.execute(
                "insert into policies (kind, subject, section, action, field_group, scope)"
                " values ('p', 'profile:reception', $1, 'read', 'open', $2)",
                kind,
                scope,
            )
        people = People([])
        world = worlds.World(await people.client(await people.user("administrator")), people)
        stranger = await people.user("sales", name="Stranger")
        clients = {profile: await people.client(await people.user(profile, name=profile)) for profile in SIGHTS}
        member = await people.user("sales", manager=clients["manager"].user_id)
        owners = {"sales": clients["sales"].user_id, "reception": clients["reception"].user_id, "team": member}
        owners |= {"foreign": stranger, "doomed": stranger}
        random = Random(1)
        for relation, owner_id in [*owners.items(), ("nobodys", None)]:
            for number in range(3):
                await furnish(world, f"{relation}-{number}", owner_id, stranger, random)
        yield Stage(world, clients, await worlds.snapshot("world_a"), stranger)
        await worlds.execute("drop schema world_a cascade; drop schema if exists world_b cascade")
        for client in people.clients:
            await client.aclose()
    await emptied()


async def furnish(world: worlds.World, relation: str, owner_id: UUID | None, stranger: UUID, random: Random) -> None:
    """A customer with all kinds of things about it, changed once, and a stranger's opportunity beside its owner's."""
    name = " ".join(random.sample(WORDS, 2))
    details = {
        "phones": [{"number": f"+3491{random.randrange(10**7):07}"}],
        "emails": [{"address": f"{random.choice(['ana', 'bea', 'eva'])}@{random.choice(['acero', 'vino'])}.es"}],
    }
    personal = {"birth_day": random.randint(1, 28), "birth_month": 5, "hobbies": [random.choice(WORDS)]}
    made = await world.furnish(
        relation,
        owner_id,
        customers={"name": name, "sector": random.choice(["retail", "software"]), "tags": [random.choice(WORDS)]}
        | {"tax_id": f"B{relation}", "credit_limit": str(random.randint(1, 9000)), "annual_revenue": "90000"}
        | {"legal_name": f"{name} S.L."} | details | personal,
        contacts={"first_name": random.choice(WORDS), "last_name": random.choice(WORDS)} | details | personal,
        opportunities={"name": f"{name} renewal", "amount": str(random.randint(1, 9000))},
    )  # fmt: skip
    administrator = world.administrator
    changes = {"credit_limit": str(random.randint(1, 9000)), "sector": "medical", "hobbies": ["chess"], "employees": 3}
    for path, body in (
        (f"/v1/customers/{made['customers']}", changes | {"emails": [{"address": "new@acero.es"}]}),
        (f"/v1/contacts/{made['contacts']}", {"job_title": "Buyer", "hobbies": ["chess"], "birth_year": 1970}),
    ):
        assert (await administrator.patch(path, json=body)).status_code == 200
    for path, body in (
        ("/v1/opportunities", {"name": "Shared", "customer_id": str(made["customers"]), "owner_id": str(stranger)}),
        (f"/v1/opportunities/{made['opportunities']}/stage", {"stage": "qualification", "note": "a note"}),
    ):
        assert (await administrator.post(path, json=body)).status_code in (200, 201)


@pytest.mark.parametrize("profile", SIGHTS)
async def test_what_somebody_may_not_see_changes_no_answer(
    stage: Stage, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.main import app

    monkeypatch.setattr(clock, "now", lambda: NOW)
    seed = int(SEED) if SEED else Random().getrandbits(32)
    print(f"{profile}: CRM_TEST_SEED={seed} CRM_TEST_QUESTIONS={QUESTIONS}")
    random = Random(seed)
    await stage.restore()
    pool = await everything()
    await Other(stage, SIGHTS[profile], stage.clients[profile].user_id, random).change()
    restore_other = await worlds.snapshot("world_b")
    assert await everything() != pool
    ids, values = pools([pool, await everything()])
    grammar = Grammar(app.openapi(), random, ids, values, [*WORDS, "madrid", f"{CANARY}1", f"{CANARY}2", "chess"])
    client = stage.clients[profile]

    await stage.restore()
    asked: list[tuple[Question, Any]] = []
    for _ in range(QUESTIONS):
        question: Question | None = grammar.question()
        while question:
            asked.append((question, await answer(client, question)))
            question = following(*asked[-1])
    await restore_other()
    for question, first in asked:
        second = await answer(client, question)
        assert second == first, f"{profile}, CRM_TEST_SEED={seed}: {question}"
        assert CANARY not in orjson.dumps(second[2]).decode(), f"{profile}, CRM_TEST_SEED={seed}: {question}"
    full = [given for _, given in asked if given[0] == 200 and given[2].get("items")]
    assert len(full) > len(asked) // 10, "most questions found nothing"


def following(question: Question, given: tuple[int, dict[str, str], dict[str, Any]]) -> Question | None:
    """The next page, or the same question without what was refused."""
    status, _, body = given
    if cursor := body.get("next_cursor"):
        return Question(question.path, (*question.without({"cursor"}).parameters, ("cursor", cursor)))
    if status == 403 and body["code"] == "field_hidden":
        return question.without({error["pointer"].rpartition("/")[2] for error in body["errors"]})
    return None


async def answer(client: Client, question: Question) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and body, without what tells one request from another."""
    response = await client.get(question.path, params=list(question.parameters))
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    body = response.json()
    if response.status_code >= 400:
        body["request_id"] = ""
    return response.status_code, headers, body


async def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all kinds of records."""
    return {
        kind: [orjson.loads(row[0]) for row in await worlds.fetch(f'select to_json(t)::text from "{kind}" t')]
        for kind in RECORDS
    }


def pools(rows: list[dict[str, list[dict[str, Any]]]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The ids by kind, and the values by kind and field, of several worlds."""
    ids: dict[str, set[str]] = {}
    values: dict[str, set[str]] = {}
    for world in rows:
        for kind, records in world.items():
            for record in records:
                ids.setdefault(kind, set()).add(record["id"])
                for name, value in record.items():
                    for each in value if isinstance(value, list) else [value]:
                        if isinstance(each, str | int | float | bool):
                            text = str(each).lower() if isinstance(each, bool) else str(each)
                            values.setdefault(f"{kind}.{name}", set()).add(text)
    return {name: sorted(each) for name, each in ids.items()}, {name: sorted(each) for name, each in values.items()}


@dataclass
class Other:
    """The other world: changes in place what one may not see."""

    stage: Stage
    sight: Sight
    caller: UUID
    random: Random

    async def change(self) -> None:
        foreign = self.foreign()
        for kind, entity in ENTITIES.items():
            rows = [row["id"] for row in await worlds.fetch(f'select id from "{kind}"')]
            hidden = self.sight.hidden.get(kind, set())
            fields = {name for name, spec in specs(entity.read).items() if spec.group in hidden}
            unseen = rows if kind in self.sight.unseen else [id for id in rows if id in foreign]
            for id in rows:
                if id == self.caller:
                    continue  # One's own account is open to oneself.
                if id in unseen:
                    await self.overwrite(kind, id, {column.name for column in table_of(kind).c} - KEPT)
                    if self.random.random() < 0.5:
                        await self.copy(kind, id)
                else:
                    texts = {"search_contact_details"} if "contact_details" in hidden else set()
                    await self.overwrite(kind, id, fields | texts)
                await self.rewrite_history(id, None if id in unseen else fields)
        await self.assign_anew(foreign)
        await self.remove()

    def foreign(self) -> set[UUID]:
        """The records that are out of sight, but for those of kinds that are unseen altogether."""
        known = self.stage.world.records
        customers = {ids["customers"] for name, ids in known.items() if name.partition("-")[0] in self.sight.foreign}
        return customers | {
            id for ids in known.values() if ids["customers"] in customers for id in ids.values()
        }

    async def overwrite(self, kind: str, id: UUID, names: set[str]) -> None:
        columns = [column for column in table_of(kind).c if column.name in names]
        values = {column.name: value for column in columns if (value := self.value(kind, column)) is not None}
        if "name" in values:
            values["name"] = values["search_open"] = f"{self.random.choice(WORDS)} {self.canary()}"
            values["name_key"] = values["name"]
        if values:
            given = ", ".join(f'"{name}" = new."{name}"' for name in values)
            await worlds.execute(
                f'update "{kind}" t set {given} from jsonb_populate_record(null::"{kind}", $2::text::jsonb) new'
                " where t.id = $1",
                id,
                orjson.dumps(values, default=str).decode(),
            )

    def value(self, kind: str, column: Column[Any]) -> Any:
        """Any value that the column takes; None leaves it as it is."""
        if column.name in ("kind", "state") or column.foreign_keys or column.primary_key:
            return None
        match column.type:
            case Uuid():
                return None
            case Boolean():
                return self.random.random() < 0.5
            case Integer():
                return self.random.randint(1, 28)
            case Numeric():
                return self.random.randint(1, 9999)
            case DateTime() | Date():
                return (NOW - timedelta(days=self.random.randint(1, 900))).isoformat()
            case ARRAY():
                return [self.canary()]
            case JSONB():
                return {} if kind == "imports" else [{self.canary(): self.canary()}]
            case String() as text:
                return self.canary()[: text.length]
        return None

    def canary(self) -> str:
        return f"{CANARY}{self.random.randint(1, 10**6)}"

    async def copy(self, kind: str, id: UUID) -> None:
        """One more like it."""
        new = UUID(int=self.random.getrandbits(128))
        unique = {"customers": "number", "users": "username_key"}.get(kind)
        changes = {"id": str(new)} | ({unique: self.canary()} if unique else {})
        changes |= {"tax_id": self.canary()} if kind == "customers" else {}
        await worlds.execute(
            f'insert into "{kind}" select (jsonb_populate_record(t, $2::text::jsonb)).* from "{kind}" t where id = $1',
            id,
            orjson.dumps(changes).decode(),
        )
        if kind == "customers":
            await worlds.execute(
                "insert into customer_assignees (customer_id, user_id, role) values ($1, $2, 'owner')",
                new,
                self.stage.stranger,
            )

    async def rewrite_history(self, id: UUID, hidden: set[str] | None) -> None:
        """Old and new values of hidden fields; of a record that is hidden itself (None), all there is."""
        for row in await worlds.fetch("select id, changes::text from events where record_id = $1", id):
            changes = orjson.loads(row["changes"])
            names = set(changes) if hidden is None else set(changes) & hidden
            if hidden and self.random.random() < 0.5:
                names.add(self.random.choice(sorted(hidden)))
            changes |= {name: [self.canary(), self.canary()] for name in names}
            await worlds.execute(
                "update events set changes = $2::text::jsonb where id = $1", row["id"], orjson.dumps(changes).decode()
            )
            if hidden is None and self.random.random() < 0.3:
                await worlds.execute(
                    "insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id,"
                    " changes, actor, source, operation_id) select occurred_at, recorded_at, type, entity, record_id,"
                    " version, customer_id, changes, actor, source, operation_id from events where id = $1",
                    row["id"],
                )
        if hidden is None:
            await worlds.execute("update stage_stays set note = $2 where record_id = $1", id, self.canary())

    async def assign_anew(self, foreign: set[UUID]) -> None:
        """Foreign customers are assigned to the administrator too, whom nobody reaches."""
        await worlds.execute(
            "insert into customer_assignees (customer_id, user_id) select id, $2 from customers where id = any($1)"
            " on conflict do nothing",
            list(foreign),
            self.stage.world.administrator.user_id,
        )

    async def remove(self) -> None:
        """Some are gone altogether, with all that belonged to them."""
        if "doomed" in self.sight.foreign:
            doomed = [ids for name, ids in self.stage.world.records.items() if name.startswith("doomed")]
            customers = [ids["customers"] for ids in doomed]
            await worlds.execute(
                "set local session_replication_role = replica;"
                + ";".join(
                    f"delete from {table} where customer_id = any(array[{listed(customers)}]::uuid[])"
                    for table in ("contacts", "opportunities", "customer_assignees", "assignment_reasons", "events")
                )
                + f";delete from customers where id = any(array[{listed(customers)}]::uuid[])"
            )


def listed(ids: list[UUID]) -> str:
    return ", ".join(f"'{id}'" for id in ids)
