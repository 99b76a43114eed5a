"""What is done at once with what a visitor sent by a form: it is counted and kept, and a worker makes something of it.

Whatever that leads to, the visitor is told the same, after the same time.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import bell, rate_counts
from app.db.queries import public_forms
from app.db.queries import submissions as kept
from app.db.session import operation_of, reading_pool
from app.domain import stamps
from app.domain.addresses import network_of
from app.domain.entities.fields import Values
from app.domain.entities.forms import FORM_KEY
from app.domain.entities.submitted import Submitted
from app.errors import TooMany
from app.policies import callers
from app.policies.access import Access, Reason, not_found
from app.settings import derived_keys
from app.texts.labels import label

YOUNGEST, OLDEST = timedelta(seconds=2), timedelta(hours=24)
# Sent again within this time it is a second click, not a second message.
SAME = timedelta(minutes=10)
# From one address in a minute and in an hour, and what the form has taken in an hour: with our stamp, and without.
STAMPED, UNSTAMPED = (10, 60, 1_000), (5, 30, 300)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends, as far as the request tells: language (es, it, en), page, and the keyed hash of the address."""

    language: str
    page: str | None
    address: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A form in use: its columns, and the access by which what it brings is written."""

    form: Values
    access: Access


async def open_form(key: str) -> Opened:
    """The form with that key. Raises `NotFound`, also for one that is switched off."""
    if not FORM_KEY.fullmatch(key):
        raise not_found("form")
    pool = await reading_pool()
    async with pool.acquire() as connection:
        version, form = await public_forms.find(connection, key)
        if form is None:
            raise not_found("form")
        return Opened(form, await callers.system(connection, Reason.FORM, version))


def address_hash(address: str) -> bytes:
    """What is kept of a visitor's address: enough to tell it from another, and no more."""
    return hmac.digest(derived_keys("form addresses")[0], network_of(address).encode(), "sha256")


async def count_visit(form_id: UUID, stamp: str, address: bytes) -> None:
    """Count an attempt: it counts though it is refused. Raises `TooMany`."""
    ours = stamps.age(stamp, form_id) is not None
    per_minute, per_hour, by_form = STAMPED if ours else UNSTAMPED
    visits = await rate_counts.count_visit(f"form/{form_id}/{address.hex()[:32]}", form_id, by_form)
    waits = []
    if visits.in_minute > per_minute:
        waits.append(visits.minute_ends - clock.now())
    if visits.in_hour > per_hour or visits.taken >= by_form:
        waits.append(visits.hour_ends - clock.now())
    if waits:
        seconds = max(1, *(int(wait.total_seconds()) + 1 for wait in waits))
        raise TooMany("Too many submissions; try again later", headers={"Retry-After": str(seconds)})


async def keep(session: AsyncSession, opened: Opened, submitted: Submitted, visitor: Visitor) -> UUID | None:
    """Keep what was sent, and have a worker make something of it; None if it was sent a moment ago."""
    form, now, operation = opened.form, clock.now(), operation_of(session)
    values = {
        "form_id": form["id"],
        "state": "trapped" if submitted.honeypot or _ill_timed(submitted.stamp, form["id"]) else "accepted",
        "values": {**submitted.known, **submitted.others},
        "utm": submitted.utm,
        "language": visitor.language,
        "consent": submitted.consent,
        "consent_text": label(form["consent"], visitor.language) if submitted.consent else None,
        "page": visitor.page,
        "address_hash": visitor.address,
        "fingerprint": submitted.fingerprint(),
    }
    by = opened.access.user_id
    id = await kept.keep(session, values, by, operation.id, now, now - SAME)
    if id is not None:
        operation.after_commit.append(bell.ring)
    return id


def _ill_timed(stamp: str, form_id: UUID) -> bool:
    """Whether the stamp is forged, or was brought back sooner or later than people do."""
    if not stamp:
        return False
    age = stamps.age(stamp, form_id)
    return age is None or not YOUNGEST <= age <= OLDEST
