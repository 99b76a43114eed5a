"""What is said by whoever asks to be let in to a customer, and what is answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.domain.entities.fields import Fields
from app.domain.entities.values import Email, ForeignId, Instant, LongText, OrNull, Short, System


class ExternalEvidence(Fields):
    """The id by which another system knows the customer, or a record of it."""

    entity: Literal["customers", "contacts", "leads", "opportunities", "activities", "messages"] = "customers"
    system: System
    external_id: ForeignId


class Evidence(Fields):
    """By what the customer was met."""

    email: Annotated[Email | None, Field(title="E-mail")] = None
    phone: Annotated[Short | None, Field(title="Telephone", min_length=1)] = None
    tax_id: Annotated[Short | None, Field(title="Tax id", min_length=1, max_length=32)] = None
    external_id: Annotated[ExternalEvidence | None, Field(title="External id")] = None


class AccessRequestCreate(Evidence):
    """Exactly one of `email`, `phone`, `tax_id` and `external_id`, and why you should be let in."""

    reason: Annotated[LongText, Field(title="Reason", min_length=1)]

    @model_validator(mode="after")
    def _one(self) -> Any:
        if sum(getattr(self, name) is not None for name in Evidence.model_fields) != 1:
            raise ValueError("Give exactly one of email, phone, tax_id and external_id")
        return self


class Refusal(Fields):
    note: Annotated[OrNull[LongText], Field(title="Note", description="For the requester.")] = None


class AccessRequestRead(Fields):
    """A request, one's own or one to decide.

    Of one's own the customer is told once it is granted; whether there is any stays open until somebody decides.
    """

    id: UUID
    requester_id: UUID
    evidence: Annotated[
        Evidence | None,
        Field(description="What the requester typed; null where your profile does not see such fields."),
    ]
    reason: str
    customer_id: UUID | None
    state: Literal["open", "granted", "refused"]
    note: str | None
    created_at: Instant
    decided_at: Instant | None
