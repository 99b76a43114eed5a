"""Whatever is sent, wherever it is sent, the answer is a success or a problem document, and never a 500.

Routes, fields and parameters are found from the application, so a new one cannot be forgotten.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.main import app
from tests.api.records import make
from tests.conftest import Client

DOCUMENT = app.openapi()
# Every text is JSON, written out since Python would not write it so. No field of any type takes these:
NEVER = {
    "a null character": r'"a\u0000b"',
    "a lone surrogate": r'"a\ud800b"',
    "not a number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "a number too large for a float": "1e999",
    "an object of unknown fields": '{"__proto__": {}}',
    "lists in lists": "[[[[[[]]]]]]",
}
# Some fields take some of these:
PERHAPS = {
    "an int over bigint": "9223372036854775808",
    "an int of 400 digits": "9" * 400,
    "a tiny number": "1e-30",
    "true": "true",
    "null": "null",
    "an empty text": '""',
    "an empty list": "[]",
    "an empty object": "{}",
    "a long text": json.dumps("ñ" * 30_000),
    "year 1, east of Greenwich": '"0001-01-01T00:00:00+14:00"',
    "year 9999, west of Greenwich": '"9999-12-31T23:59:59-12:00"',
    "the first day": '"0001-01-01"',
    "the last day": '"9999-12-31"',
    "right-to-left marks": '"\u202e\u200f"',
    "only white space": '" \u00a0 "',
    "SQL": '"\'; drop table users; --"',
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed, and the one alternative that is not null."""
    while True:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        else:
            return schema


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def body_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of an operation's JSON body; None for forms and for those without a body."""
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(content["application/json"]["schema"]) if "application/json" in content else None


JSON_ROUTES = [(method, path) for method, path, operation in operations() if body_schema(operation)]
WRITE_ROUTES = [(method, path) for method, path, _ in operations() if method in ("POST", "PATCH", "PUT", "DELETE")]
LISTS = [path for method, path, operation in operations() if method == "GET" and operation.get("parameters")]
LISTS = [path for path in LISTS if any(each["in"] == "query" for each in DOCUMENT["paths"][path]["get"]["parameters"])]


def schema_of(method: str, path: str) -> dict[str, Any]:
    schema = body_schema(DOCUMENT["paths"][path][method.lower()])
    assert schema is not None
    return schema


@pytest.fixture
async def ids(administrator: Client) -> dict[str, str]:
    """A record of each kind, by the name of its list."""
    customer = await make(administrator, "customers", name="Acme")
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    product = await make(administrator, "products", name="Valve")
    opportunity = await make(administrator, "opportunities", name="Valves", customer_id=customer["id"])
    user = await make(administrator, "users", name="Ana", username="ana", profile_id="sales")
    for path in (path for method, path in JSON_ROUTES if method == "PUT"):
        person = {"contacts": {"last_name": "Ruiz", "customer_id": customer["id"]}}
        account = {"users": {"name": "Ana", "username": "ana2", "profile_id": "sales"}}
        body = (person | account).get(path.split("/")[2], {"name": "Odd"})
        assert (await administrator.put(path.format(system="erp", external_id="odd"), json=body)).status_code == 201
    return {
        "customers": customer["id"],
        "contacts": contact["id"],
        "products": product["id"],
        "opportunities": opportunity["id"],
        "users": user["id"],
    }


def address(path: str, ids: dict[str, str]) -> str:
    """A path with its parameters filled in."""
    id = ids.get(path.split("/")[2], "0198c0de-0000-7000-8000-000000000000")
    return path.format(id=id, system="erp", external_id="odd")


async def send(client: Client, method: str, url: str, body: str, kind: str = "application/json") -> httpx.Response:
    return await client.request(method, url, content=body.encode(), headers={"Content-Type": kind})


def refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.request.method, str(answer.request.url), answer.text)
    assert answer.headers["content-type"] == "application/problem+json"


def answered(answer: httpx.Response) -> None:
    """A success, or a problem as it should be; a 500 fails in the client."""
    if answer.status_code >= 300:
        refused(answer)


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
    return {"stage": "qualification", "profile_id": "sales"}.get(name) or formats.get(schema.get("format", ""), "text")


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


@pytest.mark.parametrize("route", JSON_ROUTES, ids=" ".join)
async def test_no_field_takes_what_no_field_can_hold(
    route: tuple[str, str], administrator: Client, ids: dict[str, str]
) -> None:
    for name, value in NEVER.items():
        assert not await taken(administrator, route, ids, value), name


@pytest.mark.parametrize("route", JSON_ROUTES, ids=" ".join)
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


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
async def test_a_body_that_is_no_object_of_the_route_is_refused(
    method: str, path: str, administrator: Client, ids: dict[str, str]
) -> None:
    for body in BODIES.values():
        url = address(path, ids)
        refused(await administrator.request(method, url, content=body, headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "a", "/"])
async def test_another_type_of_body_is_refused(
    method: str, path: str, kind: str, administrator: Client, ids: dict[str, str]
) -> None:
    answer = await send(administrator, method, address(path, ids), '{"name": "Acme"}', kind)
    assert answer.status_code == 415


@pytest.mark.parametrize(("method", "path"), WRITE_ROUTES)
async def test_a_body_over_the_limit_is_refused_as_it_arrives(
    method: str, path: str, administrator: Client, ids: dict[str, str]
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' if "multipart" in kind else b""
        )
        for _ in range(70 if path == "/v1/imports" else 3):
            yield b" " * 1_000_000

    content = DOCUMENT["paths"][path][method.lower()].get("requestBody", {}).get("content", {"application/json": {}})
    kind = next(iter(content))
    headers = {"Content-Type": f"{kind}; boundary=x"}
    url = address(path, ids)
    answer = await administrator.request(method, url, content=chunks(), headers=headers)
    if "requestBody" in DOCUMENT["paths"][path][method.lower()]:
        assert answer.status_code == 413
    answered(answer)
    answer = await administrator.request(method, url, headers=headers | {"Content-Length": "70000000"})
    assert answer.status_code == 413


async def asked(client: Client, url: str, names: set[str], value: str) -> set[str]:
    """Give a value, percent-encoded, to all parameters of a list at once, then without those that refused it, until the
    database is asked; the parameters that took it."""
    while names:
        answer = await client.get(f"{url}?{'&'.join(f'{name}={value}' for name in sorted(names))}")
        answered(answer)
        if answer.is_success:
            break
        at = {each["pointer"].removeprefix("/query/").split("/")[0] for each in answer.json()["errors"]}
        assert names & at, answer.text
        names = names - at
    return names


ODD_QUERIES = (
    "%FF%FE",
    "%ED%A0%80",
    "%",
    "%zz",
    "NaN",
    "Infinity",
    "-1",
    "1e999",
    "%25_%5C",
    "%0A",
    "[]",
    "\\",
    "a" * 201,
)


@pytest.mark.parametrize("path", LISTS)
async def test_a_parameter_takes_an_odd_value_or_refuses_it(
    path: str, administrator: Client, ids: dict[str, str]
) -> None:
    url = address(path, ids)
    parameters = DOCUMENT["paths"][path]["get"]["parameters"]
    names = {each["name"] for each in parameters if each["in"] == "query"}
    assert not await asked(administrator, url, names, "a%00b")
    for value in PERHAPS.values():
        given = json.loads(value)
        await asked(administrator, url, names, quote(given[:60] if isinstance(given, str) else value))
    for value in ODD_QUERIES:
        await asked(administrator, url, names, value)


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_refuses_what_it_cannot_answer(path: str, administrator: Client, ids: dict[str, str]) -> None:
    url = address(path, ids)
    for query in ("limit=-1", "limit=0", "limit=201", "limit=1.5", "limit=", "limit=9223372036854775808"):
        refused(await administrator.get(f"{url}?{query}"))
    for query in ("cursor=a", "cursor=%FF", "cursor=ñ", f"cursor={'A' * 3_999}", f"cursor={'A' * 5_000}", "cursor=="):
        refused(await administrator.get(f"{url}?{query}"))


@pytest.mark.parametrize("path", [path for path in LISTS if not path.endswith(("/timeline", "/errors"))])
async def test_a_list_refuses_what_it_does_not_know(path: str, administrator: Client, ids: dict[str, str]) -> None:
    url = address(path, ids)
    many = "&".join(f"{i:x}=" for i in range(10_000))
    for query in (
        "a%00b=1",
        "%FF=1",
        "=1",
        many,
        "&".join(["q=1"] * 10_000),
        "__proto__=1",
        "name__=a",
        "sort=%00",
        "fields=%00,",
        f"q={'a' * 5_000}",
    ):
        refused(await administrator.get(f"{url}?{query}"))


@pytest.mark.parametrize("path", [path for path in LISTS if path.count("/") == 2])
async def test_ids_in_paths_that_are_none_do_not_exist(path: str, administrator: Client) -> None:
    for id in ("%00", "%FF", "%ED%A0%80", "..%2F..%2Fetc", "0", "-1", "a" * 5_000, "%0A", "' or 1=1", "NaN", "%C3%B1"):
        answer = await administrator.get(f"{path}/{id}")
        refused(answer)
        assert answer.status_code == 404


@pytest.mark.parametrize("path", [path for method, path in WRITE_ROUTES if "{external_id}" in path])
async def test_ids_of_other_systems_are_printable(path: str, administrator: Client) -> None:
    name = {"contacts": "last_name"}.get(path.split("/")[2], "name")
    for odd in ("%00", "%0A", "%07", "%C2%85", "a" * 300, "%20"):
        refused(await administrator.put(path.format(system="erp", external_id=odd), json={name: "a"}))
        refused(await administrator.put(path.format(system=odd, external_id="1"), json={name: "a"}))


HEADERS: tuple[bytes, ...] = (
    b"",
    b'"',
    b'""',
    b"W/",
    b"-1",
    b'"9223372036854775808"',
    b'"' + b"9" * 150 + b'"',
    b"a" * 5_000,
    b"\xff\xfe",
    b"\x01",
    b"' or 1=1",
    b",,,",
    "\u00b2".encode(),
)


@pytest.mark.parametrize(("method", "path"), [each for each in WRITE_ROUTES if each[0] in ("PATCH", "DELETE")])
async def test_an_if_match_that_is_none_matches_nothing(
    method: str, path: str, administrator: Client, ids: dict[str, str]
) -> None:
    for value in HEADERS:
        body = {} if method == "DELETE" else {"json": {}}
        answer = await administrator.request(method, address(path, ids), headers=[(b"If-Match", value)], **body)
        refused(answer)


@pytest.mark.parametrize("path", [path for method, path in WRITE_ROUTES if method == "POST"])
async def test_an_odd_idempotency_key_or_token_is_refused_or_taken(
    path: str, administrator: Client, ids: dict[str, str]
) -> None:
    if path.endswith("/logout"):
        return
    for value in HEADERS:
        answered(await administrator.post(address(path, ids), json={}, headers=[(b"Idempotency-Key", value)]))
        headers = [(b"Authorization", b"Bearer " + value)]
        answered(await administrator.post(address(path, ids), json={}, headers=headers))


async def test_a_path_that_is_none_is_a_problem(administrator: Client) -> None:
    for path in ("/", "/v1", "/v1/", "/v1/customers/", "/v1/nothing", "/v1/customers/%2e%2e/users", "//v1//customers"):
        answer = await administrator.get(path)
        refused(answer)
        assert answer.status_code == 404


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


def test_the_routes_are_found() -> None:
    assert len(JSON_ROUTES) >= 18
    assert len(WRITE_ROUTES) > len(JSON_ROUTES)
    assert all(re.match("/v1/", path) for path in LISTS)
