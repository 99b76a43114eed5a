"""Forms on other sites, what came in by them, what visitors consented to, and how often one address has come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json, Record


class Form(Record):
    """fields: [{key, required, labels}] in order; labels (null: the shipped ones) and consent by language."""

    __tablename__ = "forms"
    __table_args__ = (Index("forms_key_key", "key", unique=True, postgresql_where=text("archived_at is null")),)

    key: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    active: Mapped[bool]
    fields: Mapped[list[Json]]
    consent: Mapped[Json | None]
    consent_required: Mapped[bool]
    redirect: Mapped[str | None] = mapped_column(String(500))
    error_redirect: Mapped[str | None] = mapped_column(String(500))
    allowed_origins: Mapped[list[str]] = mapped_column(default=list)
    honeypot: Mapped[str] = mapped_column(String(50))
    lead_owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    search_open: Mapped[str] = mapped_column(Text, default="")


class Submission(Record):
    """What one visitor sent. state: accepted, or trapped when it was no visitor.

    fingerprint: of what was sent, by which a second time is known. address_hash: of the sender's address, keyed, so
    that it says nothing by itself.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        CheckConstraint("state in ('accepted', 'trapped')", name="state"),
        Index("submissions_form_id_id_idx", "form_id", "id"),
        Index("submissions_form_id_created_at_idx", "form_id", "created_at"),
        Index("submissions_lead_id_idx", "lead_id"),
        Index("submissions_fingerprint_idx", "fingerprint", "created_at"),
    )

    form_id: Mapped[UUID] = mapped_column(ForeignKey("forms.id"))
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    state: Mapped[str] = mapped_column(String(10))
    values: Mapped[Json]
    utm: Mapped[Json]
    language: Mapped[str] = mapped_column(String(20))
    consent: Mapped[bool]
    consent_text: Mapped[str | None] = mapped_column(Text)
    page: Mapped[str | None] = mapped_column(String(500))
    address_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)


class Consent(Internal):
    """A consent, or its withdrawal: append only. For one address and purpose the last one counts."""

    __tablename__ = "consents"
    __table_args__ = (Index("consents_address_purpose_idx", "address", "purpose", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(320))
    purpose: Mapped[str] = mapped_column(String(50))
    given: Mapped[bool]
    text: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(20))
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id"))
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    at: Mapped[datetime]


class RateCount(Internal):
    """How often something was done in an hour, and in the last minute of it that it was done in; `bucket` says by whom
    and what."""

    __tablename__ = "rate_counts"
    __table_args__ = (Index("rate_counts_starts_at_idx", "starts_at"),)

    bucket: Mapped[str] = mapped_column(String(120), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    minute_at: Mapped[datetime]
    in_minute: Mapped[int] = mapped_column(Integer)
