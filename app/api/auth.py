"""Signing in, staying signed in, signing out, and setting passwords, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from app.api.bodies import JsonRoute
from app.api.deps import Caller, Session, get_claims
from app.db.signing_in import end_session
from app.domain import signing_in
from app.domain.signing_in import Tokens
from app.policies.tokens import Claims

router = APIRouter(tags=["auth"], route_class=JsonRoute)


class RefreshBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[str, Field(max_length=4096)]


class PasswordBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: Annotated[str, Field(description="12 to 1,024 characters, none of the common ones.")]
    current_password: Annotated[str | None, Field(description="Needed to change one's own.")] = None


@router.post("/auth/token")
async def sign_in(
    request: Request,
    response: Response,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
) -> Tokens:
    """Sign in with username and password. Five wrong attempts in a minute are 429, with `Retry-After`."""
    response.headers["Cache-Control"] = "no-store"
    return await signing_in.sign_in(username, password, request.client.host if request.client else "")


@router.post("/auth/refresh")
async def refresh_tokens(response: Response, data: RefreshBody) -> Tokens:
    """Exchange a refresh token, which is good once and for 30 days, for the next tokens.

    401 `refresh_raced`: within 20 seconds another request was given them, and the session goes on with those. A used
    token that comes back later ends its session.
    """
    response.headers["Cache-Control"] = "no-store"
    return await signing_in.refresh(data.refresh_token)


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(session: Session, access: Caller) -> None:
    """End the session that the access token belongs to: all its tokens are void from now on."""
    if access.session_id:
        await end_session(session, access.session_id)


@router.post("/users/{id}/password", status_code=status.HTTP_204_NO_CONTENT)
async def set_password(claims: Annotated[Claims, Depends(get_claims)], id: UUID, data: PasswordBody) -> None:
    """Set a user's password, which ends their sessions but for this one.

    Your own with `current_password`; another's where your profile may configure users.
    """
    await signing_in.set_password(claims, id, data.password, data.current_password)
