"""Every route, asked by each shipped profile, about records of its own, its team's, foreign, nobody's and missing ones.

The routes are found from the application: one without a line in the table fails. Whatever is refused changes nothing.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from app.domain.entities.catalog import ENTITIES
from app.texts.explanations import AGAINST, FOR
from tests.api import api_keys
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.cells import Cell, cells, routes
from tests.contracts.matrix import BODIES, OPEN, PROFILES, QUERIES, STATUS

MISSING_JOB = 1_000_000


@dataclass
class Matrix:
    """The world of the matrix: who asks, the ids that each has in each relation, and that of a failed job."""

    world: worlds.World
    clients: dict[str, Client]
    job: int
    memory: worlds.Memory

    def ids(self, cell: Cell) -> worlds.Ids:
        known = self.world.records
        return known.get(f"{cell.profile}-{cell.relation}") or known.get(cell.relation) or {}

    async def ask(self, cell: Cell) -> httpx.Response:
        kind = cell.path.split("/")[2] if cell.path.count("/") > 1 else ""
        id: UUID | int = self.ids(cell).get(kind, uuid7())
        if kind == "jobs":
            id = self.job if cell.relation == "nobodys" else MISSING_JOB
        external_id = f"{cell.profile}-{cell.relation}" if cell.relation in ("own", "team") else cell.relation
        assignee = self.world.records["assignee"]["users"]
        known = {"key": worlds.FORM["key"], "system": "other", "external_id": external_id, "user_id": assignee}
        path = cell.path.format(id=id, **known)
        client = self.clients[cell.profile]
        query = QUERIES.get(f"{cell.method} {cell.path}", "")
        path += query.format(asking=client.user_id, customers=self.ids(cell).get("customers", uuid7()))
        if cell.path == "/v1/auth/token":
            return await client.post(path, data={"username": cell.profile, "password": "wrong"})
        if f"{cell.method} {cell.path}" == "POST /v1/imports":
            fields = {"entity": "customers", "mapping": '{"columns": {"name": "name"}}'}
            return await client.post(path, data=fields, files={"file": ("customers.csv", "name\nNew\n")})
        body = self.body(cell)
        return await client.request(cell.method, path, **({"json": body} if body is not None else {}))

    def body(self, cell: Cell) -> dict[str, Any] | None:
        customer_id = str(self.ids(cell).get("customers", uuid7()))
        owner_id = self.ids(cell).get("users", None if cell.relation == "nobodys" else uuid7())
        match f"{cell.method} {cell.path}":
            case "POST /v1/customers":
                return {"name": "New", "owner_id": str(owner_id) if owner_id else None}
            case "POST /v1/contacts":
                return {"first_name": "New", "customer_id": customer_id}
            case "POST /v1/opportunities":
                return {"name": "New", "customer_id": customer_id}
            case "POST /v1/leads":
                return {"company_name": "New", "customer_id": customer_id}
            case "POST /v1/activities":
                return {"kind": "call", "subject": "New", "customer_id": customer_id}
            case "POST /v1/users/{id}/hand-over":
                return {"to": [str(self.world.records["assignee"]["users"])]}
            case "POST /v1/api-keys":
                return api_keys.body(self.world.records["nobodys"]["service"], "customers:read")
            case "POST /v1/messages":
                return {"channel": "phone", "subject": "New", "customer_id": customer_id}
            case "PUT /v1/contacts/by/{system}/{external_id}" if cell.relation == "missing":
                reached = self.world.records[f"{cell.profile}-own"]["customers"]
                return {"first_name": "Put", "customer_id": str(reached)}
            case "PUT /v1/contacts/by/{system}/{external_id}":
                return {"first_name": "Put"}
            case known:
                return BODIES.get(known)


@pytest.fixture(scope="module")
async def matrix(emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[Matrix]:
    people = People([])
    world = worlds.World(await people.client(await people.user("administrator")), people)
    stranger = await people.user("sales")
    world.records["assignee"] = {"users": await people.user("sales")}
    clients = {}
    for profile in PROFILES:
        asking = await people.user(profile, username=profile)
        member = await people.user("sales", manager=asking)
        clients[profile] = await people.client(asking)
        for relation, owner_id in (("own", asking), ("team", member)):
            await furnish(world, f"{profile}-{relation}", owner_id)
    await furnish(world, "foreign", stranger)
    await furnish(world, "nobodys", None)
    picklists = (await world.administrator.get("/v1/picklists")).json()["items"]
    pipelines = (await world.administrator.get("/v1/pipelines")).json()["items"]
    product = await world.administrator.put("/v1/products/by/other/nobodys", json={"name": "Product"})
    profile = uuid7()  # an id of profiles is a key, and a UUID is one
    made = await world.administrator.post("/v1/profiles", json=worlds.PROFILE | {"id": str(profile)})
    assert made.status_code == 201, made.text
    service = await people.user("sales", service=True)
    world.records["nobodys"] |= {
        "service": service,
        "api-keys": UUID((await api_keys.make_key(world.administrator, service, "customers:read"))["id"]),
        "profiles": profile,
        "picklists": UUID(picklists[0]["id"]),
        "pipelines": UUID(pipelines[0]["id"]),
        "products": UUID(product.json()["id"]),
        **await world.furnish_company("nobodys"),
    }
    made = Matrix(world, clients, await worlds.failed_job(), await worlds.remember("matrix"))
    yield made
    await made.memory.forget()
    for client in people.clients:
        await client.aclose()
    await emptied()


async def furnish(world: worlds.World, relation: str, owner_id: UUID | None) -> None:
    made = await world.furnish(relation, owner_id)
    assignee = world.records["assignee"]["users"]
    made["access-requests"] = uuid7()
    await worlds.execute(
        "insert into access_requests (id, requester_id, evidence, reason, customer_id, state, created_at)"
        " values ($1, $2, jsonb_build_object('tax_id', $4::text), 'They called me', $3, 'open', now())",
        made["access-requests"],
        assignee,
        made["customers"],
        relation,
    )
    if owner_id is not None:
        await worlds.execute(
            "insert into customer_assignees (customer_id, user_id, role) values ($1, $2, 'assignee')",
            made["customers"],
            assignee,
        )
        made |= {"users": owner_id, "imports": uuid7()}
        await worlds.execute(
            "insert into external_ids (entity, system, external_id, record_id) values ('users', 'other', $1, $2)",
            relation,
            owner_id,
        )
        await worlds.execute(
            "insert into imports (id, owner_id, entity, file_name, mapping, options, state, counts, version, source,"
            " created_at, created_by, updated_at, updated_by) values ($1, $2, 'customers', 'file.csv', '{}', '{}',"
            " 'done', '{}', 1, 'api', now(), $2, now(), $2)",
            made["imports"],
            owner_id,
        )


def test_every_route_has_a_line() -> None:
    told = {(cell.method, cell.path) for cell in cells()}
    assert routes() - told == set(), "routes without a line in the matrix"
    assert told - routes() == set(), "lines without a route"


@pytest.mark.parametrize("profile", PROFILES)
async def test_every_profile_is_answered_as_the_table_says(matrix: Matrix, profile: str) -> None:
    """What must change nothing is asked first and looked at together; if something has changed, one by one."""
    wrong: list[str] = []
    asked = [cell for cell in cells() if cell.profile == profile]
    harmless = [cell for cell in asked if cell.method == "GET" or cell.sign != "."]
    await matrix.memory.take_back()
    before = await worlds.fingerprint()
    for cell in harmless:
        wrong += await differently_answered(matrix, cell)
    if await worlds.fingerprint() != before:
        for cell in harmless:
            await matrix.memory.take_back()
            before = await worlds.fingerprint()
            await matrix.ask(cell)
            after = await worlds.fingerprint()
            changed = sorted(name for name in after if after[name] != before[name])
            wrong += [f"{cell.method} {cell.path} {cell.relation} changed {changed}"] if changed else []
        wrong = wrong or ["Something changes only after something else"]
        await matrix.memory.take_back()
    for cell in asked:
        if cell not in harmless:
            wrong += await differently_answered(matrix, cell)
            await matrix.memory.take_back()
    assert not wrong, "\n".join(wrong)


async def differently_answered(matrix: Matrix, cell: Cell) -> list[str]:
    answer = await matrix.ask(cell)
    status = answer.status_code
    if status == STATUS.get(cell.sign) or (cell.sign == "." and 200 <= status < 300):
        return []
    return [f"{cell.method} {cell.path} {cell.relation}: {status} instead of {cell.sign}: {answer.text}"]


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_a_record_says_that_one_can_do_is_what_the_table_says(matrix: Matrix, profile: str) -> None:
    """`with=can`: true exactly where changing or archiving is done and not refused."""
    await matrix.memory.take_back()
    signs = {(cell.method, cell.path, cell.relation): cell.sign for cell in cells() if cell.profile == profile}
    wrong, asked = [], 0
    for (method, path, relation), sign in signs.items():
        if method == "GET" and path.endswith("/{id}") and path.split("/")[2] in ENTITIES and sign == ".":
            id = matrix.ids(Cell(method, path, profile, relation, sign))[path.split("/")[2]]
            answer = await matrix.clients[profile].get(path.format(id=id), params={"with": "can"})
            for verb, by in (("update", "PATCH"), ("delete", "DELETE")):
                if answer.json()["can"][verb] != (signs.get((by, path, relation), "F") not in "FN"):
                    wrong.append(f"{path} {relation}: {answer.json()['can']}")
            asked += 1
    assert not wrong, "\n".join(wrong)
    assert asked > 10


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_is_explained_is_what_the_table_says(matrix: Matrix, profile: str) -> None:
    """`GET /v1/access/explain`, asked by an administrator: its verdict is the answer, and the reasons are of one mind
    with it."""
    await matrix.memory.take_back()
    administrator, asking = matrix.world.administrator, str(matrix.clients[profile].user_id)
    # The others are reached as one of these is.
    asked_about = ENTITIES.keys() - {"leads", "messages"}
    wrong, verdicts = [], set()
    for cell in cells():
        action = {"GET": "read", "PATCH": "update", "DELETE": "delete"}.get(cell.method)
        kind = cell.path.split("/")[2] if cell.path.endswith("/{id}") else ""
        if cell.profile != profile or action is None or kind not in asked_about or cell.relation == "missing":
            continue
        asked = {"user_id": asking, "entity": kind, "id": str(matrix.ids(cell)[kind]), "action": action}
        explained = (await administrator.get("/v1/access/explain", params=asked)).json()
        verdicts.add((action, explained["code"]))
        codes = {reason["code"] for reason in explained["reasons"]}
        agrees = codes and codes <= (FOR if explained["allowed"] else AGAINST).keys()
        if not agrees or explained["code"] != {"N": "not_found", "F": "forbidden"}.get(cell.sign):
            wrong.append(f"{cell}: {explained['code']} {sorted(codes)}")
    assert not wrong, "\n".join(wrong)
    assert len(verdicts) >= (3 if profile == "administrator" else 6)


async def test_what_is_out_of_reach_is_answered_as_what_is_not_there(matrix: Matrix) -> None:
    """Foreign and missing: the same status, headers and body, but for the ids of the requests."""
    by_question: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in cells():
        if cell.sign == "N" and cell.relation in ("foreign", "missing"):
            by_question.setdefault((cell.method, cell.path, cell.profile), {})[cell.relation] = cell
    asked = 0
    for pair in by_question.values():
        if len(pair) == 2:
            foreign, missing = await matrix.ask(pair["foreign"]), await matrix.ask(pair["missing"])
            assert without_ids(foreign) == without_ids(missing), pair["foreign"]
            asked += 1
    assert asked > 30


async def test_without_signing_in_every_route_but_signing_in_is_401(matrix: Matrix, client: httpx.AsyncClient) -> None:
    for method, path in sorted(routes()):
        if path not in OPEN:
            answer = await client.request(method, re.sub(r"\{[^}]+\}", str(uuid7()), path), json={})
            assert answer.status_code == 401, (method, path)


def without_ids(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "content-length")}
    return answer.status_code, headers, answer.json() | {"request_id": ""}
