"""Activities: what was done, or is to do, with a customer, a lead or for oneself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Record, by_change, trigram


class Activity(Record):
    """`due_at` is one instant, with `all_day` the beginning of its day; `customer_id` follows what it is about."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("kind in ('call', 'email', 'meeting', 'visit', 'message', 'task', 'note')", name="kind"),
        CheckConstraint("state in ('planned', 'done', 'cancelled')", name="state"),
        CheckConstraint("(state = 'done') = (done_at is not null)", name="done"),
        CheckConstraint("num_nonnulls(opportunity_id, lead_id) <= 1", name="about"),
        Index("activities_customer_id_due_at_idx", "customer_id", "due_at", postgresql_where=text("state = 'planned'")),
        Index("activities_customer_id_done_at_idx", "customer_id", "done_at", postgresql_where=text("state = 'done'")),
        Index("activities_opportunity_id_idx", "opportunity_id", postgresql_where=text("opportunity_id is not null")),
        Index("activities_lead_id_idx", "lead_id", postgresql_where=text("lead_id is not null")),
        Index("activities_owner_id_due_at_idx", "owner_id", "due_at", postgresql_where=text("state = 'planned'")),
        Index("activities_due_at_id_idx", "due_at", "id", postgresql_where=text("state = 'planned'")),
        Index("activities_owner_id_id_idx", "owner_id", "id"),
        Index("activities_own_without_customer_idx", "owner_id", "id", postgresql_where=text("customer_id is null")),
        Index("activities_customer_id_id_idx", "customer_id", "id"),
        Index("activities_created_at_id_idx", "created_at", "id"),
        by_change("activities"),
        trigram("activities_search_open_idx", "search_open"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str | None] = mapped_column(Text)
    objective: Mapped[str | None] = mapped_column(String(50))
    outcome: Mapped[str | None] = mapped_column(String(50))
    report: Mapped[str | None] = mapped_column(Text)
    purpose: Mapped[str | None] = mapped_column(String(10))
    direction: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime | None]
    all_day: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    duration_seconds: Mapped[int | None]
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    opportunity_id: Mapped[UUID | None] = mapped_column(ForeignKey("opportunities.id"))
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    location: Mapped[str | None] = mapped_column(String(200))
    workflow_run_id: Mapped[UUID | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    search_open: Mapped[str] = mapped_column(Text, default="")


class ActivityContact(Internal):
    """Who of the customer took part, or is to."""

    __tablename__ = "activity_contacts"
    __table_args__ = (Index("activity_contacts_contact_id_idx", "contact_id"),)

    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activities.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    role: Mapped[str | None] = mapped_column(String(50))
