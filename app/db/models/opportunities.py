"""Opportunities, their lines and the contacts who have a say in them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Record, by_change, money, trigram


class Opportunity(Record):
    __tablename__ = "opportunities"
    __table_args__ = (
        ForeignKeyConstraint(
            ["pipeline_id", "stage", "stage_kind"], ["stages.pipeline_id", "stages.key", "stages.kind"]
        ),
        CheckConstraint("(stage_kind = 'open') = (closed_at is null)", name="closed"),
        CheckConstraint("stage_kind <> 'won' or (customer_id is not null and amount is not null)", name="won"),
        CheckConstraint("(stage_kind = 'lost') = (lost_reason is not null)", name="lost"),
        Index("opportunities_customer_id_idx", "customer_id"),
        Index("opportunities_owner_id_id_idx", "owner_id", "id"),
        Index("opportunities_own_without_customer_idx", "owner_id", "id", postgresql_where=text("customer_id is null")),
        Index("opportunities_name_key_id_idx", "name_key", "id"),
        Index("opportunities_lead_id_idx", "lead_id", postgresql_where=text("lead_id is not null")),
        # All that reports of what was won are made of, and by what it is reached: the table itself is not read.
        Index(
            "opportunities_won_closed_at_idx",
            "closed_at",
            postgresql_include=["owner_id", "customer_id", "currency", "amount"],
            postgresql_where=text("stage_kind = 'won' and archived_at is null"),
        ),
        Index("opportunities_created_at_id_idx", "created_at", "id"),
        by_change("opportunities"),
        trigram("opportunities_search_open_idx", "search_open"),
        # No index names the stage, and pages keep some room: so a move writes the row anew beside itself, and of all
        # indexes at most a range's times (`by_change`).
        {"postgresql_with": {"fillfactor": 90}},
    )

    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    opened_at: Mapped[datetime]
    pipeline_id: Mapped[UUID]
    stage: Mapped[str] = mapped_column(String(50))
    stage_kind: Mapped[str] = mapped_column(String(10))
    stage_entered_at: Mapped[datetime]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = mapped_column(String(3))
    probability: Mapped[int] = mapped_column(SmallInteger)
    expected_close_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    lost_reason: Mapped[str | None] = mapped_column(String(50))
    competitor: Mapped[str | None] = mapped_column(String(50))
    competitor_price: Mapped[Decimal | None] = money()
    description: Mapped[str | None] = mapped_column(Text)
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    next_activity_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    search_open: Mapped[str] = mapped_column(Text, default="")


class OpportunityLine(Internal):
    __tablename__ = "opportunity_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    opportunity_id: Mapped[UUID] = mapped_column(ForeignKey("opportunities.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    unit_price: Mapped[Decimal | None] = money()


class OpportunityContact(Internal):
    __tablename__ = "opportunity_contacts"
    __table_args__ = (Index("opportunity_contacts_contact_id_idx", "contact_id"),)

    opportunity_id: Mapped[UUID] = mapped_column(ForeignKey("opportunities.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    role: Mapped[str | None] = mapped_column(String(50))
