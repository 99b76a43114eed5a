"""The contract as a judge: is an answer what openapi.json says the route answers?"""

import json
import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


@cache
def _document() -> dict[str, Any]:
    from app.main import app

    return app.openapi()


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Each path as a pattern, those with fewer parameters first."""
    templates = sorted(_document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in templates]


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource("urn:contract", Resource(contents=_document(), specification=DRAFT202012))


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=_registry())


async def hold(response: httpx.Response) -> None:
    """Raise AssertionError unless status, media type and body are documented for the route."""
    await response.aread()
    request = response.request
    template = next((path for pattern, path in _paths() if pattern.match(request.url.path)), None)
    assert response.status_code != 500, f"500 for {request.method} {request.url}: {response.text}"
    if template is None:
        assert response.status_code == 404, f"{request.url.path} is not in the contract"
        return
    operation = _document()["paths"][template].get(request.method.lower())
    if operation is None:
        assert response.status_code == 405, f"{request.method} {template} is not in the contract"
        return
    status = str(response.status_code)
    assert status in operation["responses"], f"{status} is not documented for {request.method} {template}"
    content = operation["responses"][status].get("content", {})
    media = response.headers.get("content-type", "").partition(";")[0]
    if not content:
        assert not response.content, f"{request.method} {template} answers {status} with a body that is not documented"
        return
    assert media in content, f"{media} is not documented for {status} of {request.method} {template}"
    steps = ("paths", template, request.method.lower(), "responses", status, "content", media, "schema")
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    errors = list(_validator(pointer.replace("{", "%7B").replace("}", "%7D")).iter_errors(json.loads(response.content)))
    assert not errors, f"{request.method} {template} {status}: {errors[0].json_path} {errors[0].message}"
