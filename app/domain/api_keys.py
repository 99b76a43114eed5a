"""What one can do with API keys: make one for a service user, name it, and end it."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import api_keys as kept
from app.db import signing_in
from app.db.models.credentials import ApiKey
from app.db.models.users import User
from app.domain import records, references
from app.domain.entities import rules
from app.domain.entities.api_keys import API_KEYS, ApiKeyCreate
from app.domain.own_limits import require_within
from app.errors import FieldError, Forbidden
from app.policies.access import Access
from app.policies.api_keys import SHOWN, hash_of, make_api_key
from app.policies.callers import access_of
from app.policies.profiles import ACTIONS, sections

LONGEST_LIFE = timedelta(days=366)
# No key is about these; of accounts, whose addresses passwords are mailed to, it reads at most.
WITHOUT_SCOPES = {"api_keys", "profiles"}
ONLY_READ = {"users"}


def known_scopes() -> list[str]:
    """All that a key may be narrowed to: section and action."""
    return [
        f"{section}:{action}"
        for section in sections()
        for action in (("read",) if section in ONLY_READ else ACTIONS)
        if section not in WITHOUT_SCOPES
    ]


async def create(session: AsyncSession, access: Access, data: ApiKeyCreate) -> tuple[ApiKey, str]:
    """A new key for a service user, and the key itself, which nobody can read again.

    Raises `Invalid`, and `Forbidden` where whoever has the key could do or reach what the caller cannot.
    """
    access.require(API_KEYS.name, "create")
    problems = _unknown_scopes(data.scopes)
    if not clock.now() < data.expires_at <= clock.now() + LONGEST_LIFE:
        problems.append(FieldError("/expires_at", "out_of_range", "Must be within a year from now"))
    if problems:
        raise rules.invalid(problems)
    await references.check(session, access, API_KEYS, {"user_id": data.user_id})
    # Whoever deactivates the user meanwhile waits, and ends the key with the others.
    query = access.rows(User).where(User.id == data.user_id).with_for_update(read=True, of=User)
    user = (await session.scalars(query)).one_or_none()
    if user is None or not user.service or not user.active or user.archived_at is not None:
        problem = FieldError("/user_id", "not_a_service_user", "Must be an active service user")
        raise rules.invalid([problem])
    await require_within(session, access, user.profile_id, "/user_id")
    _require_reach(access, await access_of(session, user.id))
    key = make_api_key()
    also = {
        "hash": hash_of(key),
        "prefix": key[:SHOWN],
        "session_id": await kept.open_session(session, user.id),
    }
    record = await records.create(session, access, API_KEYS, data, also)
    assert isinstance(record, ApiKey)
    return record, key


async def end(session: AsyncSession, access: Access, key: ApiKey) -> None:
    """Nobody gets in with the key any more. It does not come back."""
    await records.archive(session, access, API_KEYS, key)
    await signing_in.end_session(session, key.session_id)


def _unknown_scopes(scopes: Sequence[str]) -> list[FieldError]:
    known = known_scopes()
    return [
        rules.unknown_option(f"/scopes/{position}", "scopes", scope, known)
        for position, scope in enumerate(scopes)
        if scope not in known
    ]


def _require_reach(access: Access, user: Access) -> None:
    """Raise `Forbidden` if the user reaches people of whose records the caller sees nothing."""
    for (section, action, group), scope in user.grants.items():
        own = access.level(section, action)
        if group != "open" or "all" in (scope, own):
            continue
        if not set(user.team if scope == "team" else user.own) <= set(access.reached(own)):
            message = "The service user reaches people whom you do not"
            problem = FieldError("/user_id", "exceeds_own_profile", message)
            raise Forbidden(message, code="exceeds_own_profile", errors=[problem])
