"""Whose is an API key? Looked up by its hash and remembered; whether it is in force, the row of its session decides."""

import re
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import sha256

from app import clock
from app.db import api_keys as kept
from app.db import session as db
from app.errors import Unauthenticated
from app.policies.tokens import Claims

# Tells them from access tokens, and is what those look for who search code for secrets.
MARK = "crm_"
FORM = re.compile(r"crm_[A-Za-z0-9_-]{43}")
SHOWN = len(MARK) + 8
# How exactly it is known when a key was last used.
RECORDED_EVERY = timedelta(minutes=1)
MOST_KEYS = 10_000

_known: OrderedDict[bytes, kept.Found] = OrderedDict()
# By hash: when this process last wrote down that it was used.
_recorded: dict[bytes, datetime] = {}


def make_api_key() -> str:
    """A new key, of 256 random bits."""
    return MARK + secrets.token_urlsafe(32)


def hash_of(key: str) -> bytes:
    return sha256(key.encode()).digest()


async def read_api_key(key: str) -> Claims:
    """Who comes with the key. Raises `Unauthenticated` for what is no key of ours, or has expired."""
    if FORM.fullmatch(key) is None:
        raise _invalid()
    digest = hash_of(key)
    found = _known.get(digest) or await _find(digest)
    now = clock.now()
    if found.expires_at <= now:
        raise Unauthenticated("The API key has expired", code="api_key_expired")
    recorded = _recorded.get(digest)
    if recorded is None or not now - RECORDED_EVERY < recorded <= now:
        await kept.record_use(found.session_id, now - RECORDED_EVERY)
        _recorded[digest] = now
    return Claims(found.user_id, found.session_id)


async def _find(digest: bytes) -> kept.Found:
    pool = await db.reading_pool()
    async with pool.acquire() as connection:
        found = await kept.find(connection, digest)
    if found is None:
        raise _invalid()
    _known[digest] = found
    while len(_known) > MOST_KEYS:
        _recorded.pop(_known.popitem(last=False)[0], None)
    return found


def _invalid() -> Unauthenticated:
    return Unauthenticated("The API key is not valid", code="invalid_token")
