"""How does somebody sign in, stay signed in and sign out? Sessions, and refresh tokens that replace each other."""

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from app import clock
from app.db import signing_in as kept
from app.db.session import transaction
from app.domain import accounts, attempts, second_factors
from app.domain.addresses import network_of
from app.domain.entities.users import username_key
from app.domain.entities.values import clean_line
from app.domain.passwords import check_password, hash_password, is_outdated, password_matches
from app.errors import Unauthenticated
from app.policies.tokens import LIFETIME, Claims, issue_access_token

REFRESH_LIFETIME = timedelta(days=30)
REFRESH_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
# Two tabs, or a repeated request, present one token at nearly the same time; a thief comes later.
RACE = timedelta(seconds=20)
LONGEST_USERNAME = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token for `expires_in` seconds, and a refresh token, good once, for the next pair: null where a browser
    has it in a cookie."""

    access_token: str
    refresh_token: str | None
    expires_in: int
    token_type: str


def tokens(user_id: UUID, session_id: UUID, refresh_token: str) -> Tokens:
    access_token = issue_access_token(user_id, session_id)
    return Tokens(access_token, refresh_token, int(LIFETIME.total_seconds()), "bearer")


async def sign_in(
    username: str, password: str, address: str, *, code: str | None = None, user_agent: str | None = None
) -> Tokens:
    """Open a session. `address` is where the request came from, an IP address or empty; `code`: of the second factor.

    Raises `Unauthenticated`, the same and after the same time whatever is wrong with name and password, `TooMany` over
    one of the limits, `Unavailable` when too many are waiting. Who has a second factor and the right password is told
    so: codes `second_factor_required` and `wrong_code`.

    It has transactions of its own: an attempt counts though it fails, and none is open while the password is hashed.
    """
    name, network = plausible(username), network_of(address)
    counted = await attempts.count(
        attempts.limit(attempts.PER_ACCOUNT, attempts.MINUTE, "account", name, network),
        attempts.limit(attempts.PER_ADDRESS, attempts.MINUTE, "address", network),
        account=name,
        network=network,
    )
    async with transaction() as session:
        account = await kept.account(session, username_key=name)
    matches = await password_matches(password, account.password_hash if account else None)
    if account is None or account.password_hash is None or not matches or not account.open:
        raise _wrong_credentials()
    if account.second_factor and code:
        counted += await second_factors.count_code(account.user_id)
    elif account.second_factor:
        async with transaction() as session:
            await attempts.succeeded(session, counted)
    rehashed = await hash_password(password) if is_outdated(account.password_hash) else None
    refresh_token = secrets.token_urlsafe(32)
    async with transaction() as session:
        await second_factors.demand(session, account.user_id, code)
        expires_at = clock.now() + REFRESH_LIFETIME
        opened = await kept.open_session(session, account, hash_of(refresh_token), expires_at, user_agent)
        if opened is None:
            raise _wrong_credentials()
        if rehashed:
            await kept.rehash_password(session, account, rehashed)
        await attempts.succeeded(session, counted)
        await attempts.know(session, name, network)
    return tokens(account.user_id, opened, refresh_token)


async def refresh(refresh_token: str) -> Tokens:
    """The next tokens of a session. Each refresh token is good once and for 30 days.

    Presented again within 20 s it is taken for a race: `Unauthenticated`, code `refresh_raced`, and the session goes on
    with what the first got. Later it is taken for theft, and the session ends for everybody.
    """
    old = hash_of(refresh_token)
    new = secrets.token_urlsafe(32)
    async with transaction() as session:
        rotated = await kept.rotate(session, old, hash_of(new), clock.now() + REFRESH_LIFETIME)
        used = None if rotated else await kept.used_token(session, old)
        raced = used and used.in_force and used.rotated_at and clock.now() - used.rotated_at <= RACE
        if used and used.in_force and used.rotated_at and not raced:
            await kept.end_session(session, used.session_id)
            if account := await kept.account(session, user_id=used.user_id):
                accounts.tell(session, used.user_id, account, "token_reused")
            logger.warning("A refresh token was used again; its session ends: %s", used.session_id)
    if rotated:
        return tokens(*rotated, new)
    if raced:
        raise Unauthenticated("Another request was given the next tokens already", code="refresh_raced")
    raise Unauthenticated("The refresh token is not valid or has expired", code="invalid_token")


async def sign_out(caller: Claims) -> None:
    """End the caller's session. Raises `Unauthenticated` if it has ended."""
    async with transaction() as session:
        await accounts.allow(session, caller, caller.user_id, enrolling=True)
        await kept.end_session(session, caller.session_id)


async def sign_out_user(caller: Claims, user_id: UUID) -> None:
    """End a user's sessions, but for the caller's own. Raises as `accounts.allow`."""
    async with transaction() as session:
        account = await accounts.allow(session, caller, user_id)
        await kept.end_sessions(session, [user_id], but=caller.session_id)
        accounts.tell(session, caller.user_id, account, "signed_out")


async def sign_out_by(refresh_token: str) -> None:
    """End the session that a refresh token belongs to, whether it is still good or not."""
    async with transaction() as session:
        if used := await kept.used_token(session, hash_of(refresh_token)):
            await kept.end_session(session, used.session_id)


async def set_password(caller: Claims, user_id: UUID, password: str, current_password: str | None) -> None:
    """Give a user a new password and end their sessions, but for the caller's own.

    One's own takes the current one; another's takes the action `configure` on users. Raises `NotFound`, `Forbidden`,
    `Conflict` for an archived user, `TooMany`, `Unavailable`, and `Invalid`, code `wrong_password` or `weak_password`.

    Like `sign_in` it has transactions of its own, so it takes the caller's claims and asks in each what they may do.
    """
    async with transaction() as session:
        account = await accounts.allow(session, caller, user_id)
    if user_id == caller.user_id:
        await accounts.prove(account, current_password)
    check_password(password, account.username)
    password_hash = await hash_password(password)
    async with transaction() as session:
        await accounts.allow(session, caller, user_id)
        await kept.keep_password(session, user_id, password_hash)
        await kept.end_sessions(session, [user_id], but=caller.session_id)
        accounts.tell(session, caller.user_id, account, "password_set")


def plausible(username: str) -> str:
    """The key of the username, empty, which is nobody's, for what can be none."""
    try:
        cleaned = clean_line(username)
    except ValueError:
        return ""
    return username_key(cleaned) if len(cleaned) <= LONGEST_USERNAME else ""


def hash_of(refresh_token: str) -> bytes:
    """What is kept of a refresh token; empty for what can be none."""
    return sha256(refresh_token.encode()).digest() if REFRESH_FORM.fullmatch(refresh_token) else b""


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated("The username or the password is wrong", code="wrong_credentials")
