"""How does somebody sign in, stay signed in and sign out? Sessions, and refresh tokens that replace each other."""

import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import ledger
from app.db import signing_in as kept
from app.db.models.users import User
from app.db.session import driver, operation_of, transaction
from app.domain.addresses import network_of
from app.domain.entities.users import username_key
from app.domain.entities.values import clean_line
from app.domain.passwords import check_password, hash_password, is_outdated, password_matches
from app.domain.records import not_archived
from app.errors import FieldError, Invalid, TooMany, Unauthenticated
from app.policies.callers import enter
from app.policies.tokens import LIFETIME, Claims, issue_access_token
from app.settings import derived_keys

REFRESH_LIFETIME = timedelta(days=30)
REFRESH_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
# Two tabs, or a repeated request, present one token at nearly the same time; a thief comes later.
RACE = timedelta(seconds=20)
WINDOW = timedelta(minutes=1)
PER_ACCOUNT = 5
PER_ADDRESS = 20
LONGEST_USERNAME = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token for `expires_in` seconds, and a refresh token, good once, for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str


def _tokens(user_id: UUID, session_id: UUID, refresh_token: str) -> Tokens:
    access_token = issue_access_token(user_id, session_id)
    return Tokens(access_token, refresh_token, int(LIFETIME.total_seconds()), "bearer")


async def sign_in(username: str, password: str, address: str) -> Tokens:
    """Open a session. `address` is where the request came from, an IP address or empty.

    Raises `Unauthenticated`, the same and after the same time whatever is wrong, `TooMany` after 5 wrong attempts in a
    minute at an account from an address or 20 from an address, `Unavailable` when too many are waiting.

    It has transactions of its own: an attempt counts though it fails, and none is open while the password is hashed.
    """
    name = _plausible(username)
    network = network_of(address)
    limits = {_attempts_key("account", name, network): PER_ACCOUNT, _attempts_key("address", network): PER_ADDRESS}
    await _count_attempt(limits)
    async with transaction() as session:
        account = await kept.account(session, username_key=name)
    matches = await password_matches(password, account.password_hash if account else None)
    if account is None or account.password_hash is None or not matches or not account.open:
        raise _wrong_credentials()
    rehashed = await hash_password(password) if is_outdated(account.password_hash) else None
    refresh_token = secrets.token_urlsafe(32)
    async with transaction() as session:
        opened = await kept.open_session(session, account, _hash(refresh_token), clock.now() + REFRESH_LIFETIME)
        if opened is None:
            raise _wrong_credentials()
        if rehashed:
            await kept.rehash_password(session, account, rehashed)
        await kept.uncount_attempts(session, limits)
    return _tokens(account.user_id, opened, refresh_token)


async def refresh(refresh_token: str) -> Tokens:
    """The next tokens of a session. Each refresh token is good once and for 30 days.

    Presented again within 20 s it is taken for a race: `Unauthenticated`, code `refresh_raced`, and the session goes on
    with what the first got. Later it is taken for theft, and the session ends for everybody.
    """
    old = _hash(refresh_token) if REFRESH_FORM.fullmatch(refresh_token) else b""
    new = secrets.token_urlsafe(32)
    async with transaction() as session:
        rotated = await kept.rotate(session, old, _hash(new), clock.now() + REFRESH_LIFETIME)
        used = None if rotated else await kept.used_token(session, old)
        raced = used and used.in_force and used.rotated_at and clock.now() - used.rotated_at <= RACE
        if used and used.in_force and used.rotated_at and not raced:
            await kept.end_session(session, used.session_id)
            logger.warning("A refresh token was used again; its session ends: %s", used.session_id)
    if rotated:
        return _tokens(*rotated, new)
    if raced:
        raise Unauthenticated("Another request was given the next tokens already", code="refresh_raced")
    raise Unauthenticated("The refresh token is not valid or has expired", code="invalid_token")


async def set_password(caller: Claims, user_id: UUID, password: str, current_password: str | None) -> None:
    """Give a user a new password and end their sessions, but for the caller's own.

    One's own takes the current one; another's takes the action `configure` on users. Raises `NotFound`, `Forbidden`,
    `Conflict` for an archived user, `TooMany`, `Unavailable`, and `Invalid`, code `wrong_password` or `weak_password`.

    Like `sign_in` it has transactions of its own, so it takes the caller's claims and asks in each what they may do.
    """
    own = user_id == caller.user_id
    async with transaction() as session:
        await _allow(session, caller, user_id)
        account = await kept.account(session, user_id=user_id)
    assert account is not None
    if own:
        await _prove(account, current_password)
    check_password(password, account.username)
    password_hash = await hash_password(password)
    async with transaction() as session:
        await _allow(session, caller, user_id)
        await kept.keep_password(session, user_id, password_hash)
        await kept.end_sessions(session, [user_id], but=caller.session_id)
        operation = operation_of(session)
        ledger.event(
            operation.pending,
            type="user.password_set",
            entity="users",
            record_id=user_id,
            version=account.version,
            customer_id=None,
            changes={},
            actor=caller.user_id,
            source=operation.source,
            operation_id=operation.id,
        )


async def _prove(account: kept.Account, current_password: str | None) -> None:
    """Raise unless it is the account's password; guessing it is limited as signing in is."""
    limits = {_attempts_key("password", str(account.user_id)): PER_ACCOUNT}
    await _count_attempt(limits)
    if not await password_matches(current_password or "", account.password_hash):
        problem = "Your current password is needed, and this is not it"
        error = FieldError("/current_password", "wrong_password", problem)
        raise Invalid(problem, code="wrong_password", errors=[error])
    async with transaction() as session:
        await kept.uncount_attempts(session, limits)


async def _allow(session: AsyncSession, caller: Claims, user_id: UUID) -> None:
    """Raise unless the caller is signed in and may, as it is now, set this user's password."""
    access = await enter(await driver(session), caller.user_id, caller.session_id)
    if user_id != caller.user_id:
        not_archived(await access.row(session, User, user_id, "configure"))


async def _count_attempt(limits: Mapping[bytes, int]) -> None:
    """Count an attempt, by key, before it is made. Raises `TooMany` if one of them is over its limit in a minute."""
    async with transaction() as session:
        counted = await kept.count_attempts(session, limits, WINDOW)
    waits = [since + WINDOW - clock.now() for key, (count, since) in counted.items() if count > limits[key]]
    if waits:
        seconds = max(1, *(int(wait.total_seconds()) + 1 for wait in waits))
        raise TooMany("Too many attempts; try again later", headers={"Retry-After": str(seconds)})


def _attempts_key(*parts: str) -> bytes:
    """What is kept of names and addresses while they are counted: enough to tell them apart, and no more."""
    return hmac.digest(derived_keys("sign-in attempts")[0], "\0".join(parts).encode(), "sha256")


def _plausible(username: str) -> str:
    """The key of the username, empty, which is nobody's, for what can be none."""
    try:
        cleaned = clean_line(username)
    except ValueError:
        return ""
    return username_key(cleaned) if len(cleaned) <= LONGEST_USERNAME else ""


def _hash(refresh_token: str) -> bytes:
    return sha256(refresh_token.encode()).digest()


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated("The username or the password is wrong", code="wrong_credentials")
