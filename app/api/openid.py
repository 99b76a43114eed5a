"""Signing in through the company's OpenID provider, over HTTP: there by one redirect, back by another."""

from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from fastapi import Cookie, Query, Request, Response, status

from app.api import refresh_cookies
from app.api.auth import user_agent_of
from app.api.routers import Router
from app.domain import openid
from app.errors import AppError, Unauthenticated

router = Router(prefix="/auth/openid", tags=["auth"])

NAME = "clientela_openid"
PATH = "/v1/auth/openid"
# What RFC 6749 lets a provider say, and no longer together than a server reads of a request's first line.
SAID = r"^[\x20-\x7e]*$"

GONE = {303: {"description": "To be followed by the browser.", "headers": {"Location": {"schema": {"type": "string"}}}}}


@router.get("/start", status_code=status.HTTP_303_SEE_OTHER, response_class=Response, responses=GONE)  # type: ignore[arg-type]
async def start_openid(
    return_to: Annotated[
        str, Query(max_length=2000, description="Where to come back to, signed in: an address of a configured site.")
    ],
) -> Response:
    """Go to the company's OpenID provider to sign in. 404 where there is none."""
    address, attempt = await openid.begin(return_to)
    response = _gone(address)
    # Lax: the way back comes from another site.
    response.set_cookie(
        NAME, attempt, int(openid.PATIENCE.total_seconds()), path=PATH,
        secure=refresh_cookies.is_secure(return_to), httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get("/callback", status_code=status.HTTP_303_SEE_OTHER, response_class=Response, responses=GONE)  # type: ignore[arg-type]
async def finish_openid(
    request: Request,
    state: Annotated[str, Query(max_length=100, pattern=SAID)] = "",
    code: Annotated[str, Query(max_length=3000, pattern=SAID)] = "",
    error: Annotated[str, Query(max_length=200, pattern=SAID, description="Why the provider signed nobody in.")] = "",
    kept: Annotated[str, Cookie(alias=NAME, include_in_schema=False)] = "",
) -> Response:
    """Come back from the provider. The refresh token is in a cookie then: `POST /v1/auth/refresh`.

    What fails goes back too, with `?error=` and its code; only who has not begun here is answered a problem.
    """
    openid.require_client()
    attempt = openid.opened(kept, state)
    secure = refresh_cookies.is_secure(attempt.return_to)
    try:
        if error or not code:
            raise Unauthenticated("The OpenID provider signed nobody in", code="openid_denied")
        signed_in = await openid.finish(attempt, code, user_agent_of(request))
    except AppError as failed:
        response = _gone(_with_error(attempt.return_to, failed.code))
    else:
        response = _gone(attempt.return_to)
        assert signed_in.refresh_token
        refresh_cookies.give(response, signed_in.refresh_token, attempt.return_to)
    response.delete_cookie(NAME, PATH, secure=secure, httponly=True, samesite="lax")
    return response


def _gone(address: str) -> Response:
    return Response(status_code=303, headers={"Location": address, "Cache-Control": "no-store"})


def _with_error(address: str, code: str) -> str:
    parts = urlsplit(address)
    said = f"error={quote(code)}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{said}" if parts.query else said))
