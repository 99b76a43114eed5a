"""What does `X-Dry-Run: true` do? All of a write is done, checked and answered, and then nothing of it is kept."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

from app.domain.entities.rules import invalid
from app.errors import FieldError

HEADER = "X-Dry-Run"
_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": "true: all is checked and answered as if done, and nothing is kept.",
}


def is_asked_for(request: Request) -> bool:
    """Whether the request is only to be tried. Raises `Invalid` for what is neither true nor false."""
    # One that comes twice says two things, of which the first may be to do it.
    said = ",".join(request.headers.getlist(HEADER) or ["false"]).strip().lower()
    if said not in ("true", "false"):
        raise invalid([FieldError(f"/header/{HEADER}", "bool_parsing", "Must be true or false")])
    return said == "true"


def refuse(request: Request) -> None:
    """Raise `Invalid` for a write that is asked to be only tried, and would be done."""
    if is_asked_for(request):
        message = "This write is not tried without being done; leave the header out"
        raise invalid([FieldError(f"/header/{HEADER}", "no_dry_run", message)])


def calls(dependant: Dependant) -> Iterator[Any]:
    """All that a route asks for, and what that asks for in turn."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from calls(each)


def name(document: dict[str, Any], writes: Iterable[tuple[str, str]]) -> None:
    """Name the header in the OpenAPI document, at the writes that can be tried: path and method of each."""
    for path, method in writes:
        operation = document["paths"][path][method.lower()]
        operation["parameters"] = [*operation.get("parameters", ()), _PARAMETER]
