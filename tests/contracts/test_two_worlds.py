"""Two databases that differ only in what somebody may not see answer that person alike, to the byte.

Who sees what is told here anew, in plain words and apart from `app/policies`; questions come from the application's
own description of itself. `CRM_TEST_QUESTIONS` asks more, `CRM_TEST_SEED` asks the same again.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest

from app import clock
from app.db.models import RECORDS
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.other_world import CANARIES, CANARY, WORDS, Other, Sight
from tests.contracts.questions import Grammar, Question

QUESTIONS = int(os.environ.get("CRM_TEST_QUESTIONS", "60"))
SEED = os.environ.get("CRM_TEST_SEED")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
GROUPS = {"contact_details", "segmentation", "billing", "personal_profile", "satisfaction"}


CONFIGURED = frozenset({"forms", "submissions", "workflows", "workflow_runs"})
OTHERS = frozenset({"sales", "reception", "team", "foreign", "doomed", "nobodys"})
SIGHTS = {
    "sales": Sight(OTHERS - {"sales"}, frozenset({"imports"}) | CONFIGURED, {"users": {"account"}}),
    "manager": Sight(OTHERS - {"team", "nobodys"}, CONFIGURED, {}),
    "marketing": Sight(
        frozenset(),
        frozenset({"imports", "workflows", "workflow_runs"}),
        {
            "customers": {"billing", "personal_profile", "satisfaction"},
            "contacts": {"personal_profile"},
            "users": {"account"},
        },
    ),
    "support": Sight(
        frozenset(),
        frozenset({"imports", "leads", "opportunities"}) | CONFIGURED,
        {
            "customers": {"segmentation", "billing", "personal_profile"},
            "contacts": {"segmentation", "personal_profile"},
            "users": {"account"},
        },
    ),
    # Not shipped: one who sees names and little else, of few.
    "reception": Sight(
        OTHERS - {"reception"},
        frozenset({"imports", "leads", "opportunities", "activities", "messages", "templates"}) | CONFIGURED,
        {"customers": GROUPS, "contacts": GROUPS, "users": {"account"}},
    ),
}


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
        await world.furnish_company("company")
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
        leads={"company_name": name, "last_name": random.choice(WORDS), "message": name, "title": name} | details,
        activities={"subject": f"Call {name}", "report": name, "due_at": f"2026-03-0{random.randint(1, 3)}T12:00:00Z"},
        messages={"subject": f"About {name}", "text": name, "to_address": "ana@acero.es"},
    )  # fmt: skip
    administrator = world.administrator
    changes = {"credit_limit": str(random.randint(1, 9000)), "sector": "medical", "hobbies": ["chess"], "employees": 3}
    for path, body in (
        (f"/v1/customers/{made['customers']}", changes | {"emails": [{"address": "new@acero.es"}]}),
        (f"/v1/contacts/{made['contacts']}", {"job_title": "Buyer", "hobbies": ["chess"], "birth_year": 1970}),
        (f"/v1/leads/{made['leads']}", {"job_title": "Buyer", "sector": "medical"}),
    ):
        assert (await administrator.patch(path, json=body)).status_code == 200
    for path, body in (
        ("/v1/opportunities", {"name": "Shared", "customer_id": str(made["customers"]), "owner_id": str(stranger)}),
        (f"/v1/opportunities/{made['opportunities']}/stage", {"stage": "qualification", "note": "a note"}),
    ):
        assert (await administrator.post(path, json=body)).status_code in (200, 201)
    shared = {"last_name": random.choice(WORDS), "customer_id": str(made["customers"]), "owner_id": str(stranger)}
    lead = (await administrator.post("/v1/leads", json=shared | details)).json()
    assert (await administrator.post(f"/v1/leads/{lead['id']}/convert")).status_code == 200


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
    await Other(stage.world, SIGHTS[profile], stage.clients[profile].user_id, stage.stranger, random).change()
    restore_other = await worlds.snapshot("world_b")
    assert await everything() != pool
    ids, values = pools([pool, await everything()])
    grammar = Grammar(app.openapi(), random, ids, values, [*WORDS, "chess", *CANARIES])
    client = stage.clients[profile]

    await stage.restore()
    asked: list[tuple[Question, Any]] = []
    openings = grammar.openings(CANARIES)
    for number in range(len(openings) + QUESTIONS):
        question: Question | None = openings[number] if number < len(openings) else grammar.question()
        while question:
            asked.append((question, await answer(client, question)))
            grammar.see(question, asked[-1][1][2])
            question = following(*asked[-1])
    await restore_other()
    for question, first in asked:
        second = await answer(client, question)
        assert second == first, f"{profile}, CRM_TEST_SEED={seed}: {question}"
        assert CANARY not in orjson.dumps(second[2]).decode(), f"{profile}, CRM_TEST_SEED={seed}: {question}"
    full = [given for _, given in asked if given[0] == 200 and given[2].get("items", True)]
    assert len(full) >= 10, "most questions found nothing"


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
