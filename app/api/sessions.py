"""Where somebody is signed in, and second factors, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response, status
from pydantic import BaseModel, Field

from app import clock
from app.api.auth import Body
from app.api.deps import Caller, Session, SignedIn
from app.api.render import PRIVATE
from app.api.routers import Router
from app.db import second_factors as factors
from app.db import signing_in as kept
from app.domain import second_factors, signing_in
from app.domain.second_factors import Enrolment
from app.errors import NotFound

router = Router(tags=["auth"])

CurrentPassword = Annotated[str | None, Field(description="Needed by who has a password.")]


class OpenSession(BaseModel):
    """A session that goes on. `last_used_at` is exact to a quarter of an hour."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    user_agent: Annotated[str | None, Field(description="By what program it was begun, as that said.")]
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]


class OpenSessions(BaseModel):
    items: list[OpenSession]


class SecondFactor(BaseModel):
    """Whether you sign in with a second factor. `required`: by your profile; `recovery_codes`: how many are left."""

    enabled: bool
    enabled_at: datetime | None
    required: bool
    recovery_codes: int


class BeginBody(Body):
    current_password: CurrentPassword = None


class ConfirmBody(Body):
    code: Annotated[str, Field(max_length=50, description="Six digits, as the authenticator shows them.")]


class SwitchOffBody(Body):
    current_password: CurrentPassword = None
    code: Annotated[str, Field(max_length=50, description="Of the second factor, or a recovery code.")]


class RecoveryCodes(BaseModel):
    """Each stands in for the second factor once. They are shown this once."""

    recovery_codes: list[str]


@router.get("/auth/sessions")
async def list_sessions(session: Session, access: Caller, response: Response) -> OpenSessions:
    """Where you are signed in, the newest first."""
    response.headers.update(PRIVATE)
    since = clock.now() - signing_in.REFRESH_LIFETIME
    found = await kept.open_sessions(session, access.user_id, since)
    return OpenSessions(
        items=[
            OpenSession(
                id=each.id,
                created_at=each.created_at,
                last_used_at=each.last_used_at,
                user_agent=each.user_agent,
                current=each.id == access.session_id,
            )
            for each in found
        ]
    )


@router.delete("/auth/sessions", status_code=status.HTTP_204_NO_CONTENT)
async def end_other_sessions(session: Session, access: Caller) -> None:
    """Sign out everywhere but here."""
    await kept.end_sessions(session, [access.user_id], but=access.session_id)


@router.delete("/auth/sessions/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(session: Session, access: Caller, id: UUID) -> None:
    """End one of your sessions."""
    if not await kept.end_own_session(session, access.user_id, id):
        raise NotFound("No such session")


@router.delete("/users/{id}/sessions", status_code=status.HTTP_204_NO_CONTENT)
async def end_user_sessions(claims: SignedIn, id: UUID) -> None:
    """Sign a user out everywhere, yourself everywhere but here. Another's where your profile may configure users."""
    await signing_in.sign_out_user(claims, id)


@router.get("/auth/second-factor")
async def read_second_factor(session: Session, access: Caller, response: Response) -> SecondFactor:
    """Whether you sign in with a second factor."""
    response.headers.update(PRIVATE)
    found = await factors.state(session, access.user_id)
    return SecondFactor(
        enabled=found.confirmed_at is not None,
        enabled_at=found.confirmed_at,
        required=found.required,
        recovery_codes=found.recovery_codes,
    )


@router.post("/auth/second-factor", status_code=status.HTTP_201_CREATED)
async def begin_second_factor(claims: SignedIn, data: BeginBody, response: Response) -> Enrolment:
    """Get a secret for an authenticator (TOTP). It counts once it is confirmed."""
    response.headers["Cache-Control"] = "no-store"
    return await second_factors.begin(claims, data.current_password)


@router.post("/auth/second-factor/confirm")
async def confirm_second_factor(claims: SignedIn, data: ConfirmBody, response: Response) -> RecoveryCodes:
    """Switch the second factor on with a first code. Your other sessions end."""
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodes(recovery_codes=await second_factors.confirm(claims, data.code))


@router.delete("/auth/second-factor", status_code=status.HTTP_204_NO_CONTENT)
async def switch_off_second_factor(claims: SignedIn, data: SwitchOffBody) -> None:
    """Sign in with the password alone from now on."""
    await second_factors.switch_off(claims, data.current_password, data.code)


@router.delete("/users/{id}/second-factor", status_code=status.HTTP_204_NO_CONTENT)
async def reset_second_factor(claims: SignedIn, id: UUID) -> None:
    """Take away another's second factor, lost with their device; their sessions end. Where your profile may configure
    users."""
    await second_factors.take_away(claims, id)
