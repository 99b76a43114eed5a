"""What every request passes first: an id, a limit to its body, and an ear for what is to be repeated."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp
from uuid_utils.compat import uuid7

from app.api.problems import answer
from app.errors import AccessChanged, TooLarge, Unavailable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

ATTEMPTS = 3
JSON_LIMIT = 1_000_000
IMPORT_LIMIT = 21_000_000
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


class Edge:
    """ASGI middleware. Bodies over the limit (1 MB; a file to import 20 MB) are refused as they arrive: 413.

    A request whose access changed while it ran is undone by then, and runs once more from its body as heard.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # Answered as GET; the server leaves the body out (RFC 9110, section 9.3.2).
            scope = {**scope, "method": "GET"}
        request_id = str(uuid7())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        limit = IMPORT_LIMIT if scope["path"] == "/v1/imports" else JSON_LIMIT
        received, answering = 0, False
        heard: list[Message] = []
        state["heard"] = heard
        again: list[Message] = []

        async def counted() -> Message:
            nonlocal received
            if again:
                return again.pop(0)
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise TooLarge(f"The body is over {limit} bytes")
                heard.append(message)
            return message

        async def marked(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode()), *HEADERS]
            await send(message)

        length = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            if length.isdigit() and int(length) > limit:
                raise TooLarge(f"The body is over {limit} bytes")
            for attempt in range(ATTEMPTS):
                try:
                    again[:] = heard
                    await self.app(scope, counted, marked)
                    break
                except AccessChanged:
                    if attempt == ATTEMPTS - 1:
                        raise Unavailable("What you may do is being changed; try again") from None
        except (TooLarge, Unavailable) as error:
            if answering:
                raise
            await answer(Request(scope), error)(scope, receive, marked)
