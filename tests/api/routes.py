"""The application's routes, found from its document, and what the tests of odd inputs send to them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from tests.conftest import Client
from tests.contracts.contract import document

DOCUMENT = document()
# Every text is JSON, written out since Python would not write it so. No field of any type takes these:
NEVER = {
    "a null character": r'"a\u0000b"',
    "a lone surrogate": r'"a\ud800b"',
    "more marks on one letter than there are": json.dumps("a" + "\u0316\u0301" * 20),
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
    "a long text": json.dumps("ñ" * 30_000, ensure_ascii=False),
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
    """The schema of an operation's JSON body; None for those without one, or that take a form too."""
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(content["application/json"]["schema"]) if content.keys() == {"application/json"} else None


JSON_ROUTES = [(method, path) for method, path, operation in operations() if body_schema(operation)]
WRITE_ROUTES = [(method, path) for method, path, _ in operations() if method in ("POST", "PATCH", "PUT", "DELETE")]
LISTS = [path for method, path, operation in operations() if method == "GET" and operation.get("parameters")]
LISTS = [
    path for path in LISTS if any(each["name"] == "limit" for each in DOCUMENT["paths"][path]["get"]["parameters"])
]


def schema_of(method: str, path: str) -> dict[str, Any]:
    schema = body_schema(DOCUMENT["paths"][path][method.lower()])
    assert schema is not None
    return schema


def address(path: str, ids: dict[str, str]) -> str:
    """A path with its parameters filled in."""
    id = ids.get(path.split("/")[2], "0198c0de-0000-7000-8000-000000000000")
    return path.format(id=id, key="odd", system="erp", external_id="odd", user_id=ids.get("users", id))


async def send(client: Client, method: str, url: str, body: str, kind: str = "application/json") -> httpx.Response:
    return await client.request(method, url, content=body.encode(), headers={"Content-Type": kind})


def refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.request.method, str(answer.request.url), answer.text)
    assert answer.headers["content-type"] == "application/problem+json"


def answered(answer: httpx.Response) -> None:
    """A success, or a problem as it should be; a 500 fails in the client."""
    if answer.status_code >= 300:
        refused(answer)
