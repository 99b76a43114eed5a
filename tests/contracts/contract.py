"""The contract as a judge: is an answer what openapi.json says the route answers?"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator, Registry

HEADERS = {"ETag", "Location", "Retry-After"}


@cache
def document() -> dict[str, Any]:
    """As committed; that it is what the application says is a check of its own."""
    document: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text())
    return document


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Each path as a pattern, those with fewer parameters first. The id of another system may have slashes."""
    templates = sorted(document()["paths"], key=lambda path: path.count("{"))
    parts = {path: re.sub(r"\{[^}]+\}", "[^/]+", path.replace("{external_id}", ".+")) for path in templates}
    return [(re.compile(pattern + "$"), path) for path, pattern in parts.items()]


@cache
def _registry() -> Registry:
    return Registry([("urn:contract", document())])


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=_registry())


async def hold(response: httpx.Response) -> None:
    """Raise AssertionError unless status, media type, body and `HEADERS` are documented for the route."""
    await response.aread()
    request = response.request
    if request.method == "OPTIONS":  # a browser's own question, before the one that the contract is about
        return
    template = next((path for pattern, path in _paths() if pattern.match(request.url.path)), None)
    assert response.status_code != 500, f"500 for {request.method} {request.url}: {response.text}"
    if template is None:
        assert response.status_code == 404, f"{request.url.path} is not in the contract"
        return
    # HEAD is answered as GET, without the body.
    method = "get" if request.method == "HEAD" else request.method.lower()
    operation = document()["paths"][template].get(method)
    if operation is None:
        assert response.status_code == 405, f"{request.method} {template} is not in the contract"
        return
    status = str(response.status_code)
    assert status in operation["responses"], f"{status} is not documented for {request.method} {template}"
    named = operation["responses"][status].get("headers", {}).keys() & HEADERS
    sent = {name for name in HEADERS if name in response.headers}
    assert sent <= named, f"{sent - named} of {request.method} {template} {status} is not documented"
    content = operation["responses"][status].get("content", {})
    media = response.headers.get("content-type", "").partition(";")[0]
    if not content:
        assert not response.content, f"{request.method} {template} answers {status} with a body that is not documented"
        return
    assert media in content, f"{media} is not documented for {status} of {request.method} {template}"
    if request.method == "HEAD" or not media.endswith("json"):
        return
    steps = ("paths", template, method, "responses", status, "content", media, "schema")
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    errors = list(_validator(pointer.replace("{", "%7B").replace("}", "%7D")).iter_errors(json.loads(response.content)))
    wrong = [f"{each.instance_path}: {each.message}" for each in errors]
    assert not wrong, f"{request.method} {template} {status}: {wrong[0]}"
    # The form that a visitor is shown has no version.
    if status[0] != "2" or "version" in json.loads(response.content):
        assert sent == named, f"{request.method} {template} {status} is documented with {named - sent}"
