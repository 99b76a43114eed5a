"""Bodies: JSON as its standard has it, with each key once; anything else is refused before it is looked into."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from email.message import Message
from functools import cached_property, lru_cache
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.api import dry_runs
from app.api.deps import Signed, confirm_signed_in, writes_whole
from app.api.straight import straight
from app.errors import Malformed, Unsupported

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class JsonRoute(APIRoute):
    """A route whose body is read strictly. FastAPI would take NaN, and the last of two equal keys."""

    @cached_property
    def signed(self) -> bool:
        """Whether one signs in for it."""
        return any(isinstance(each, Signed) for each in dry_runs.calls(self.dependant))

    @cached_property
    def can_be_tried(self) -> bool:
        """Whether it is a write of which nothing is kept if that is asked for: one in the request's transaction."""
        asked = list(dry_runs.calls(self.dependant))
        return self.methods != {"GET"} and dry_runs.refuse not in asked and any(map(writes_whole, asked))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        asked = straight(self.dependant)
        function: Callable[..., Awaitable[Response]] = self.endpoint

        async def strictly(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            if request.method != "GET" and not self.can_be_tried and dry_runs.HEADER in request.headers:
                if self.signed:
                    await confirm_signed_in(request)
                dry_runs.refuse(request)
            if asked is not None and (given := await asked.arguments(request)) is not None:
                return await function(**given)
            try:
                return await handle(request)
            except (RequestValidationError, HTTPException):
                # Who is not signed in, or not any more, is told that, and nothing of what they sent. FastAPI reads the
                # body before it asks who sends it.
                if self.signed:
                    await confirm_signed_in(request)
                raise

        return strictly


class StrictRequest(Request):
    """What it raises, FastAPI wraps in an HTTPException of 400; `problems.py` takes it out again."""

    async def body(self) -> bytes:
        body = await super().body()
        if body and not is_json(self.headers.get("content-type", "")):
            raise Unsupported("The body must be of type application/json")
        return body

    async def json(self) -> Any:
        return parsed_json(await self.body())

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in FORMS and await super().body():
            raise Unsupported("The body must be a form")
        return await super().form(**limits)


def parsed_json(body: bytes) -> Any:
    """What the bytes say. Raises `Malformed`, also for NaN and for a key that comes twice."""
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON") from None


@lru_cache(maxsize=64)
def is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise Malformed("The body has a key twice")
    if not all(map(str.isprintable, values)):
        raise Malformed("The body has a key that is no text")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_each_key_once, parse_constant=_no_constant)
