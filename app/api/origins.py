"""Which pages' scripts may read what the API answers? Those of the sites in the settings (CORS), with cookies.

Forms are for other sites, which each form names; their routes say so themselves.
"""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import allowed_origins


class Origins:
    """ASGI middleware. Who comes from no such site, or from none, passes as if it were not there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or origin not in allowed_origins():
            await self.app(scope, receive, send)
            return
        answered = CORSMiddleware(
            self.app,
            allow_origins=[origin],
            allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Dry-Run"],
            allow_credentials=True,
            expose_headers=["ETag", "Idempotency-Replayed", "Location", "Retry-After", "X-Request-Id"],
        )
        await answered(scope, receive, send)
