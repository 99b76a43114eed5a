"""Messages to and from customers and leads, and the templates that they are written from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Json, Record, trigram


class Template(Record):
    """A text in several languages, with places such as `{first_name}` that are filled in when it is used."""

    __tablename__ = "templates"
    __table_args__ = (
        Index("templates_key_key", "key", unique=True, postgresql_where=text("archived_at is null")),
        CheckConstraint("channel in ('email')", name="channel"),
    )

    key: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    channel: Mapped[str] = mapped_column(String(20))
    subject: Mapped[Json]
    text: Mapped[Json]
    search_open: Mapped[str] = mapped_column(Text, default="")


class Message(Record):
    """`message_id` is the one under which it leaves the house, the same at every attempt."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("channel in ('email', 'phone', 'sms', 'whatsapp', 'post', 'portal', 'other')", name="channel"),
        CheckConstraint("direction in ('in', 'out')", name="direction"),
        CheckConstraint("state in ('queued', 'sent', 'failed', 'received', 'logged')", name="state"),
        Index("messages_customer_id_id_idx", "customer_id", "id"),
        Index("messages_lead_id_idx", "lead_id", postgresql_where=text("lead_id is not null")),
        Index("messages_opportunity_id_idx", "opportunity_id", postgresql_where=text("opportunity_id is not null")),
        Index("messages_own_without_customer_idx", "owner_id", "id", postgresql_where=text("customer_id is null")),
        Index("messages_message_id_key", "message_id", unique=True, postgresql_where=text("message_id is not null")),
        trigram("messages_search_open_idx", "search_open"),
    )

    channel: Mapped[str] = mapped_column(String(20))
    direction: Mapped[str] = mapped_column(String(10))
    from_address: Mapped[str | None] = mapped_column(String(320))
    to_address: Mapped[str | None] = mapped_column(String(320))
    subject: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    failure: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(String(200))
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("templates.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    opportunity_id: Mapped[UUID | None] = mapped_column(ForeignKey("opportunities.id"))
    workflow_run_id: Mapped[UUID | None]
    search_open: Mapped[str] = mapped_column(Text, default="")
