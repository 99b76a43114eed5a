"""What a message is: one that is sent from here, or one that came or went otherwise and is only kept."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.values import Email, Instant, Language, Line, LongText, OrNull, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError


class MessageFields(Fields):
    channel: Annotated[
        Literal["email", "phone", "sms", "whatsapp", "post", "portal", "other"], Field(title="Channel"),
        Spec(filter=True),
    ] = "email"  # fmt: skip
    direction: Annotated[Literal["in", "out"], Field(title="Direction"), Spec(filter=True)] = "out"
    from_address: Annotated[OrNull[Email], Field(title="From"), Spec(filter=True, personal=True)] = None
    to_address: Annotated[
        OrNull[Email],
        Field(title="To", description="Left out of an e-mail: the primary one of the contact, lead or customer."),
        Spec(filter=True, personal=True),
    ] = None
    subject: Annotated[OrNull[Line], Field(title="Subject"), Spec(filter=True, search=True)] = None
    text: Annotated[OrNull[LongText], Field(title="Text"), Spec(unlisted=True, personal=True)] = None
    language: Annotated[OrNull[Language], Field(title="Language"), Spec(filter=True)] = None
    owner_id: Annotated[UUID | None, Field(title="Owner"), Spec(filter=True, refers_to="users")] = None
    customer_id: Annotated[
        UUID | None,
        Field(title="Customer", description="Left out: that of the contact, lead or opportunity."),
        Spec(filter=True, refers_to="customers"),
    ] = None
    contact_id: Annotated[UUID | None, Field(title="Contact"), Spec(filter=True, refers_to="contacts")] = None
    lead_id: Annotated[UUID | None, Field(title="Lead"), Spec(filter=True, refers_to="leads")] = None
    opportunity_id: Annotated[UUID | None, Field(title="Opportunity"), Spec(filter=True, refers_to="opportunities")] = (
        None
    )
    template_id: Annotated[
        UUID | None,
        Field(title="Template", description="Subject and text that are left out are written from it."),
        Spec(filter=True, refers_to="templates"),
    ] = None


class MessageCreate(MessageFields):
    """An e-mail to send (channel `email`, direction `out`), or a message that came or went otherwise and is kept.
    Left without `owner_id` it is yours."""


@partial
class MessageUpdate(MessageFields):
    """The fields of a message that is only kept to change; the rest stay as they are, null clears."""


@readable
class MessageRead(MessageFields, RecordFields):
    """A message to or from a customer or a lead."""

    state: Annotated[
        Literal["queued", "sent", "failed", "received", "logged"],
        Field(title="State", description="received or logged where it is only kept."),
        Spec(filter=True),
    ]
    failure: Annotated[str | None, Field(title="Why it failed")]
    sent_at: Annotated[Instant | None, Field(title="Sent at"), Spec(filter=True, sort=True)]
    message_id: Annotated[str | None, Field(title="Message-ID", description="The same at every attempt to send it.")]
    workflow_run_id: Annotated[UUID | None, Field(title="Workflow run"), Spec(filter=True)]


def is_sent_from_here(message: Any) -> bool:
    """Whether values of a message are those of an e-mail that goes out."""
    return bool(message["channel"] == "email" and message["direction"] == "out")


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Search text and, for a new one, its state. Raises `Invalid` where an e-mail to send lacks something."""
    out: Values = {"search_open": search_text(new["subject"])}
    problems: list[FieldError] = []
    if "state" in new:
        if is_sent_from_here(new):
            problems.append(FieldError("/channel", "not_applicable", "What is only kept does not become one to send"))
        elif "direction" in given:
            out["state"] = _kept_as(new)
    elif is_sent_from_here(new):
        out["state"] = "queued"
        problems += [rules.required(name) for name in ("to_address", "subject", "text") if rules.is_blank(new[name])]
        if new["from_address"] is not None:
            problems.append(FieldError("/from_address", "not_applicable", "E-mails go out under the company's address"))
    else:
        out["state"] = _kept_as(new)
    if problems:
        raise rules.invalid(problems)
    return out


def _kept_as(message: Values) -> str:
    return "received" if message["direction"] == "in" else "logged"


MESSAGES = Entity("messages", "message", MessageRead, MessageCreate, MessageUpdate, complete)
