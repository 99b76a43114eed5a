"""How does somebody sign in through the company's OpenID provider? Authorisation code with PKCE.

The provider says who somebody is and, by a claim, which profile they have: it is followed each time they sign in.
"""

import hmac
import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import identities, seeds
from app.db import signing_in as kept
from app.db.models.users import User
from app.db.session import operation_of, transaction
from app.domain import openid_provider, users
from app.domain.entities.users import USERS, UserCreate, UserUpdate, username_key
from app.domain.entities.values import Email, clean_line
from app.domain.openid_provider import Client
from app.domain.signing_in import REFRESH_LIFETIME, Tokens, hash_of, tokens
from app.errors import AppError, FieldError, Forbidden, Invalid, NotFound, Unauthenticated
from app.policies.access import Access, Reason
from app.policies.callers import access_of
from app.settings import allowed_origins, derived_keys

# How long somebody may take at the provider.
PATIENCE = timedelta(minutes=10)
LONGEST_NAME = 200
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps while somebody is at the provider: what only it may come back with, until when (seconds
    since 1970), and where it goes then."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    until: int


async def begin(return_to: str) -> tuple[str, str]:
    """The provider's address to go to, and what the browser is to keep, signed.

    Raises `NotFound` where there is no provider, `Invalid` for an address that is not of our sites, `Unavailable`.
    """
    client = require_client()
    if not _is_ours(return_to):
        problem = FieldError("/query/return_to", "return_to_not_allowed", "Not an address of a configured site")
        raise Invalid(problem.message, code="return_to_not_allowed", errors=[problem])
    provider = await openid_provider.describe(client.issuer)
    until = int((clock.now() + PATIENCE).timestamp())
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, return_to, until)
    challenge = urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.callback,
        "scope": " ".join(["openid", "email", "profile", *({client.profile_claim} & provider.scopes)]),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = provider.authorization_endpoint
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}", _sealed(attempt)


def opened(sealed: str, state: str) -> Attempt:
    """The attempt that a browser comes back from. Raises `Unauthenticated` if it is not the one that it began."""
    try:
        payload, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in sealed.split("."))
        if any(hmac.compare_digest(signature, _signature(payload, key)) for key in derived_keys("openid sign-in")):
            attempt = Attempt(**orjson.loads(payload))
            if clock.now().timestamp() < attempt.until and hmac.compare_digest(attempt.state.encode(), state.encode()):
                return attempt
    except (ValueError, TypeError):
        pass
    raise Unauthenticated("This sign-in was not begun here, or took too long; begin again", code="openid_state")


async def finish(attempt: Attempt, code: str, user_agent: str | None) -> Tokens:
    """Sign in whom the code stands for.

    Raises `Unauthenticated`, code `openid_invalid`; `Forbidden`, codes `openid_no_account` and `openid_no_profile`;
    `Conflict` if the last administrator would be none any more; `Unavailable`.
    """
    client = require_client()
    claims = await openid_provider.exchange(client, code, attempt.verifier, attempt.nonce)
    refresh_token = secrets.token_urlsafe(32)
    async with transaction() as session:
        user_id = await _user(session, client, claims)
        account = await kept.account(session, user_id=user_id)
        expires_at = clock.now() + REFRESH_LIFETIME
        assert account is not None
        session_id = await kept.open_session(
            session, account, hash_of(refresh_token), expires_at, user_agent, by_provider=True
        )
        if session_id is None:
            raise _no_account("They are not active here")
    return tokens(user_id, session_id, refresh_token)


async def _user(session: AsyncSession, client: Client, claims: Mapping[str, Any]) -> UUID:
    """Whom the provider means, with the profile that it says: known by its name for them, else by a verified e-mail
    address, else new here."""
    vocabulary = (await access_of(session, seeds.SYSTEM_USER)).vocabulary
    access = Access.system(Reason.OPENID, vocabulary)
    said = claims.get(client.profile_claim)
    groups = said if isinstance(said, list) else [said]
    profile = next((profile for group, profile in client.profiles.items() if group in groups), None)
    if profile is None or profile not in vocabulary.profiles:
        if profile is not None:
            logger.error("CRM_OIDC_PROFILES names a profile that there is not: %s", profile)
        raise Forbidden("The provider says no group that has a profile here", code="openid_no_profile")
    subject = str(claims["sub"])
    user_id = await identities.user_of(session, client.issuer, subject)
    if user_id is None:
        user_id = await _by_address(session, access, client, claims, profile)
        await identities.link(session, client.issuer, subject, user_id)
    user = await access.row(session, User, user_id, "update")
    if not user.active or user.archived_at is not None or user.service:
        raise _no_account("They are not active here")
    if user.profile_id != profile:
        # Nobody is there to be asked whether work that it does not read may stay where it is.
        operation_of(session).confirmed = True
        await users.change(session, access, USERS, user, UserUpdate.model_validate({"profile_id": profile}))
    return user_id


async def _by_address(
    session: AsyncSession, access: Access, client: Client, claims: Mapping[str, Any], profile: str
) -> UUID:
    """The one active user who has the e-mail address that the provider has verified, or a new one."""
    try:
        email = _EMAIL.validate_python(claims.get("email"))
    except ValidationError:
        raise _no_account("The provider says no e-mail address") from None
    if claims.get("email_verified") is not True:
        raise _no_account("The provider has not verified the e-mail address")
    found = await identities.with_address(session, client.issuer, username_key(email), email)
    active = [each for each in found if each.open]
    if len(active) == 1 and not active[0].linked:
        return active[0].user_id
    if found:
        raise _no_account("The e-mail address does not tell who they are here")
    data = UserCreate(name=_name(claims) or email, username=email, email=email, profile_id=profile)
    return (await users.create(session, access, USERS, data)).id


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    try:
        return clean_line(name)[:LONGEST_NAME] if isinstance(name, str) else ""
    except ValueError:
        return ""


def require_client() -> Client:
    """Raise `NotFound` where no provider is set up."""
    client = openid_provider.client()
    if client is None:
        raise NotFound("Nobody signs in through a provider here")
    return client


def _is_ours(address: str) -> bool:
    """Whether it is an address of one of our sites, however browsers read it."""
    if not address.isascii() or not address.isprintable() or "\\" in address or " " in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return "@" not in parts.netloc and f"{parts.scheme}://{parts.netloc.lower()}" in allowed_origins()


def _sealed(attempt: Attempt) -> str:
    payload = orjson.dumps(asdict(attempt))
    signature = _signature(payload, derived_keys("openid sign-in")[0])
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, signature))


def _signature(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _no_account(why: str) -> AppError:
    return Forbidden(why, code="openid_no_account")
