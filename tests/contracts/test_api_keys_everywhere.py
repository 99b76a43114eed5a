"""Every route, asked with an API key: what its scopes say and its profile grants, and never anything about credentials.

The routes are found from the application, as in the matrix.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from app.domain.api_keys import known_scopes
from tests.api.api_keys import coming_with, make_key
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.contracts.cells import routes
from tests.contracts.matrix import BODIES, OPEN

# Written out: a new route about accounts or credentials is one of these, or fails the test below.
PEOPLE_ONLY = {
    *((method, "/v1/api-keys") for method in ("GET", "POST")),
    *((method, "/v1/api-keys/{id}") for method in ("GET", "PATCH", "DELETE")),
    *((method, "/v1/profiles") for method in ("GET", "POST")),
    *((method, "/v1/profiles/{id}") for method in ("GET", "PATCH", "DELETE")),
    *((method, "/v1/auth/second-factor") for method in ("GET", "POST", "DELETE")),
    ("POST", "/v1/auth/second-factor/confirm"),
    *((method, "/v1/auth/sessions") for method in ("GET", "DELETE")),
    ("DELETE", "/v1/auth/sessions/{id}"),
    ("POST", "/v1/auth/password/change"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/users/{id}/password"),
    ("POST", "/v1/users/{id}/invite"),
    ("DELETE", "/v1/users/{id}/sessions"),
    ("DELETE", "/v1/users/{id}/second-factor"),
    ("POST", "/v1/users/{id}/hand-over"),
    *((method, "/v1/access-requests") for method in ("GET", "POST")),
    *(("POST", f"/v1/access-requests/{{id}}/{verb}") for verb in ("grant", "refuse")),
    ("PATCH", "/v1/me"),
}
ABOUT_CREDENTIALS = re.compile(
    r"auth|password|invit|factor|session|token|key|secret|credential|profile|recovery|openid"
)


@dataclass
class Asking:
    """A world, and two keys of one service user whose profile is the administrator's: of all scopes, and of two."""

    ids: worlds.Ids
    whole: httpx.AsyncClient
    narrow: httpx.AsyncClient

    async def ask(self, client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
        kind = path.split("/")[2] if path.count("/") > 1 else ""
        id: UUID | int = 1 if kind == "jobs" else self.ids.get(kind, uuid7())
        address = re.sub(r"\{[^}]+\}", str(id), path)
        if (method, path) == ("POST", "/v1/imports"):
            fields = {"entity": "customers", "mapping": '{"columns": {"name": "name"}}'}
            return await client.post(path, data=fields, files={"file": ("customers.csv", "name\nNew\n")})
        body: dict[str, Any] = BODIES.get(f"{method} {path}", {})
        return await client.request(method, address, json=body if method != "GET" else None)


@pytest.fixture(scope="module")
async def asking(emptied: Callable[[], Any]) -> AsyncIterator[Asking]:
    people = People([])
    administrator: Client = await people.client(await people.user("administrator"))
    robot: UUID = await people.user("administrator", service=True)
    world = worlds.World(administrator, people)
    ids = await world.furnish("own", robot) | {"users": robot, "profiles": UUID(int=0)}
    whole = await make_key(administrator, robot, *known_scopes())
    narrow = await make_key(administrator, robot, "customers:read", "contacts:create")
    async with coming_with(whole["key"]) as one, coming_with(narrow["key"]) as other:
        yield Asking(ids, one, other)
    await administrator.aclose()
    await emptied()


def test_every_route_about_credentials_is_known_to_these_tests() -> None:
    named = {(method, path) for method, path in routes() if ABOUT_CREDENTIALS.search(re.sub(r"{.*?}", "", path))}
    assert {each for each in named if each[1] not in OPEN} - PEOPLE_ONLY == set()
    assert PEOPLE_ONLY - routes() == set(), "no such routes any more"


async def test_no_key_does_anything_with_credentials_whatever_its_scopes(asking: Asking) -> None:
    before = await worlds.fingerprint()
    wrong = {}
    for method, path in sorted(PEOPLE_ONLY):
        for client in (asking.whole, asking.narrow):
            answer = await asking.ask(client, method, path)
            if (answer.status_code, answer.json()["code"]) != (403, "people_only"):
                wrong[method, path] = answer.text
    for method, path in (("POST", "/v1/users"), ("PATCH", "/v1/users/{id}"), ("DELETE", "/v1/users/{id}")):
        answer = await asking.ask(asking.whole, method, path)
        if answer.status_code != 403:
            wrong[method, path] = answer.text
    # However the id is spelt.
    for id in (f"{{{asking.ids['users']}}}", asking.ids["users"].hex, str(asking.ids["users"]).upper()):
        answer = await asking.whole.post(f"/v1/users/{id}/password", json={"password": "la gata bebe leche"})
        if answer.status_code not in (403, 404):
            wrong[id] = answer.text
    assert wrong == {}
    assert await worlds.fingerprint() == before


async def test_a_key_of_two_scopes_does_those_two_things_and_nothing_else_anywhere(asking: Asking) -> None:
    before = await worlds.fingerprint()
    customer = f"/v1/customers/{asking.ids['customers']}"
    for path in ("/v1/customers", "/v1/customers?count=exact&q=customer", customer, f"{customer}/timeline"):
        assert (await asking.narrow.get(path)).status_code == 200, path
    # What comes with a customer is of other sections.
    assert "activity.created" not in (await asking.narrow.get(f"{customer}/timeline")).text
    page = (await asking.narrow.get(f"{customer}/page")).json()
    assert page.pop("customer")["id"] == str(asking.ids["customers"])
    assert {*page.pop("counts").values(), *page.values()} == {None}
    mine = {"/v1/customers", "/v1/customers/{id}", "/v1/customers/{id}/timeline", "/v1/me"}
    mine |= {"/v1/customers/{id}/assignees", "/v1/customers/{id}/page", "/v1/customers/{id}/lifecycle"}
    done = {}
    for method, path in sorted(routes()):
        if path in OPEN or (method, path) in PEOPLE_ONLY or (method == "GET" and path in mine):
            continue
        answer = await asking.ask(asking.narrow, method, path)
        if answer.status_code not in (403, 404, 422):
            done[method, path] = answer.status_code
    # A day's work is what one may see of it: nothing.
    agenda = await asking.narrow.get("/v1/me/agenda")
    assert str(asking.ids["activities"]) not in agenda.text
    done.pop(("GET", "/v1/me/agenda"), None)
    assert done == {}
    assert await worlds.fingerprint() == before
    contact = {"first_name": "New", "customer_id": str(asking.ids["customers"])}
    made = await asking.narrow.post("/v1/contacts", json=contact)
    assert (made.status_code, made.json().keys()) == (201, {"id"})
    assert (await asking.narrow.get(made.headers["location"])).status_code == 404


async def test_a_key_of_all_scopes_does_what_its_profile_may(asking: Asking) -> None:
    refused = {}
    for method, path in sorted(routes()):
        if method == "GET" and path.count("{") == 0 and path not in OPEN and (method, path) not in PEOPLE_ONLY:
            answer = await asking.ask(asking.whole, method, path)
            if answer.status_code not in (200, 422):
                refused[path] = answer.text
    assert refused == {}
