"""Whatever a body holds, the answer is a success or a problem document, and never a 500.

Routes and fields are found from the application, so a new one cannot be forgotten.
"""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from itertools import cycle
from typing import Any

import httpx

from tests.api.records import ACTIONS, least, make
from tests.api.routes import (
    DOCUMENT,
    JSON_ROUTES,
    NEVER,
    PERHAPS,
    WRITE_ROUTES,
    address,
    answered,
    body_schema,
    operations,
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
        return ids.get({"contact": "contacts", "product": "products", "user": "service"}.get(name[:-3], "customers"))
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
    return {"profile_id": "sales"}.get(name) or formats.get(schema.get("format", ""), "text")


def body_with(schema: dict[str, Any], given: dict[tuple[str, ...], str], body: dict[str, Any], ids: Any) -> str:
    """The body as text with these values, which are JSON themselves, at these places."""
    body = copy.deepcopy(body)
    holes = {f"@@{number}@@": path for number, path in enumerate(given)}
    for hole, path in holes.items():
        inside, at = body, schema
        for name in path[:-1]:
            field = resolved(at["properties"][name])
            at = resolved(field.get("items", field))
            held = inside.get(name)
            if not held or not isinstance(held, list | dict):
                held = inside[name] = [sample(at, ids)] if "items" in field else sample(at, ids)
            inside = held[0] if isinstance(held, list) else held
        inside[path[-1]] = hole
    text = json.dumps(body)
    for hole, path in holes.items():
        text = text.replace(f'"{hole}"', given[path])
    return text


def refused_at(answer: httpx.Response) -> set[tuple[str, ...]]:
    """Where in the body the problems are, without positions in lists."""
    found = (each["pointer"] for each in answer.json()["errors"]) if answer.status_code >= 400 else ()
    return {tuple(part for part in pointer.split("/")[1:] if not part.isdigit()) for pointer in found}


async def taken(client: Client, route: tuple[str, str], ids: dict[str, str], *values: str) -> set[tuple[str, ...]]:
    """Send these values in turn in the fields of a route's body; the fields that took theirs.

    All fields at once, then without those that refused it, until the rest is stored: what one field refuses must not
    keep the value of another from the database.
    """
    method, path = route
    schema, kind = schema_of(method, path), path.split("/")[2]
    fields = sorted(leaves(schema))
    took: set[tuple[str, ...]] = set()
    for nested in (False, True):
        places = [each for each in fields if (len(each) > 1) is nested]
        given = {each: values[at % len(values)] for at, each in enumerate(places)}
        while given:
            body = sample({**schema, "type": "object"}, ids) | ACTIONS.get(path, {})
            if method == "PUT" or (method == "POST" and path == f"/v1/{kind}"):
                body |= least(kind, ids["customers"])
            if path.endswith("/hand-over"):
                body |= {"to": [str(client.user_id)]}
            answer = await send(client, method, address(path, ids), body_with(schema, given, body, ids))
            answered(answer)
            if answer.is_success:
                took |= given.keys()
                if path.endswith(("/done", "/convert")):
                    ids[kind] = (await make(client, kind, **least(kind, ids["customers"])))["id"]
                break
            at = refused_at(answer)
            refusing = {each for each in given if any(each == place[: len(each)] for place in at)}
            # What is refused as a whole is tried without one field after the other.
            given = {each: given[each] for each in (given.keys() - refusing if refusing else sorted(given)[1:])}
    return took


async def test_no_field_takes_what_no_field_can_hold(administrator: Client, ids: dict[str, str]) -> None:
    for route in ONE_OF_EACH_BODY:
        for name, value in NEVER.items():
            assert not await taken(administrator, route, ids, value), (route, name)


async def test_a_field_takes_an_odd_value_or_refuses_it(administrator: Client, ids: dict[str, str]) -> None:
    """Every field gets the huge numbers and some of the others, which the fields of each type share out."""
    huge = [[value] for name, value in PERHAPS.items() if name.startswith("an int")]
    others = [value for name, value in PERHAPS.items() if not name.startswith("an int")]
    for number, route in enumerate(ONE_OF_EACH_BODY):
        few = len([*leaves(schema_of(*route))]) < 6
        turns = [(number + turn) % len(others) for turn in (range(len(others)) if few else (0, 4, 7, 11))]
        rounds = huge + [others[turn:] + others[:turn] for turn in turns]
        took = [await taken(administrator, route, ids, *values) for values in rounds]
        assert route[1].startswith("/v1/auth") or any(took), route


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "a text": b'"name"',
    "null": b"null",
    "a number": b"1",
    "not a number": b'{"name": NaN}',
    "infinity": b'{"name": Infinity}',
    "minus infinity": b'{"name": -Infinity}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "Acme"}'.encode("utf-16"),
    "a key twice": b'{"name": "a", "name": "b"}',
    "a key twice, deep inside": b'{"phones": [{"number": "1", "number": "2"}]}',
    "a key that is a lone surrogate": rb'{"\ud800": 1}',
    "a key that is a null character": rb'{"\u0000": 1}',
    "a key with the signs of a pointer": b'{"a/b~c": 1}',
}
LARGE_BODIES = {
    "an object in 100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "an object in 100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an int of 5,000 digits": b'{"employees": ' + b"9" * 5_000 + b"}",
    "20,000 unknown fields": json.dumps({f"unknown_{i}": i for i in range(20_000)}).encode(),
    "50,000 items": json.dumps({"tags": ["a"] * 50_000}).encode(),
    "over a megabyte": b'{"name": "' + b"a" * 1_000_000 + b'"}',
}


async def test_a_body_that_is_no_object_of_the_route_is_refused(administrator: Client, ids: dict[str, str]) -> None:
    """Every route gets the small ones, and one after the other the large ones, which take their time to be read."""
    headers = {"Content-Type": "application/json"}
    large = cycle(LARGE_BODIES.values())
    for method, path in JSON_ROUTES:
        optional = not DOCUMENT["paths"][path][method.lower()]["requestBody"].get("required")
        for name, body in (BODIES | {"large": next(large)}).items():
            if not (optional and name in ("nothing", "null")):
                refused(await administrator.request(method, address(path, ids), content=body, headers=headers))


async def test_another_type_of_body_is_refused(administrator: Client, ids: dict[str, str]) -> None:
    for method, path in JSON_ROUTES:
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "", "a", "/"):
            answer = await send(administrator, method, address(path, ids), '{"name": "Acme"}', kind)
            refused(answer)
            assert answer.status_code == 415


async def test_what_is_no_form_is_refused_where_a_form_is_taken(administrator: Client, client: Client) -> None:
    taken = {path for _, path, operation in operations() if "requestBody" in operation and not body_schema(operation)}
    assert taken == {"/v1/auth/token", "/v1/imports", "/v1/forms/{key}/submissions"}
    for path in ("/v1/auth/token", "/v1/imports"):
        for kind in ("application/json", "text/plain", "application/xml", "", "a", "/"):
            answer = await send(administrator, "POST", path, '{"username": "ana", "password": "x"}', kind)
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (path, kind)
        for kind in ("application/json", "application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; a=b"):
            answer = await send(administrator, "POST", path, "", kind)
            assert (answer.status_code, answer.json()["code"]) == (422, "required_information"), (path, kind)
    answer = await send(client, "POST", "/v1/imports", "{}")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


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
