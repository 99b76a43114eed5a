"""Whatever a body holds, the answer is a success or a problem document, and never a 500.

Routes and fields are found from the application, so a new one cannot be forgotten.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.api.routes import (
    DOCUMENT,
    JSON_ROUTES,
    NEVER,
    PERHAPS,
    WRITE_ROUTES,
    address,
    answered,
    refused,
    resolved,
    schema_of,
    send,
)
from tests.conftest import Client

# Changing a record and upserting it take the same body.
ONE_OF_EACH_BODY = list({json.dumps(schema_of(*route)): route for route in JSON_ROUTES}.values())


def leaves(schema: dict[str, Any], deep: int = 2) -> Iterator[tuple[str, ...]]:
    """The paths to the fields of a body, and to those of the objects in its lists."""
    for name, field in schema.get("properties", {}).items():
        yield (name,)
        inner = resolved(field)
        inner = resolved(inner.get("items", inner))
        if deep and "properties" in inner:
            yield from ((name, *rest) for rest in leaves(inner, deep - 1))


def sample(schema: dict[str, Any], ids: dict[str, str], name: str = "") -> Any:
    """Something that the schema takes."""
    schema = resolved(schema)
    if examples := schema.get("examples"):
        return examples[0]
    if name.endswith("_id") and schema.get("format") == "uuid":
        return ids.get({"contact": "contacts", "product": "products"}.get(name[:-3], "customers"))
    match schema.get("type"):
        case "integer":
            return schema.get("minimum", 1)
        case "array":
            return [sample(schema["items"], ids)]
        case "object":
            required = schema.get("required", ())
            return {each: sample(schema["properties"][each], ids, each) for each in required}
        case "boolean":
            return True
    if "enum" in schema:
        return schema["enum"][0]
    formats = {"date": "2026-01-31", "date-time": "2026-01-31T09:30:00Z"}
    return {"stage": ids["stage"], "profile_id": "sales"}.get(name) or formats.get(schema.get("format", ""), "text")


HOLE = "@@hole@@"


def with_holes(schema: dict[str, Any], paths: list[tuple[str, ...]], ids: dict[str, str]) -> str:
    """A body as text, valid as far as its schema says, with a hole at each of these places."""
    body = sample({**schema, "type": "object"}, ids)
    for path in paths:
        inside, at = body, schema
        for name in path[:-1]:
            field = resolved(at["properties"][name])
            at = resolved(field.get("items", field))
            held = inside.get(name)
            if not isinstance(held, list | dict):
                held = inside[name] = [sample(at, ids)] if "items" in field else sample(at, ids)
            inside = held[0] if isinstance(held, list) else held
        if not isinstance(inside.get(path[-1]), list | dict) or len(path) > 1:
            inside[path[-1]] = HOLE
    return json.dumps(body)


def refused_at(answer: httpx.Response) -> set[tuple[str, ...]]:
    """Where in the body the problems are, without positions in lists."""
    found = (each["pointer"] for each in answer.json()["errors"]) if answer.status_code >= 400 else ()
    return {tuple(part for part in pointer.split("/")[1:] if not part.isdigit()) for pointer in found}


async def taken(client: Client, route: tuple[str, str], ids: dict[str, str], value: str) -> set[tuple[str, ...]]:
    """Send a value in every field of a route's body; the fields that take it.

    All fields at once, then without those that refused it, until the rest is stored: what one field refuses must not
    keep the value of another from the database.
    """
    method, path = route
    schema, url = schema_of(method, path), address(path, ids)
    ids = ids | {"stage": "contacted" if path.startswith("/v1/leads") else "qualification"}
    took: set[tuple[str, ...]] = set()
    for left in (
        {each for each in leaves(schema) if len(each) == 1},
        {each for each in leaves(schema) if len(each) > 1},
    ):
        while left:
            body = with_holes(schema, sorted(left), ids).replace(f'"{HOLE}"', value)
            answer = await send(client, method, url, body)
            answered(answer)
            if answer.status_code == 400:
                break
            if answer.is_success:
                took |= left
                break
            refusing = {each for each in left if any(each == place[: len(each)] for place in refused_at(answer))}
            left = left - refusing if refusing else set(sorted(left)[1:])
    return took


@pytest.mark.parametrize("route", ONE_OF_EACH_BODY, ids=" ".join)
async def test_no_field_takes_what_no_field_can_hold(
    route: tuple[str, str], administrator: Client, ids: dict[str, str]
) -> None:
    for name, value in NEVER.items():
        assert not await taken(administrator, route, ids, value), name


@pytest.mark.parametrize("route", ONE_OF_EACH_BODY, ids=" ".join)
async def test_a_field_takes_an_odd_value_or_refuses_it(
    route: tuple[str, str], administrator: Client, ids: dict[str, str]
) -> None:
    took = [await taken(administrator, route, ids, value) for value in PERHAPS.values()]
    assert route[1].startswith("/v1/auth") or any(took)


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "a text": b'"name"',
    "null": b"null",
    "a number": b"1",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "Acme"}'.encode("utf-16"),
    "a key twice": b'{"name": "a", "name": "b"}',
    "a key twice, deep inside": b'{"phones": [{"number": "1", "number": "2"}]}',
    "a key that is a lone surrogate": rb'{"\ud800": 1}',
    "a key that is a null character": rb'{"\u0000": 1}',
    "a key with the signs of a pointer": b'{"a/b~c": 1}',
    "an object in 100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "an object in 100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an int of 5,000 digits": b'{"employees": ' + b"9" * 5_000 + b"}",
    "20,000 unknown fields": json.dumps({f"unknown_{i}": i for i in range(20_000)}).encode(),
    "50,000 items": json.dumps({"tags": ["a"] * 50_000}).encode(),
    "over a megabyte": b'{"name": "' + b"a" * 1_000_000 + b'"}',
}


async def test_a_body_that_is_no_object_of_the_route_is_refused(administrator: Client, ids: dict[str, str]) -> None:
    for method, path in JSON_ROUTES:
        for body in BODIES.values():
            headers = {"Content-Type": "application/json"}
            refused(await administrator.request(method, address(path, ids), content=body, headers=headers))


async def test_another_type_of_body_is_refused(administrator: Client, ids: dict[str, str]) -> None:
    for method, path in JSON_ROUTES:
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "", "a", "/"):
            answer = await send(administrator, method, address(path, ids), '{"name": "Acme"}', kind)
            refused(answer)
            assert answer.status_code == 415


async def test_a_body_over_the_limit_is_refused_as_it_arrives(administrator: Client, ids: dict[str, str]) -> None:
    for method, path in (each for each in WRITE_ROUTES if not each[1].endswith(("/logout", "/submissions"))):
        operation = DOCUMENT["paths"][path][method.lower()]
        kind = next(iter(operation.get("requestBody", {}).get("content", {"application/json": {}})))
        url, headers = address(path, ids), {"Content-Type": f"{kind}; boundary=x"}
        answer = await administrator.request(method, url, headers=headers | {"Content-Length": "70000000"})
        assert answer.status_code == 413
        answer = await administrator.request(method, url, content=chunks(kind), headers=headers)
        answered(answer)
        assert answer.status_code == 413 or "requestBody" not in operation


async def chunks(kind: str) -> AsyncIterator[bytes]:
    """More than the limit, in pieces and without saying so before; of a form, the beginning of a file."""
    if "multipart" in kind:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for _ in range(65 if "multipart" in kind else 2):
        yield b" " * 1_000_000


async def test_no_answer_repeats_a_value_that_was_sent(administrator: Client) -> None:
    secret = "a-secret-that-nobody-may-read-twice"
    for body in (
        {"name": "a", "website": secret},
        {"name": "a", "sector": secret},
        {"name": [secret]},
        {"kind": secret},
    ):
        answer = await administrator.post("/v1/customers", json=body)
        refused(answer)
        assert secret not in answer.text
