"""Which requests go straight to their function?

FastAPI can give a function whatever it asks for, in general steps that take longer than most of ours do. Ours ask for
little: who is signed in, an id, a query, a header, a body. Where a function asks for nothing else, that is looked up
here, and checked by FastAPI's own fields. A request that does not fit goes FastAPI's way, which says what is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args, get_origin

from fastapi import Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Body
from starlette.requests import ClientDisconnect, Request

from app.api.deps import Signed
from app.errors import Malformed, Unsupported


class Part(NamedTuple):
    """A field of FastAPI's, the name under which requests say it, and whether they may say it more than once."""

    field: Any
    alias: str
    is_many: bool


@dataclass(frozen=True, slots=True)
class Straight:
    """What a function asks for: each part of a request under the name by which it is given."""

    request: str | None
    signed: Sequence[tuple[str, Signed]]
    path: Sequence[Part]
    query: Sequence[Part]
    headers: Sequence[Part]
    body: Any

    async def arguments(self, request: Request) -> dict[str, Any] | None:
        """What the function is called with; None for a request that does not fit. Raises as `Signed` does."""
        given: dict[str, Any] = {} if self.request is None else {self.request: request}
        for name, ask in self.signed:
            given[name] = await ask(request)
        if not _take(given, self.path, request.path_params) or not _take(given, self.headers, request.headers):
            return None
        if self.query and not _take(given, self.query, request.query_params):
            return None
        if self.body is not None:
            try:
                said = await request.json() if await request.body() else None
            except (Malformed, Unsupported, ClientDisconnect):
                return None
            if said is None:
                return None
            given[self.body.name], errors = self.body.validate(said)
            if errors:
                return None
        return given


def straight(dependant: Dependant) -> Straight | None:
    """What the function asks for; None if it asks for anything else, or its answer is not ready to be sent."""
    asked = dependant.dependencies
    signed = [(each.name, each.call) for each in asked if each.name and isinstance(each.call, Signed)]
    special = (
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
    )
    bodies = dependant.body_params
    if (
        len(signed) < len(asked)
        or any(special)
        or dependant.cookie_params
        or getattr(dependant.call, "__annotations__", {}).get("return") is not Response
        or len(bodies) > 1
        or any(type(each.field_info) is not Body or each.field_info.embed for each in bodies)
    ):
        return None
    return Straight(
        dependant.request_param_name,
        signed,
        _parts(dependant.path_params),
        _parts(dependant.query_params),
        _parts(dependant.header_params),
        bodies[0] if bodies else None,
    )


def _parts(fields: Sequence[Any]) -> list[Part]:
    return [Part(each, each.alias, _is_many(each.field_info.annotation)) for each in fields]


def _is_many(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_many, get_args(annotation)))


def _take(given: dict[str, Any], parts: Sequence[Part], said: Any) -> bool:
    """Add what a request says of each part, checked, or what it is if left out. False: something is wrong."""
    for field, alias, is_many in parts:
        value = said.getlist(alias) or None if is_many else said.get(alias)
        if value is None:
            if field.field_info.is_required():
                return False
            given[field.name] = field.default
            continue
        given[field.name], errors = field.validate(value)
        if errors:
            return False
    return True
