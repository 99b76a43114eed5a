"""What one can do with messages: write one, perhaps from a template; and on its way out, ask whether it may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db import company, consents, jobs
from app.db.base import Json, Record
from app.db.models.contacts import Contact
from app.db.models.customers import Customer
from app.db.models.leads import Lead
from app.db.models.messages import Message, Template
from app.db.models.opportunities import Opportunity
from app.db.models.users import User
from app.domain import consequences, records, references
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, Values
from app.domain.entities.leads import LEADS
from app.domain.entities.messages import MESSAGES, MessageCreate, is_sent_from_here
from app.domain.entities.templates import PLACES, rendered
from app.errors import AppError, Conflict, FieldError
from app.policies.access import Access, not_found
from app.settings import mail_server
from app.texts.labels import label, language_of

# With whom it is, the nearest to a person first.
WITH: dict[str, type[Contact] | type[Lead] | type[Customer] | type[Opportunity]] = {
    "contact_id": Contact,
    "lead_id": Lead,
    "customer_id": Customer,
    "opportunity_id": Opportunity,
}
# All that is sent so far answers somebody, or is one person writing to another.
PURPOSE = "service"


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail as it leaves the house. automatic: no person wrote it, and no machine should answer."""

    to: str
    subject: str
    text: str
    language: str | None
    message_id: str
    queued_at: datetime
    reply_to: str | None
    automatic: bool


async def create(
    session: AsyncSession, access: Access, entity: Entity, data: BaseModel, also: Values | None = None
) -> Record:
    """A new message. An e-mail that goes out is queued, and sent once this transaction is committed.

    also: as in `records.create`. Raises `Invalid`, `NotFound`.
    """
    assert isinstance(data, MessageCreate)
    access.require(entity.name, "create")
    await references.check(session, access, entity, rules.given_values(data))
    people = {name: await _held(session, access, name, id) for name in WITH if (id := getattr(data, name))}
    update: Values = {"customer_id": _customer_of({name: _customer(name, person) for name, person in people.items()})}
    also = dict(also or {})
    if is_sent_from_here(data.model_dump()):
        if data.to_address is None:
            update["to_address"] = _address_of(access, people)
        if data.template_id is not None:
            template = await access.row(session, Template, data.template_id)
            written = await _written(session, access, data, template, people)
            update |= {name: text for name, text in written.items() if getattr(data, name) is None}
            if data.text is None:
                update["language"] = language_of(template.text, written["language"])
        server = mail_server()
        domain = parseaddr(server.sender)[1].partition("@")[2] if server else "clientela.invalid"
        also["message_id"] = f"<{uuid7()}@{domain}>"
    given = {name: value for name, value in update.items() if value is not None}
    message = await records.create(session, access, entity, data.model_copy(update=given), also)
    assert isinstance(message, Message)
    if message.state == "queued":
        await jobs.promise(session, jobs.Job.SEND_MESSAGE, run_as=None, message_id=message.id)
    return message


async def change(session: AsyncSession, access: Access, entity: Entity, message: Record, data: BaseModel) -> None:
    """Change a message that is only kept. Raises `Conflict` for one that is sent from here."""
    assert isinstance(message, Message)
    if message.state in ("queued", "sent", "failed"):
        raise Conflict("A message that was sent, or is on its way, stays as it is", code="already_sent")
    if data.model_fields_set & WITH.keys():
        data = await _with_customer(session, access, entity, message, data)
    await records.change(session, access, entity, message, data)


async def _with_customer(
    session: AsyncSession, access: Access, entity: Entity, message: Message, data: BaseModel
) -> BaseModel:
    """What is given, with the customer of all that the message names then. What it goes on naming is its customer's."""
    given = {name: getattr(data, name) for name in WITH if name in data.model_fields_set}
    await references.check(session, access, entity, given, consequences.values_of(message))
    customers = {name: message.customer_id for name in WITH if name not in given and getattr(message, name) is not None}
    customers |= {name: _customer(name, await _held(session, access, name, id)) for name, id in given.items() if id}
    customer_id = _customer_of(customers)
    if "customer_id" in given and given["customer_id"] != customer_id:
        raise _mismatch("customer_id")
    return data.model_copy(update={"customer_id": customer_id})


async def _held(session: AsyncSession, access: Access, name: str, id: UUID) -> Any:
    """With whom it is. Until the transaction ends it goes to no other customer, for the message would not follow."""
    if name == "customer_id":
        return await access.row(session, Customer, id)
    model: Any = WITH[name]
    query = access.rows(model).where(model.id == id).with_for_update(read=True, of=model)
    query = query.execution_options(populate_existing=True)
    # A conversion that was waited for may have put it under a customer whose assignees only the next statement sees.
    held = await session.scalar(query) or await session.scalar(query)
    if held is None:
        raise not_found(ENTITIES[model.__tablename__].singular)
    return held


def _customer(name: str, person: Any) -> UUID | None:
    found: UUID | None = person.id if name == "customer_id" else person.customer_id
    return found


def _customer_of(customers: Mapping[str, UUID | None]) -> UUID | None:
    """The one customer of all that a message names. Raises `Invalid` if there are two."""
    found = {name: id for name, id in customers.items() if id is not None}
    if len(set(found.values())) > 1:
        name = "customer_id" if "customer_id" in found else list(found)[-1]
        raise _mismatch(name)
    return next(iter(found.values()), None)


def _mismatch(name: str) -> AppError:
    return rules.invalid([FieldError(f"/{name}", "customer_mismatch", "It names records of different customers")])


def _address_of(access: Access, people: Mapping[str, Any]) -> str | None:
    """The address of the first of them who has one that the caller may see."""
    for person in people.values():
        if (address := address_among(_seen(access, person, "emails") or ())) is not None:
            return address
    return None


def _seen(access: Access, person: Any, name: str) -> Any:
    """A field of whom a message is with; None where there is no such field, or the caller may not see it."""
    return getattr(person, name) if name in access.fields(ENTITIES[person.__tablename__]) else None


def address_among(emails: Sequence[Json]) -> str | None:
    """The primary address, else the first; none to which messages came back."""
    good = [each for each in emails if not each.get("invalid")]
    return next((each["address"] for each in sorted(good, key=lambda each: not each.get("primary"))), None)


async def template_by_key(session: AsyncSession, access: Access, key: str) -> UUID | None:
    query = access.rows(Template).with_only_columns(Template.id)
    id: UUID | None = await session.scalar(query.where(Template.key == key, Template.archived_at.is_(None)))
    return id


async def _written(
    session: AsyncSession, access: Access, data: MessageCreate, template: Template, people: Mapping[str, Any]
) -> dict[str, str]:
    """Subject, text and wanted language of a message from a template, for the first person among those it is with; of
    whom nothing is used that the caller does not see."""
    settings = await company.load(session)
    person = next((each for each in people.values() if hasattr(each, "first_name")), None)
    seen = {name: person and _seen(access, person, name) for name in (*PLACES, "preferred_language")}
    language = data.language or seen["preferred_language"] or settings.languages[0]
    values = {name: name_in_letter(seen[name]) for name in PLACES}
    values["company_name"] = settings.company_name or settings.legal_name
    subject = " ".join(rendered(label(template.subject, language), values).split())[:200].strip()
    return {"subject": subject, "text": rendered(label(template.text, language), values), "language": language}


def name_in_letter(name: str | None) -> str | None:
    """A name to greet somebody by, or None: whoever fills in a form with another's address must not have us send them
    what is no name."""
    usual = name and len(name) <= 40 and all(letter.isalpha() or letter in " '’·-" for letter in name)
    return name if usual else None


async def may_send(session: AsyncSession, message: Message) -> str | None:
    """Why a message must not go out; None if it may. Asked at the moment of sending, of every message there is."""
    if mail_server() is None:
        return "No mail server is set: CRM_SMTP_URL"
    if await consents.withdrawn(session, message.to_address or "", PURPOSE):
        return "Whoever has the address does not want to be written to"
    return None


async def to_send(session: AsyncSession, access: Access, id: UUID) -> Letter | None:
    """A queued message as it leaves the house; None if it does not, any more or at all."""
    message = await access.row(session, Message, id, "update")
    if message.state != "queued" or message.archived_at is not None:
        return None
    if (reason := await may_send(session, message)) is not None:
        await fail(session, access, id, reason)
        return None
    automatic = message.workflow_run_id is not None
    writer = await access.row(session, User, message.owner_id) if message.owner_id and not automatic else None
    return Letter(
        to=message.to_address or "",
        subject=message.subject or "",
        text=message.text or "",
        language=message.language,
        message_id=message.message_id or "",
        queued_at=message.created_at,
        # Whose turn it is, or whose customer it is, is not told to whoever fills in a form.
        reply_to=writer.email if writer else None,
        automatic=automatic,
    )


async def sent(session: AsyncSession, access: Access, id: UUID) -> None:
    """The mail server has it."""
    # The lead first, as all do who take what is about it along: the mail is out, and nothing may undo that it is known.
    known = await access.row(session, Message, id)
    lead = None if known.lead_id is None else await access.row(session, Lead, known.lead_id, "update")
    message = await access.row(session, Message, id, "update")
    now = clock.now()
    await records.write(session, access, MESSAGES, message, {"state": "sent", "sent_at": now}, verb="sent")
    if lead is not None and lead.first_response_at is None:
        await records.write(session, access, LEADS, lead, {"first_response_at": now})


async def fail(session: AsyncSession, access: Access, id: UUID, reason: str) -> None:
    """It was not sent, and is not tried again."""
    message = await access.row(session, Message, id, "update")
    if message.state == "queued":
        await records.write(session, access, MESSAGES, message, {"state": "failed", "failure": reason}, verb="failed")


async def take_up(session: AsyncSession, access: Access, id: UUID) -> None:
    """One that could not be sent is on its way again. Raises `NotFound`, `Forbidden`, `Conflict` if it is archived."""
    message = await access.row(session, Message, id, "update")
    records.not_archived(message)
    if message.state == "failed":
        await records.write(session, access, MESSAGES, message, {"state": "queued", "failure": None}, verb="queued")
