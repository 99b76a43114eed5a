"""A company in which everything changes at random, and what three of its people see held against a model of it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.conftest import Client, People
from tests.contracts.seeing import Crew, Eyes, Row, Rows, Rules
from tests.contracts.worlds import Memory

T = TypeVar("T")
KINDS = ("customers", "leads", "opportunities")
PROFILES = ("one", "two")
LABELS = dict.fromkeys(("es", "it", "en"), "A profile")
NEEDED = {"customers": "name", "leads": "company_name", "opportunities": "name"}
ALWAYS = {"from_on": "2000-01-01", "until_on": "2100-01-01"}

levels = st.sampled_from(["own", "team", "own", "team", "all", "none"])
numbers = st.integers(0, 1000)


@dataclass
class Floor:
    """Where it happens: who looks, by id; who changes things; in which loop; and how to begin again."""

    people: People
    clients: dict[str, Client]
    administrator: Client
    loop: asyncio.AbstractEventLoop
    memory: Memory


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    reads = {kind: level for kind in KINDS if (level := draw(levels)) != "none"}
    does = {(kind, "update"): level for kind in reads if (level := draw(levels)) != "none"}
    does |= {(kind, "assign"): reads[kind] for kind in reads if draw(st.booleans())}
    return Rules(reads, {}, does)


def opened(rules: Rules, kind: str) -> bool:
    """Whether who has these rules sees anything of a kind: the others are read through customers."""
    return "none" not in (rules.level(kind), rules.level("customers"))


class Company(RuleBasedStateMachine):
    """Each step is done over HTTP and in the model. Pydantic, Casbin and SQL here; sets and dictionaries there."""

    floor: ClassVar[Floor]

    def __init__(self) -> None:
        super().__init__()
        self.clients = dict(self.floor.clients)
        self.users = list(self.clients)
        self.profiles = dict.fromkeys(self.users, "one")
        self.allowed = dict.fromkeys(PROFILES, Rules({}))
        self.managers: dict[str, str] = {}
        self.substitutes: dict[str, str] = {}
        self.records: dict[str, list[Row]] = {kind: [] for kind in KINDS}

    def done(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.floor.loop).result(60)

    def told(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What an administrator does, who may do everything."""
        sent = {} if body is None else {"json": body}
        answer = self.done(self.floor.administrator.request(method, path, **sent))
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    @initialize(one=rules(), two=rules())
    def begin(self, one: Rules, two: Rules) -> None:
        self.done(self.floor.memory.take_back())
        for profile, given in (("one", one), ("two", two)):
            self.policies_change(profile, given)

    @rule(profile=st.sampled_from(PROFILES), given=rules())
    def policies_change(self, profile: str, given: Rules) -> None:
        policies = [
            {"section": section, "action": action, "field_group": group, "reach": reach}
            for _, section, action, group, reach in given.policies(profile)
        ]
        self.told("PATCH", f"/v1/profiles/{profile}", {"policies": policies})
        self.allowed[profile] = given

    @rule(who=numbers, profile=st.sampled_from(PROFILES))
    def somebodys_profile_changes(self, who: int, profile: str) -> None:
        user = self.user(who)
        path, body = f"/v1/users/{user}", {"profile_id": profile}
        lost = [kind for kind in KINDS if not opened(self.allowed[profile], kind)]
        if profile != self.profiles[user] and any(
            row["owner_id"] == user for kind in lost for row in self.records[kind]
        ):
            assert (
                self.status(self.floor.administrator.patch(path, json=body)) == 409
            )  # They would not see it any more.
            path += "?confirm=true"
        self.told("PATCH", path, body)
        if profile != self.profiles[user]:  # Which ends their sessions.
            self.clients[user] = self.done(self.floor.people.client(UUID(user)))
        self.profiles[user] = profile

    @rule(who=numbers, above=numbers, nobody=st.booleans())
    def somebodys_manager_changes(self, who: int, above: int, nobody: bool) -> None:
        user, manager = self.user(who), self.user(above)
        if not nobody and user in Crew(self.managers, {}).reached(user, "own") | self.upwards(manager):
            return  # A chain of managers that closes is refused.
        self.told("PATCH", f"/v1/users/{user}", {"manager_id": None if nobody else manager})
        self.managers.pop(user, None)
        if not nobody:
            self.managers[user] = manager

    @rule(who=numbers, other=numbers, back=st.booleans())
    def somebody_goes_away_or_comes_back(self, who: int, other: int, back: bool) -> None:
        user, substitute = self.user(who), self.user(other)
        if user == substitute:
            return
        absence = None if back else ALWAYS | {"substitute_id": substitute}
        self.told("PATCH", f"/v1/users/{user}", {"absence": absence})
        self.substitutes.pop(user, None)
        if not back:
            self.substitutes[user] = substitute

    @rule(kind=st.sampled_from(KINDS), whose=st.none() | numbers, of=st.none() | numbers)
    def something_is_made(self, kind: str, whose: int | None, of: int | None) -> None:
        customers = self.records["customers"]
        row = {"owner_id": None if whose is None else self.user(whose)}
        if kind != "customers":
            row["customer_id"] = customers[of % len(customers)]["id"] if customers and of is not None else None
        body = {NEEDED[kind]: f"{kind} {len(self.records[kind])}"} | row
        if not self.opens(kind, row["owner_id"]):
            assert self.status(self.floor.administrator.post(f"/v1/{kind}", json=body)) == 422
            return
        self.records[kind].append(row | {"id": self.told("POST", f"/v1/{kind}", body)["id"]})

    @precondition(lambda self: any(self.records.values()))
    @rule(which=numbers, whose=st.none() | numbers)
    def something_is_given_to_somebody(self, which: int, whose: int | None) -> None:
        kind, row = self.record(which)
        owner = None if whose is None else self.user(whose)
        path, body = f"/v1/{kind}/{row['id']}", {"owner_id": owner}
        if owner != row["owner_id"] and not self.opens(kind, owner):
            assert self.status(self.floor.administrator.patch(path, json=body)) == 422
            return
        self.told("PATCH", path, body)
        row["owner_id"] = owner

    @precondition(lambda self: self.records["opportunities"] and self.records["customers"])
    @rule(which=numbers, of=numbers)
    def an_opportunity_moves_to_another_customer(self, which: int, of: int) -> None:
        opportunities, customers = self.records["opportunities"], self.records["customers"]
        row, customer = opportunities[which % len(opportunities)], customers[of % len(customers)]
        row["customer_id"] = customer["id"]
        self.told("PATCH", f"/v1/opportunities/{row['id']}", {"customer_id": customer["id"]})

    @precondition(lambda self: any(self.records.values()))
    @rule(which=numbers)
    def something_is_archived_with_what_is_under_it(self, which: int) -> None:
        kind, row = self.record(which)
        self.told("DELETE", f"/v1/{kind}/{row['id']}")
        for name, rows in self.records.items():
            self.records[name] = [each for each in rows if row["id"] not in (each["id"], each.get("customer_id"))]

    @rule(who=numbers)
    def somebody_looks(self, who: int) -> None:
        user = self.user(who)
        client, eyes, rows = self.clients[user], self.eyes(user), self.rows()
        seen = eyes.seen(rows)
        for kind in KINDS:
            listed = self.done(client.get(f"/v1/{kind}", params={"fields": "id", "limit": 200, "count": "exact"}))
            if eyes.rules.level(kind) == "none":
                assert listed.status_code == 403
            else:
                assert {each["id"] for each in listed.json()["items"]} == seen[kind], kind
                assert listed.json()["total"] == len(seen[kind])

    @precondition(lambda self: any(self.records.values()))
    @rule(who=numbers, which=numbers)
    def somebody_opens_and_changes_something(self, who: int, which: int) -> None:
        user, (kind, row) = self.user(who), self.record(which)
        client, eyes, rows = self.clients[user], self.eyes(user), self.rows()
        path, sees = f"/v1/{kind}/{row['id']}", row["id"] in eyes.seen(rows)[kind]
        assert self.status(client.get(path)) == (200 if sees else 404)
        expected = 404 if not sees else 200 if eyes.changes(kind, row, rows) else 403
        assert self.status(client.patch(path, json={"tags": [f"{who}"]})) == expected

    def opens(self, kind: str, user: str | None) -> bool:
        """Whether something could be the user's to do."""
        return user is None or opened(self.eyes(user).rules, kind)

    def status(self, asked: Coroutine[Any, Any, httpx.Response]) -> int:
        return self.done(asked).status_code

    def user(self, number: int) -> str:
        return self.users[number % len(self.users)]

    def record(self, number: int) -> tuple[str, Row]:
        every = [(kind, row) for kind, rows in self.records.items() for row in rows]
        return every[number % len(every)]

    def upwards(self, user: str) -> set[str]:
        return {user} | (self.upwards(self.managers[user]) if user in self.managers else set())

    def eyes(self, user: str) -> Eyes:
        return Eyes(user, self.allowed[self.profiles[user]], Crew(self.managers, self.substitutes))

    def rows(self) -> Rows:
        """As tables: a customer is its owner's, and that of whoever has open work with it."""
        pairs = {(row["id"], row["owner_id"]) for row in self.records["customers"]}
        pairs |= {(row["customer_id"], row["owner_id"]) for kind in KINDS[1:] for row in self.records[kind]}
        assigned = [{"customer_id": id, "user_id": user} for id, user in pairs if id and user]
        return self.records | {"customer_assignees": assigned}
