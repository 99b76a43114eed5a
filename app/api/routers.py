"""Where do routes live, and how is the one found that a request is for?"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from starlette.datastructures import QueryParams
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.api.bodies import JsonRoute
from app.api.problems import MOST_PROBLEMS, unknown_parameter
from app.errors import FieldError, MethodNotAllowed, NotFound

PREFIX = "/v1"


class Route(JsonRoute):
    """A route that knows which parameters there are."""

    @cached_property
    def query_parameters(self) -> frozenset[str] | None:
        """What a request may name in its query; None for a list, which looks at that itself."""
        described = {each["name"] for each in (self.openapi_extra or {}).get("parameters", ())}
        if "limit" in described:
            return None
        declared = get_flat_params(self.dependant)
        return frozenset(described | {each.alias for each in declared if isinstance(each.field_info, Query)})

    def unknown(self, query: QueryParams) -> list[FieldError]:
        """Errors for parameters that there are not."""
        known = self.query_parameters
        if known is None:
            return []
        return [unknown_parameter(each, sorted(known)) for each in sorted(query.keys() - known)[:MOST_PROBLEMS]]


class Router(APIRouter):
    """Routes below `PREFIX`."""

    def __init__(self, *, prefix: str = "", tags: list[Any], route_class: Any = Route) -> None:
        super().__init__(prefix=prefix, tags=tags, route_class=route_class)


class Included(BaseRoute):
    """All routes of the included routers, by how their paths begin, and every path below `PREFIX`.

    FastAPI asks every route of every router, and those of the right router twice: that took a third of a request.
    """

    def __init__(self, app: FastAPI) -> None:
        self.application = app

    @cached_property
    def routes(self) -> dict[tuple[str, int], list[Any]]:
        found: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for included in self.application.routes:
            for route in getattr(included, "effective_route_contexts", list)():
                found[_beginning(route.path)].append(route)
        return dict(found)

    def writes_to_try(self) -> Iterator[tuple[str, str]]:
        """Path and method of each write of which nothing is kept if that is asked for."""
        for routes in self.routes.values():
            for route in routes:
                if isinstance(route.original_route, JsonRoute) and route.original_route.can_be_tried:
                    yield from ((route.path_format, method) for method in route.methods)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path = _path(scope)
        for route in self.routes.get(_beginning(path), ()):
            match, found = route.matches(scope)
            if match == Match.FULL:
                return match, found | {"route": route.original_route, "included": route.app}
        return (Match.FULL if path.startswith(f"{PREFIX}/") else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `MethodNotAllowed` where the path takes other methods, else `NotFound`."""
        if "included" in scope:
            await scope["included"](scope, receive, send)
            return
        routes = self.routes.get(_beginning(_path(scope)), ())
        methods = {method for each in routes if each.matches(scope)[0] == Match.PARTIAL for method in each.methods}
        if methods:
            raise MethodNotAllowed(methods)
        raise NotFound("No such path")


def _path(scope: Scope) -> str:
    """The path without what a proxy may have put before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _beginning(path: str) -> tuple[str, int]:
    """The first word after `PREFIX`, and how many words there are; another system's id is one, whatever is in it."""
    words = path.split("/", 5 if "/by/" in path else -1)
    return (words[2] if len(words) > 2 else words[-1]), len(words)
