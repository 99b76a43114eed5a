"""Where do routes live? In routers that are asked quickly whether a request can be theirs."""

from functools import cached_property
from typing import Any

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope

from app.api.bodies import JsonRoute

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


class Router(APIRouter):
    """Routes below `PREFIX`. FastAPI asks every route of every router, the one that fits twice: that took a third of a
    request; here a router is passed over by the first word of the path."""

    def __init__(self, *, prefix: str = "", tags: list[Any], route_class: Any = Route) -> None:
        super().__init__(prefix=prefix, tags=tags, route_class=route_class)

    @cached_property
    def first_words(self) -> frozenset[str]:
        return frozenset(getattr(route, "path", "/").split("/")[1] for route in self.routes)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        words = scope["path"].split("/", 3)
        if len(words) < 3 or words[2] not in self.first_words:
            return Match.NONE, {}
        return super().matches(scope)
