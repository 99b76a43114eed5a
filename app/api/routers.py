"""Where do routes live? In routers that are asked quickly whether a request can be theirs."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from starlette.datastructures import QueryParams
from starlette.routing import Match
from starlette.types import Scope

from app.api.bodies import JsonRoute
from app.api.problems import MOST_PROBLEMS, unknown_parameter
from app.errors import FieldError

PREFIX = "/v1"


class Route(JsonRoute):
    """A route that is passed over by the number of the words in its path."""

    @cached_property
    def slashes(self) -> int:
        return f"{PREFIX}{self.path}".count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"].count("/") != self.slashes:
            return Match.NONE, {}
        return super().matches(scope)

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
    """Routes below `PREFIX`. FastAPI asks every route of every router, the one that fits twice: that took a third of a
    request; here a router is passed over, or taken, by the first word of the path."""

    # The first words that no other router has.
    alone: frozenset[str] = frozenset()

    def __init__(self, *, prefix: str = "", tags: list[Any], route_class: Any = Route) -> None:
        super().__init__(prefix=prefix, tags=tags, route_class=route_class)

    @cached_property
    def first_words(self) -> frozenset[str]:
        return frozenset(getattr(route, "path", "/").split("/")[1] for route in self.routes)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        words = scope["path"].split("/", 3)
        if len(words) < 3 or words[2] not in self.first_words:
            return Match.NONE, {}
        # Which of its routes it is, or none, it finds out when it is given the request.
        return (Match.FULL, {}) if words[2] in self.alone else super().matches(scope)


def share(routers: Sequence[Router]) -> None:
    """Tell each router which first words are its alone."""
    times = Counter(word for router in routers for word in router.first_words)
    for router in routers:
        router.alone = frozenset(word for word in router.first_words if times[word] == 1)
