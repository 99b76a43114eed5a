"""What routes ask for by type: `Reader` to read, or `Session` to write, and `Caller` with it, or `Writer`."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from asyncpg.exceptions import IntegrityConstraintViolationError
from fastapi import Depends, Header, Path, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import dry_runs
from app.db import idempotency
from app.db import session as db
from app.db.statements import Statement
from app.db.vocabulary import Connection
from app.db.writing import Written
from app.domain.entities import rules, values
from app.errors import AccessChanged, AppError, Forbidden, Unauthenticated, Unavailable
from app.policies import callers
from app.policies.access import Access
from app.policies.api_keys import MARK, read_api_key
from app.policies.tokens import Claims, read_access_token

ATTEMPTS = 3
# What the database raises for a value that others have: only who may still ask is told of it.
TAKEN = (IntegrityError, IntegrityConstraintViolationError)

SCHEME: dict[str, Any] = {
    "tokenUrl": "/v1/auth/token",
    "scheme_name": "OAuth2PasswordBearer",
    "auto_error": False,
    "description": "An access token, good for 15 minutes, or an API key, `crm_…`, good until it expires.",
}
bearer = OAuth2PasswordBearer(**SCHEME)

# What makes, shows, changes or ends credentials and accounts, and what decides about them: for people, not for keys.
PEOPLE_ONLY = re.compile(
    r"[A-Z]+ /v1/(auth|api-keys|profiles|access-requests)(/.*)?"
    r"|[A-Z]+ /v1/users/(?!by/)[^/]+/(?!restore$).*"
    r"|[A-Z]+ /v1/me/(?!agenda$).*"
    r"|PATCH /v1/me",
    re.DOTALL,
)

# Beside setting up a second factor, which has transactions of its own: who must do that first may ask who they are.
ENROLLING = {"/v1/me", "/v1/auth/second-factor"}


async def get_claims(request: Request, token: str | None) -> Claims:
    """Whose token it is. Raises `Unauthenticated`, and `Forbidden` for an API key where only people may ask."""
    if not token:
        raise Unauthenticated("Sign in first")
    if not token.startswith(MARK):
        return read_access_token(token)
    claims = await read_api_key(token)
    if PEOPLE_ONLY.fullmatch(f"{request.method} {request.scope['path']}"):
        await callers.entered(claims.user_id, claims.session_id)
        raise Forbidden("An API key does nothing with accounts and credentials", code="people_only")
    return claims


async def confirm_signed_in(request: Request) -> None:
    """Raises as `get_claims` does, and `Unauthenticated` if their session has ended."""
    claims = request.scope["state"].get("claims") or await get_claims(request, await bearer(request))
    await callers.entered(claims.user_id, claims.session_id)


class Signed(OAuth2PasswordBearer):
    """The scheme, and in the same step what a route needs of the token: each step of FastAPI's takes its time."""

    def __init__(self, make: Callable[[Request, Claims], Awaitable[Any]]) -> None:
        super().__init__(**SCHEME)
        self.make = make

    async def __call__(self, request: Request) -> Any:  # type: ignore[override]
        request.state.claims = claims = await get_claims(request, await super().__call__(request))
        if request.scope["query_string"] and (unknown := request.scope["route"].unknown(request.query_params)):
            await callers.entered(claims.user_id, claims.session_id)
            raise rules.invalid(unknown)
        return await self.make(request, claims)


async def _claims(_: Request, claims: Claims) -> Claims:
    return claims


SignedIn = Annotated[Claims, Depends(Signed(_claims))]


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads for one caller, each one statement outside any transaction.

    A statement answers `memory` and `in_force` beside what it reads: what was made with an Access that no longer holds
    is thrown away, and the statement made and run once more.
    """

    claims: Claims

    async def read(self, make: Callable[[Access], Statement]) -> tuple[Access, Mapping[str, Any]]:
        """Run what `make` makes of the caller's access. `make` may raise: only an access that holds decides that."""
        user_id, session_id = self.claims.user_id, self.claims.session_id
        access = callers.known(user_id, session_id) or await self._met(callers.meet)
        for _ in range(ATTEMPTS):
            try:
                access.require_enrolled()
                statement = make(access)
            except AppError:
                fresh = await self._met(callers.enter)
                if fresh is access:
                    raise
                access = fresh
                continue
            pool = await db.reading_pool(statement.planned_once)
            async with pool.acquire() as connection:
                row = await connection.fetchrow(statement.sql, *statement.values)
            if not row["in_force"]:
                raise callers.session_ended()
            if row["memory"] == access.version:
                return access, row
            access = await self._met(callers.meet)
        raise Unavailable("What you may see is being changed; try again")

    async def _met(self, meet: Callable[[Connection, UUID, UUID], Awaitable[Access]]) -> Access:
        pool = await db.reading_pool()
        async with pool.acquire() as connection:
            return await meet(connection, self.claims.user_id, self.claims.session_id)


async def _reading(_: Request, claims: Claims) -> Reading:
    return Reading(claims)


async def get_session(request: Request, claims: SignedIn) -> AsyncIterator[AsyncSession]:
    """The request's transaction. It begins with the caller as last met, and ends only if that still holds.

    The answer to a write brings along what tells (`render.written`); where it does not, or where the request fails,
    a statement of its own asks. With an access that no longer holds all is undone, and the request runs once more.
    """
    user_id, session_id = claims.user_id, claims.session_id
    async with db.transaction(keep=not dry_runs.is_asked_for(request)) as session:
        access = callers.known(user_id, session_id)
        if access is None:
            access = await callers.enter(await db.driver(session), user_id, session_id)
        session.info["access"] = access
        try:
            if request.scope["path"] not in ENROLLING:
                access.require_enrolled()
            key = request.headers.get("idempotency-key")
            if key is not None and request.method == "POST":
                await idempotency.begin(session, user_id, request.method, request.url.path, key, fingerprint(request))
            yield session
            await idempotency.keep(session, 204, {}, b"")
        except (AppError, *TAKEN, idempotency.Replayed):
            await _confirm(access, claims)
            raise
        if not session.info.get("confirmed"):
            await _confirm(access, claims)


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes for one caller: in one statement where that is enough, else in a transaction."""

    request: Request
    claims: Claims

    async def at_once(self, write: Callable[[Connection, Access], Awaitable[Written | None]]) -> Written | None:
        """Do what `domain/at_once.py` has. None: nothing was written, and a transaction finds out why or does it.

        So it is with every refusal, too: only an access that holds decides that.
        """
        access = callers.known(self.claims.user_id, self.claims.session_id)
        if access is None or "idempotency-key" in self.request.headers or dry_runs.is_asked_for(self.request):
            return None
        pool = await db.writing_pool()
        try:
            async with pool.acquire() as connection:
                return await write(connection, access)
        except (AppError, *TAKEN):
            return None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[tuple[AsyncSession, Access]]:
        """The request's transaction, committed at the end: what goes wrong after that cannot be undone."""
        async with asynccontextmanager(get_session)(self.request, self.claims) as session:
            yield session, session.info["access"]


async def _writing(request: Request, claims: Claims) -> Writing:
    """Who must set up a second factor first is told so before anything is said of the body."""
    access = callers.known(claims.user_id, claims.session_id)
    if access is None or access.enrolling:
        access = await callers.entered(claims.user_id, claims.session_id)
        access.require_enrolled()
    return Writing(request, claims)


def writes_whole(call: Any) -> bool:
    """Whether what a route asks for is the request's transaction."""
    return call is get_session or (isinstance(call, Signed) and call.make is _writing)


async def _confirm(access: Access, claims: Claims) -> None:
    """Raise `AccessChanged` if the access does not hold any more; asked outside of the request's transaction."""
    if await callers.entered(claims.user_id, claims.session_id) is not access:
        raise AccessChanged


def fingerprint(request: Request) -> bytes:
    """What makes two requests the same: the query, and the body as it came in, but for the boundary of a multipart one,
    which clients make anew each time."""
    body = b"".join(message.get("body", b"") for message in request.scope["state"]["heard"])
    boundary = request.headers.get("content-type", "").partition("boundary=")[2].strip('"').encode("latin-1")
    digest = hashlib.sha256(body.replace(boundary, b"") if boundary else body)
    digest.update(hashlib.sha256(request.url.query.encode()).digest())
    return digest.digest()


# Committed before the answer leaves: with a plain Depends a failed commit would still answer 200.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
Reader = Annotated[Reading, Depends(Signed(_reading))]
Writer = Annotated[Writing, Depends(Signed(_writing))]


async def get_access(session: Session) -> Access:
    access: Access = session.info["access"]
    return access


Caller = Annotated[Access, Depends(get_access, scope="function")]
Id = Annotated[UUID, Path(description="The record's id.")]
IfMatch = Annotated[
    str | None, Header(description="The version that the change is meant for, as `ETag` gave it.", max_length=200)
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Makes a repeated request safe: the first answer comes again, for 24 hours.",
        min_length=1,
        max_length=255,
    ),
]
System = Annotated[values.System, Path(description="The other system's name.")]
ExternalId = Annotated[values.ForeignId, Path(description="Its id for the record.")]
