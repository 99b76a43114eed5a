"""What is done with what a visitor sent by a form: counted, kept, and made a lead, or put to one that there is.

Whatever it leads to, the visitor is told the same.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import consents, rate_counts
from app.db.base import Record
from app.db.models.forms import Submission
from app.db.models.leads import Lead
from app.db.queries import public_forms, senders
from app.db.session import driver, reading_pool
from app.db.vocabulary import Connection
from app.domain import consequences, records, stamps
from app.domain.addresses import network_of
from app.domain.entities.fields import Values
from app.domain.entities.forms import FORM_KEY, SUBMISSIONS
from app.domain.entities.leads import LEADS, LeadCreate
from app.domain.entities.messages import MESSAGES, MessageCreate
from app.domain.entities.submitted import Submitted, lead_values
from app.errors import NotFound, TooMany
from app.policies import callers
from app.policies.access import Access, Reason, not_found
from app.settings import derived_keys
from app.texts.forms import FIELDS
from app.texts.labels import label

YOUNGEST, OLDEST = timedelta(seconds=2), timedelta(hours=24)
# Sent again within this time it is a second click, not a second message.
SAME = timedelta(minutes=10)
# From one address in a minute and in an hour, and by one form in an hour: with our stamp, and without.
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
    from_address = f"form/{form_id}/{address.hex()[:32]}"
    from_all = f"form/{form_id}/{'stamped' if ours else 'unstamped'}"
    counted = await rate_counts.count((from_address, from_all))
    sender, form = counted[from_address], counted[from_all]
    waits = []
    if sender.in_minute > per_minute:
        waits.append(sender.minute_ends - clock.now())
    if sender.in_hour > per_hour or form.in_hour > by_form:
        waits.append(form.hour_ends - clock.now())
    if waits:
        seconds = max(1, *(int(wait.total_seconds()) + 1 for wait in waits))
        raise TooMany("Too many submissions; try again later", headers={"Retry-After": str(seconds)})


async def is_kept(opened: Opened, submitted: Submitted) -> bool:
    """Whether the same was taken a moment ago. It spares a second click a transaction; of those that are sent at once
    only `take` can tell, one after another."""
    pool = await reading_pool()
    async with pool.acquire() as connection:
        return await _sent_before(connection, opened.form["id"], submitted)


async def take(session: AsyncSession, opened: Opened, submitted: Submitted, visitor: Visitor) -> None:
    """Keep what was sent, and make a lead of it or put it to the open one with that e-mail; once, if sent twice."""
    access, form = opened.access, opened.form
    state, fingerprint = _state(submitted, form["id"]), submitted.fingerprint()
    await senders.one_at_a_time(session, (submitted.email or fingerprint.hex()).casefold())
    connection = await driver(session)
    if await _sent_before(connection, form["id"], submitted):
        return
    lead = None
    if state == "accepted":
        sender = await senders.find(connection, form, submitted.email)
        lead = await _lead(session, opened, submitted, visitor, sender)
    text = label(form["consent"], visitor.language) if submitted.consent else None
    kept = access.new(
        session,
        Submission,
        {
            "form_id": form["id"],
            "lead_id": lead.id if lead else None,
            "state": state,
            "values": {**submitted.known, **submitted.others},
            "utm": submitted.utm,
            "language": visitor.language,
            "consent": submitted.consent,
            "consent_text": text,
            "page": visitor.page,
            "address_hash": visitor.address,
            "fingerprint": fingerprint,
        },
    )
    await session.flush()
    consequences.record_event(session, access, SUBMISSIONS, kept, "created", {"state": (None, state)})
    address = submitted.email or submitted.known.get("phone")
    if lead and text and address:
        await consents.give(
            session,
            kind="email" if submitted.email else "phone",
            address=address,
            purpose=f"form:{form['key']}",
            text=text,
            language=visitor.language,
            submission_id=kept.id,
            lead_id=lead.id,
        )


async def _sent_before(connection: Connection, form_id: UUID, submitted: Submitted) -> bool:
    state, since = _state(submitted, form_id), clock.now() - SAME
    return await senders.sent_before(connection, form_id, submitted.fingerprint(), state, since)


def _state(submitted: Submitted, form_id: UUID) -> str:
    return "trapped" if submitted.honeypot or _ill_timed(submitted.stamp, form_id) else "accepted"


def _ill_timed(stamp: str, form_id: UUID) -> bool:
    """Whether the stamp is forged, or was brought back sooner or later than people do."""
    if not stamp:
        return False
    age = stamps.age(stamp, form_id)
    return age is None or not YOUNGEST <= age <= OLDEST


async def _lead(
    session: AsyncSession, opened: Opened, submitted: Submitted, visitor: Visitor, sender: senders.Sender
) -> Record:
    access, form = opened.access, opened.form
    if sender.lead_id is not None:
        lead = await access.row(session, Lead, sender.lead_id, "update")
        if lead.stage_kind == "open" and lead.archived_at is None:
            await _add(session, opened, lead, submitted, visitor)
            return lead
    values = lead_values(submitted, visitor.language, access.vocabulary) | {
        "customer_id": sender.customer_id,
        "owner_id": sender.owner_id,
    }
    also = {"form_id": form["id"], "utm": submitted.utm}
    try:
        return await records.create(session, access, LEADS, LeadCreate.model_validate(values), also)
    except NotFound:
        # Customer or owner were archived a moment ago. The lead is not to be lost for that.
        values |= {"customer_id": None, "owner_id": None}
        return await records.create(session, access, LEADS, LeadCreate.model_validate(values), also)


async def _add(session: AsyncSession, opened: Opened, lead: Lead, submitted: Submitted, visitor: Visitor) -> None:
    """To a lead that there is: its own fields stay, since nobody has shown that it is the same person."""
    said = {name: text for name, text in submitted.known.items() if name not in ("email", "message")}
    lines = [f"{label(FIELDS[name], visitor.language)}: {text}" for name, text in said.items()]
    message = {
        "channel": "other",
        "direction": "in",
        "from_address": submitted.email,
        "subject": opened.form["name"],
        "text": "\n".join((submitted.known.get("message", ""), *lines)),
        "language": visitor.language,
        "owner_id": lead.owner_id,
        "customer_id": lead.customer_id,
        "lead_id": lead.id,
    }
    await records.create(session, opened.access, MESSAGES, MessageCreate.model_validate(message))
