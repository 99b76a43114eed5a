"""Leads: potential customers as they were first captured."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Json, Record, by_change, trigram


class Lead(Record):
    """`customer_id` is there once it is known whose lead it is: from a form, or by conversion."""

    __tablename__ = "leads"
    __table_args__ = (
        ForeignKeyConstraint(
            ["pipeline_id", "stage", "stage_kind"], ["stages.pipeline_id", "stages.key", "stages.kind"]
        ),
        CheckConstraint("(stage_kind = 'won') = (converted_at is not null)", name="converted"),
        CheckConstraint("stage_kind <> 'won' or customer_id is not null", name="converted_to"),
        CheckConstraint("(stage_kind = 'lost') = (discard_reason is not null)", name="discarded"),
        Index("leads_customer_id_idx", "customer_id", postgresql_where=text("customer_id is not null")),
        Index("leads_owner_id_id_idx", "owner_id", "id"),
        Index("leads_owner_id_idx", "owner_id", "id", postgresql_where=text("customer_id is null")),
        Index("leads_pipeline_id_stage_idx", "pipeline_id", "stage"),
        Index("leads_name_key_id_idx", "name_key", "id"),
        Index("leads_created_at_id_idx", "created_at", "id"),
        by_change("leads"),
        trigram("leads_search_open_idx", "search_open"),
    )

    title: Mapped[str | None] = mapped_column(String(200))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    company_name: Mapped[str | None] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(404))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    job_title: Mapped[str | None] = mapped_column(String(200))
    emails: Mapped[list[Json]] = mapped_column(default=list)
    phones: Mapped[list[Json]] = mapped_column(default=list)
    addresses: Mapped[list[Json]] = mapped_column(default=list)
    social_profiles: Mapped[list[Json]] = mapped_column(default=list)
    website: Mapped[str | None] = mapped_column(String(500))
    preferred_language: Mapped[str | None] = mapped_column(String(20))
    preferred_channel: Mapped[str | None] = mapped_column(String(50))
    sector: Mapped[str | None] = mapped_column(String(50))
    channel: Mapped[str | None] = mapped_column(String(50))
    form_id: Mapped[UUID | None] = mapped_column(ForeignKey("forms.id"))
    utm: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    request: Mapped[str | None] = mapped_column(String(20))
    message: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    pipeline_id: Mapped[UUID]
    stage: Mapped[str] = mapped_column(String(50))
    stage_kind: Mapped[str] = mapped_column(String(10))
    stage_entered_at: Mapped[datetime]
    discard_reason: Mapped[str | None] = mapped_column(String(50))
    first_response_at: Mapped[datetime | None]
    converted_at: Mapped[datetime | None]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    # No foreign key: the opportunity names its lead with one, and neither should come first.
    opportunity_id: Mapped[UUID | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    search_open: Mapped[str] = mapped_column(Text, default="")
