"""The stage on which two worlds are compared: a company, and any profile, managers and absences that it could have."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import orjson
import pytest
from hypothesis import strategies as st

from app import clock
from app.db import session as db
from app.db.seeds import remember_anew
from app.db.user_reach import rewrite
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import groups
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.other_world import WORDS
from tests.contracts.seeing import SHIPPED, VOCABULARY, Crew, Eyes, Rules

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
# Who there is beside strangers; any of them may manage another, and stand in for one.
NAMES = ("caller", "ana", "ben", "eva")


@dataclass(frozen=True)
class Case:
    """managers: who has whom above them; absent: who is away today and who stands in; seed: what is asked, and how."""

    rules: Rules
    managers: dict[str, str]
    absent: dict[str, str]
    seed: int


@st.composite
def made_rules(draw: st.DrawFn) -> Rules:
    """Any profile that there could be."""
    levels = st.sampled_from(["all", "team", "own", "none"])
    sections = [name for name in ENTITIES if name not in VOCABULARY]
    reads = {section: level for section in sections if (level := draw(levels)) != "none"}
    if draw(st.booleans()):  # customers that are seen, and not all that belongs to them
        reads["customers"] = "all"
    named = {section: sorted(groups(ENTITIES[section].read) - {"open"}) for section in reads}
    seen = {section: draw(st.sets(st.sampled_from(each))) for section, each in named.items() if each}
    actions = st.sets(st.sampled_from(["create", "update", "delete", "assign", "import"]))
    does = {(section, action): level for section, level in reads.items() for action in draw(actions)}
    return Rules(reads | dict.fromkeys(VOCABULARY, "all"), seen, does)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    order = draw(st.permutations(NAMES))
    managers = {name: draw(st.sampled_from(order[:at])) for at, name in enumerate(order) if at and draw(st.booleans())}
    absent = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=2))
    absent = {name: other for name, other in absent.items() if name != other}
    return Case(draw(made_rules()), managers, absent, draw(st.integers(0, 2**32)))


@dataclass(repr=False)
class Stage:
    """Where the questions are asked: the world as it was made, and who asks."""

    world: worlds.World
    client: Client
    users: dict[str, str]
    memory: worlds.Memory

    def __repr__(self) -> str:
        return "stage"

    async def set(self, case: Case, profile: str) -> Eyes:
        """Make it the world of the case, in which the caller has a profile. The answer tells what the caller sees."""
        await self.memory.take_back()
        rules = SHIPPED.get(profile, case.rules)
        if profile not in SHIPPED:
            await worlds.execute("insert into profiles (id, labels) values ($1, '{}')", profile)
            for row in rules.policies(f"profile:{profile}"):
                await worlds.execute(
                    "insert into policies (kind, subject, section, action, field_group, scope)"
                    " values ('p', $1, $2, $3, $4, $5)",
                    *row,
                )
        steps = [f"update users set profile_id = '{profile}' where id = '{self.client.user_id}'"]
        for name, above in case.managers.items():
            steps.append(f"update users set manager_id = '{self.users[above]}' where id = '{self.users[name]}'")
        for name, substitute in case.absent.items():
            absence = {"from_on": "2026-03-01", "until_on": "2026-03-31", "substitute_id": self.users[substitute]}
            literal = orjson.dumps(absence).decode()
            steps.append(f"update users set absence = '{literal}' where id = '{self.users[name]}'")
        await worlds.execute(";".join(steps))
        async with db.transaction("system") as session:
            await rewrite(session)
            await remember_anew(session)
        crew = Crew(*({self.users[a]: self.users[b] for a, b in each.items()} for each in (case.managers, case.absent)))
        return Eyes(self.users["caller"], rules, crew)


@pytest.fixture(scope="module")
async def stage(emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        people = People([])
        world = worlds.World(await people.client(await people.user("administrator")), people)
        stranger = await people.user("sales", name="Stranger")
        client = await people.client(await people.user("sales", name="caller"))
        users = {"caller": client.user_id} | {name: await people.user("sales", name=name) for name in NAMES[1:]}
        seed = Random().getrandbits(32)
        random = Random(seed)
        owners = [*users.items(), ("caller", client.user_id), ("stranger", stranger), ("nobodys", None)]
        for number, (name, owner_id) in enumerate(owners):
            await furnish(world, f"{name}-{number}", owner_id, stranger, random)
        await world.furnish_company("company")
        memory = await worlds.remember("remembered")
        yield Stage(world, client, {name: str(id) for name, id in (users | {"stranger": stranger}).items()}, memory)
        await memory.forget()
        for each in people.clients:
            await each.aclose()
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
    about = {"lead_id": str(made["leads"]), "owner_id": None}
    for path, body in (
        ("/v1/activities", {"kind": "call", "subject": f"About the lead {name}"} | about),
        (f"/v1/opportunities/{made['opportunities']}/stage", {"stage": "qualification", "note": "a note"}),
        ("/v1/opportunities", {"name": f"Early {name}", "owner_id": owner_id and str(owner_id)}),
    ):
        assert (await administrator.post(path, json=body)).status_code in (200, 201)
    deal = {"name": f"{name} order", "amount": str(random.randint(1, 9000)), "customer_id": str(made["customers"])}
    won = await administrator.post("/v1/opportunities", json=deal | {"owner_id": owner_id and str(owner_id)})
    await worlds.execute(
        "update opportunities set stage = 'won', stage_kind = 'won', closed_at = $1 where id = $2",
        datetime(2026, random.randint(1, 3), 1, 10, tzinfo=UTC),
        UUID(won.json()["id"]),
    )
    if random.random() < 0.5:
        shared = {"last_name": random.choice(WORDS), "customer_id": str(made["customers"]), "owner_id": str(stranger)}
        lead = (await administrator.post("/v1/leads", json=shared | details)).json()
        assert (await administrator.post(f"/v1/leads/{lead['id']}/convert")).status_code == 200
