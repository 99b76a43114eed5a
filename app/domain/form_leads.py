"""What is made of what a visitor sent by a form: a lead, or a message of the open one with that e-mail."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import consents
from app.db.base import Record
from app.db.models.forms import Form, Submission
from app.db.models.leads import Lead
from app.db.queries import senders
from app.db.session import driver
from app.domain import records
from app.domain.entities.fields import Values
from app.domain.entities.forms import SUBMISSIONS
from app.domain.entities.leads import LEADS, LeadCreate
from app.domain.entities.messages import MESSAGES, MessageCreate
from app.domain.entities.submitted import lead_values
from app.errors import NotFound
from app.policies.access import Access
from app.policies.callers import readers
from app.texts.forms import FIELDS
from app.texts.labels import label


async def take(session: AsyncSession, access: Access, submission_id: UUID) -> None:
    """Make something of a submission, once; nothing of one that no visitor sent."""
    sent = await access.row(session, Submission, submission_id, "update")
    if sent.state != "accepted" or sent.lead_id is not None:
        return
    form = await access.row(session, Form, sent.form_id)
    said = {field["key"]: sent.values[field["key"]] for field in form.fields if field["key"] in sent.values}
    email = said.get("email")
    await senders.one_at_a_time(session, (email or sent.fingerprint.hex()).casefold())
    able = await readers(session, "leads")
    sender = await senders.find(await driver(session), email, form.lead_owner_id, able)
    lead = await _lead(session, access, sent, form, said, sender)
    await records.write(session, access, SUBMISSIONS, sent, {"lead_id": lead.id}, verb="taken")
    address = email or said.get("phone")
    if sent.consent_text and address:
        await consents.give(
            session,
            kind="email" if email else "phone",
            address=address,
            purpose=f"form:{form.key}",
            text=sent.consent_text,
            language=sent.language,
            submission_id=sent.id,
            lead_id=lead.id,
            at=sent.created_at,
        )


async def _lead(
    session: AsyncSession, access: Access, sent: Submission, form: Form, said: Values, sender: senders.Sender
) -> Record:
    if sender.lead_id is not None:
        lead = await access.row(session, Lead, sender.lead_id, "update")
        if lead.stage_kind == "open" and lead.archived_at is None:
            await _add(session, access, lead, sent, form, said)
            return lead
    values = lead_values(said, sent.language, access.vocabulary) | {
        "customer_id": sender.customer_id,
        "owner_id": sender.owner_id,
    }
    also = {"form_id": form.id, "utm": sent.utm}
    try:
        return await records.create(session, access, LEADS, LeadCreate.model_validate(values), also)
    except NotFound:
        # Customer or owner were archived a moment ago. The lead is not to be lost for that.
        values |= {"customer_id": None, "owner_id": None}
        return await records.create(session, access, LEADS, LeadCreate.model_validate(values), also)


async def _add(session: AsyncSession, access: Access, lead: Lead, sent: Submission, form: Form, said: Values) -> None:
    """To a lead that there is: its own fields stay, since nobody has shown that it is the same person."""
    others = {name: text for name, text in said.items() if name not in ("email", "message")}
    lines = [f"{label(FIELDS[name], sent.language)}: {text}" for name, text in others.items()]
    message = {
        "channel": "other",
        "direction": "in",
        "from_address": said.get("email"),
        "subject": form.name,
        "text": "\n".join((said.get("message", ""), *lines)),
        "language": sent.language,
        "owner_id": lead.owner_id,
        "customer_id": lead.customer_id,
        "lead_id": lead.id,
    }
    await records.create(session, access, MESSAGES, MessageCreate.model_validate(message))
