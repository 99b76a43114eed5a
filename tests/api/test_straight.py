"""Requests that go straight to their function: the same comes of them as of FastAPI's own way."""

from itertools import product
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import bodies, problems
from app.api.bodies import JsonRoute
from app.api.edge import Edge
from app.api.routes import ROUTERS
from app.api.straight import straight
from app.main import app

ID = "01941f29-7fb7-7003-8015-3017ddb2f203"


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    amount: int | None = None


async def write(
    request: Request,
    id: UUID,
    data: Said,
    key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=2, max_length=5)] = None,
    limit: Annotated[int, Query(ge=1, le=9)] = 5,
    type: Annotated[list[str] | None, Query(max_length=2)] = None,
) -> Response:
    return Response(repr((request.method, id, data, key, limit, type)))


async def read(id: UUID, need: str) -> Response:
    return Response(repr((id, need)))


def served() -> FastAPI:
    router = APIRouter(route_class=JsonRoute)
    router.add_api_route("/{id}", write, methods=["POST"])
    router.add_api_route("/{id}", read, methods=["GET"])
    small = FastAPI()
    small.include_router(router)
    problems.install(small)
    small.add_middleware(Edge)
    return small


IDS = (ID, ID.replace("-", ""), f"{{{ID}}}", "1", "%00")
QUERIES = (
    "",
    "limit=2&limit=3",
    "limit=10",
    "limit=",
    "type=a&type=b",
    "type=a&type=b&type=c",
    "type=",
    "need=",
    "need=x",
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"idempotency-key": "abc"},
    {"idempotency-key": "a"},
    {"content-type": "text/plain"},
    {"content-type": "application/vnd.api+json; charset=utf-8"},
)
BODIES = (
    b'{"name":"Ana","amount":3}',
    b'{"name":""}',
    b'{"name":"A","name":"B"}',
    b"{",
    b"null",
    b"[]",
    b"",
    b'{"a":NaN}',
)


async def answers(small: FastAPI) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://crm") as client:
        for id, query in product(IDS, QUERIES):
            answer = await client.get(f"/{id}?{query}")
            found.append((id, query, answer.status_code, _told(answer)))
        for id, query, headers, body in product(IDS, QUERIES, HEADERS, BODIES):
            headers = {"content-type": "application/json"} | headers
            answer = await client.post(f"/{id}?{query}", headers=headers, content=body)
            found.append((id, query, headers, body, answer.status_code, _told(answer)))
    return found


def _told(answer: httpx.Response) -> Any:
    """All of an answer but the id of its request."""
    if answer.headers.get("content-type") != "application/problem+json":
        return answer.text
    return {name: value for name, value in answer.json().items() if name not in ("instance", "request_id")}


async def test_a_request_gets_the_same_answer_as_by_fastapis_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    went = await answers(served())
    monkeypatch.setattr(bodies, "straight", lambda dependant: None)
    assert went == await answers(served())
    statuses = {each[-2] for each in went}
    assert statuses == {200, 400, 404, 415, 422}


async def test_what_fits_goes_straight_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("FastAPI was asked")

    small = served()
    monkeypatch.setattr("fastapi.routing.solve_dependencies", refuse)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://crm") as client:
        headers = {"idempotency-key": "abc"}
        answer = await client.post(f"/{ID}?limit=2&limit=3&type=a", headers=headers, json={"name": "Ana"})
        assert answer.text == f"('POST', UUID('{ID}'), Said(name='Ana', amount=None), 'abc', 3, ['a'])"
        assert (await client.get(f"/{ID}?need=x")).text == f"(UUID('{ID}'), 'x')"
        with pytest.raises(AssertionError):
            await client.get(f"/{ID}")


def test_every_list_record_create_and_move_goes_straight() -> None:
    straightly = {route.name for router in ROUTERS for route in router.routes if straight(route.dependant)}  # type: ignore[attr-defined]
    for name in ("customers", "contacts", "opportunities", "leads", "activities", "products", "users"):
        assert f"list_{name}" in straightly
    assert {"read_customer", "create_customer", "create_lead", "move_opportunity", "move_lead"} <= straightly
    assert {"read_customer_page", "read_customer_timeline", "read_won_amounts"} <= straightly


def test_the_application_adds_nothing_to_what_a_route_asks_for() -> None:
    """What `include_router` were told to ask for beside it, a request that goes straight would pass by."""
    asked = 0
    for included in app.routes:
        for context in getattr(included, "effective_route_contexts", list)():
            own = context.original_route.dependant.dependencies
            assert [each.call for each in context.dependant.dependencies] == [each.call for each in own]
            asked += len(own)
    assert asked > 100
