"""Signing in, staying signed in, signing out, and setting passwords, over HTTP."""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Form, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from app.api import refresh_cookies
from app.api.deps import Caller, Session, SignedIn, bearer, get_claims
from app.api.refresh_cookies import RefreshCookie
from app.api.routers import Router
from app.domain import password_links, signing_in
from app.domain.entities.values import Line
from app.domain.signing_in import Tokens

router = Router(tags=["auth"])

LONGEST_USER_AGENT = 200

NewPassword = Annotated[str, Field(description="12 to 1,024 characters, none of the common ones.")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RefreshBody(Body):
    refresh_token: Annotated[str, Field(max_length=4096)]


class PasswordBody(Body):
    password: NewPassword
    current_password: Annotated[str | None, Field(description="Needed to change one's own.")] = None


class ChangePasswordBody(Body):
    password: NewPassword
    current_password: str


class ForgotPasswordBody(Body):
    username: Annotated[Line, Field(description="The username, or the e-mail address.")]


class ResetPasswordBody(Body):
    token: Annotated[str, Field(max_length=100, description="As the mail gives it.")]
    password: NewPassword


@router.post("/auth/token")
async def sign_in(
    request: Request,
    response: Response,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
    code: Annotated[str | None, Form(max_length=50, description="Of the second factor, or a recovery code.")] = None,
    session: Annotated[
        Literal["cookie"] | None, Form(description="Browsers: keep the refresh token in a cookie.")
    ] = None,
) -> Tokens:
    """Sign in with username and password, and where there is a second factor with its code, else 401
    `second_factor_required`. Five wrong attempts in a minute are 429, with `Retry-After`.

    With `session=cookie`, from a page of one of the configured sites, `refresh_token` is null: the browser has it in a
    cookie that no script reads.
    """
    origin = refresh_cookies.known_origin(request) if session == "cookie" else None
    tokens = await signing_in.sign_in(
        username, password, _address(request), code=code, user_agent=user_agent_of(request)
    )
    return _given(response, tokens, origin)


@router.post("/auth/refresh")
async def refresh_tokens(
    request: Request, response: Response, data: RefreshBody | None = None, cookie: RefreshCookie = None
) -> Tokens:
    """Exchange a refresh token, which is good once and for 30 days, for the next tokens. Without a body it is the one
    in the browser's cookie, and so is the next.

    401 `refresh_raced`: within 20 seconds another request was given them, and the session goes on with those. A used
    token that comes back later ends its session.
    """
    if data is not None:
        return _given(response, await signing_in.refresh(data.refresh_token), None)
    origin = refresh_cookies.known_origin(request) if cookie is not None else None
    return _given(response, await signing_in.refresh(cookie or ""), origin)


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(
    request: Request,
    response: Response,
    token: Annotated[str | None, Depends(bearer)],
    cookie: RefreshCookie = None,
) -> None:
    """End the session of the browser's cookie, or without one that of the access token: all its tokens are void."""
    if cookie is None:
        await signing_in.sign_out(await get_claims(request, token))
        return
    origin = refresh_cookies.known_origin(request)
    await signing_in.sign_out_by(cookie)
    refresh_cookies.take_back(response, origin)


@router.post("/auth/password/forgot", status_code=status.HTTP_202_ACCEPTED, response_class=Response)
async def forget_password(request: Request, data: ForgotPasswordBody) -> Response:
    """Have a link mailed by which a new password is set, good once and for an hour. The answer is the same whether
    there is such a user or not."""
    await password_links.forgotten(data.username, _address(request))
    return Response(status_code=202)


@router.post("/auth/password/reset", status_code=status.HTTP_204_NO_CONTENT)
async def reset_password(request: Request, data: ResetPasswordBody) -> None:
    """Set a password by a link that was mailed. All sessions of the user end; sign in then."""
    await password_links.reset(data.token, data.password, _address(request))


@router.post("/auth/password/change", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(claims: SignedIn, data: ChangePasswordBody) -> None:
    """Change your own password, which ends your other sessions."""
    await signing_in.set_password(claims, claims.user_id, data.password, data.current_password)


@router.post("/users/{id}/password", status_code=status.HTTP_204_NO_CONTENT)
async def set_password(claims: SignedIn, id: UUID, data: PasswordBody) -> None:
    """Set a user's password, which ends their sessions but for this one.

    Your own with `current_password`; another's where your profile may configure users.
    """
    await signing_in.set_password(claims, id, data.password, data.current_password)


@router.post("/users/{id}/invite", status_code=status.HTTP_204_NO_CONTENT)
async def invite_user(session: Session, access: Caller, id: UUID) -> None:
    """Mail a new user a link by which they set their first password, good once and for seven days."""
    await password_links.invite(session, access, id)


def user_agent_of(request: Request) -> str | None:
    """By what program it is asked, as far as that says so and it can be kept."""
    return request.headers.get("user-agent", "")[:LONGEST_USER_AGENT].replace("\0", "") or None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _given(response: Response, tokens: Tokens, origin: str | None) -> Tokens:
    """The tokens as the body says them: without the refresh token where a browser gets it in a cookie."""
    response.headers["Cache-Control"] = "no-store"
    if origin is None:
        return tokens
    assert tokens.refresh_token
    refresh_cookies.give(response, tokens.refresh_token, origin)
    return replace(tokens, refresh_token=None)
