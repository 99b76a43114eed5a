"""The refresh token of a browser: in a cookie that no script reads, given and taken only for pages of known sites."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Cookie, Request, Response

from app.domain.signing_in import REFRESH_LIFETIME
from app.errors import Forbidden
from app.settings import allowed_origins

NAME = "clientela_refresh"
PATH = "/v1/auth"
LOOPBACK = ("localhost", "127.0.0.1", "::1")

RefreshCookie = Annotated[str | None, Cookie(alias=NAME, include_in_schema=False)]


def known_origin(request: Request) -> str:
    """The site of the page that asks. Raises `Forbidden` for one that is none of ours, and where none is said."""
    origin = request.headers.get("origin", "")
    if origin not in allowed_origins():
        raise Forbidden("Pages of this site may not use the API", code="origin_not_allowed")
    return origin


def give(response: Response, refresh_token: str, origin: str) -> None:
    """Have the browser keep the token and send it to the routes for signing in alone."""
    lasts = int(REFRESH_LIFETIME.total_seconds())
    response.set_cookie(
        NAME, refresh_token, lasts, path=PATH, secure=is_secure(origin), httponly=True, samesite="strict"
    )


def take_back(response: Response, origin: str) -> None:
    response.delete_cookie(NAME, PATH, secure=is_secure(origin), httponly=True, samesite="strict")


def is_secure(origin: str) -> bool:
    """Only over TLS, but for a page of the developer's own machine, which has none."""
    parts = urlsplit(origin)
    return not (parts.scheme == "http" and parts.hostname in LOOPBACK)
