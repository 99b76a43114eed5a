"""Every route, asked by each shipped profile, about records of its own, its team's, foreign, nobody's and missing ones.

The routes are found from the application: one without a line in the table fails. Whatever is refused changes nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.matrix import BODIES, OPEN, PROFILES, RELATIONS, STATUS, TABLE


@dataclass(frozen=True)
class Cell:
    """One question and its answer: sign as in the table."""

    method: str
    path: str
    profile: str
    relation: str
    sign: str


@dataclass
class Matrix:
    """The world of the matrix: who asks, and the ids that each has in each relation."""

    world: worlds.World
    clients: dict[str, Client]
    restore: Callable[[], Awaitable[None]]

    def ids(self, cell: Cell) -> worlds.Ids:
        known = self.world.records
        return known.get(f"{cell.profile}-{cell.relation}") or known.get(cell.relation) or {}

    async def ask(self, cell: Cell) -> httpx.Response:
        kind = cell.path.split("/")[2] if cell.path.count("/") > 1 else ""
        id = self.ids(cell).get(kind, uuid7())
        external_id = f"{cell.profile}-{cell.relation}" if cell.relation in ("own", "team") else cell.relation
        path = cell.path.format(id=id, key=worlds.FORM["key"], system="other", external_id=external_id)
        client = self.clients[cell.profile]
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
            case "POST /v1/messages":
                return {"channel": "phone", "subject": "New", "customer_id": customer_id}
            case "PUT /v1/contacts/by/{system}/{external_id}" if cell.relation == "missing":
                reached = self.world.records[f"{cell.profile}-own"]["customers"]
                return {"first_name": "Put", "customer_id": str(reached)}
            case "PUT /v1/contacts/by/{system}/{external_id}":
                return {"first_name": "Put"}
            case known:
                return BODIES.get(known)


def cells() -> list[Cell]:
    """The table, cell by cell."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        if line:
            method, path, *columns = line.split()
            for profile, signs in zip(PROFILES, columns, strict=True):
                relations = RELATIONS if len(signs) > 1 else ("missing",)
                found += [
                    Cell(method, path, profile, relation, sign)
                    for relation, sign in zip(relations, signs, strict=True)
                    if sign != "-"
                ]
    return found


def routes() -> set[tuple[str, str]]:
    """Every route there is, from the application."""
    from app.main import app

    return {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}


@pytest.fixture(scope="module")
async def matrix(emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[Matrix]:
    people = People([])
    world = worlds.World(await people.client(await people.user("administrator")), people)
    stranger = await people.user("sales")
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
    world.records["nobodys"] |= {
        "picklists": UUID(picklists[0]["id"]),
        "pipelines": UUID(pipelines[0]["id"]),
        "products": UUID(product.json()["id"]),
        **await world.furnish_company("nobodys"),
    }
    yield Matrix(world, clients, await worlds.snapshot("matrix"))
    await worlds.execute("drop schema matrix cascade")
    for client in people.clients:
        await client.aclose()
    await emptied()


async def furnish(world: worlds.World, relation: str, owner_id: UUID | None) -> None:
    made = await world.furnish(relation, owner_id)
    if owner_id is not None:
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
    await matrix.restore()
    before = await worlds.fingerprint()
    for cell in harmless:
        wrong += await differently_answered(matrix, cell)
    if await worlds.fingerprint() != before:
        for cell in harmless:
            await matrix.restore()
            before = await worlds.fingerprint()
            await matrix.ask(cell)
            after = await worlds.fingerprint()
            changed = sorted(name for name in after if after[name] != before[name])
            wrong += [f"{cell.method} {cell.path} {cell.relation} changed {changed}"] if changed else []
        wrong = wrong or ["Something changes only after something else"]
        await matrix.restore()
    for cell in asked:
        if cell not in harmless:
            wrong += await differently_answered(matrix, cell)
            await matrix.restore()
    assert not wrong, "\n".join(wrong)


async def differently_answered(matrix: Matrix, cell: Cell) -> list[str]:
    answer = await matrix.ask(cell)
    status = answer.status_code
    if status == STATUS.get(cell.sign) or (cell.sign == "." and 200 <= status < 300):
        return []
    return [f"{cell.method} {cell.path} {cell.relation}: {status} instead of {cell.sign}: {answer.text}"]


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
            answer = await client.request(method, path.format(id=uuid7(), system="other", external_id="1"), json={})
            assert answer.status_code == 401, (method, path)


def without_ids(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "content-length")}
    return answer.status_code, headers, answer.json() | {"request_id": ""}
