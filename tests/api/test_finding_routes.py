"""Which route is a request for?"""

import re
from typing import Any

import httpx
import pytest
from starlette.routing import Match

from app.main import app

INCLUDED = app.routes[0]
OPERATIONS = [
    (method.upper(), path, operation["operationId"])
    for path, methods in app.openapi()["paths"].items()
    for method, operation in methods.items()
]


def scope(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


def test_every_operation_is_found_at_once_under_its_own_name() -> None:
    assert len(OPERATIONS) > 140
    for method, path, name in OPERATIONS:
        match, found = INCLUDED.matches(scope(method, re.sub(r"\{[^}]*\}", "a.b", path)))
        assert (match, found["endpoint"].__name__) == (Match.FULL, name), path


def test_what_is_found_at_once_is_what_fastapi_finds() -> None:
    for method, path, _ in OPERATIONS:
        asked = scope(method, re.sub(r"\{[^}]*\}", "a.b", path))
        routes = [each for included in app.routes[1:] for each in getattr(included, "effective_route_contexts", list)()]
        first = next(each for each in routes if each.matches(asked)[0] == Match.FULL)
        assert INCLUDED.matches(asked)[1]["included"] is first.app, path


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "//v1/customers", "/v1//customers", "/v1/customers/", "/V1/customers", "/x"]
)
async def test_a_path_that_is_nearly_one_is_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_behind_a_proxy_that_says_where_it_is_the_same_is_found() -> None:
    transport = httpx.ASGITransport(app, root_path="/crm")
    async with httpx.AsyncClient(transport=transport, base_url="http://crm") as client:
        assert (await client.get("/crm/healthz")).status_code == 200
        assert (await client.get("/crm/v1/customers")).status_code == 401
        refused = await client.patch("/crm/v1/customers")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
