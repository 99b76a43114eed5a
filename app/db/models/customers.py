"""Customers, who is assigned to them, and why."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Sequence,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Internal, Json, Record, by_change, money, trigram

NUMBER = Sequence("customer_number", metadata=Base.metadata)


class Customer(Record):
    __tablename__ = "customers"
    __table_args__ = (
        Index("customers_number_key", "number", unique=True),
        Index("customers_tax_id_key", "tax_id", unique=True, postgresql_where=text("archived_at is null")),
        Index("customers_name_key_id_idx", "name_key", "id"),
        Index("customers_unassigned_idx", "id", postgresql_where=text("not assigned")),
        Index("customers_owner_id_id_idx", "owner_id", "id"),
        Index("customers_owner_id_sector_name_key_id_idx", "owner_id", "sector", "name_key", "id"),
        Index("customers_parent_id_idx", "parent_id", postgresql_where=text("parent_id is not null")),
        Index("customers_created_at_id_idx", "created_at", "id"),
        by_change("customers"),
        trigram("customers_search_open_idx", "search_open"),
        trigram("customers_search_contact_details_idx", "search_contact_details"),
        CheckConstraint("kind in ('company', 'person')", name="kind"),
        CheckConstraint("parent_id <> id", name="parent"),
    )

    number: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    legal_name: Mapped[str | None] = mapped_column(String(200))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    relations: Mapped[list[Json]] = mapped_column(default=list)
    referred_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    assigned: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str | None] = mapped_column(Text)
    website: Mapped[str | None] = mapped_column(String(500))
    employees: Mapped[int | None]
    annual_revenue: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = mapped_column(String(3))
    annual_revenue_band: Mapped[str | None] = mapped_column(String(50))
    won_channel: Mapped[str | None] = mapped_column(String(50))
    # No foreign key: the lead names its customer with one.
    lead_id: Mapped[UUID | None]
    next_activity_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime | None]
    tags: Mapped[list[str]] = mapped_column(default=list)

    phones: Mapped[list[Json]] = mapped_column(default=list)
    emails: Mapped[list[Json]] = mapped_column(default=list)
    addresses: Mapped[list[Json]] = mapped_column(default=list)
    social_profiles: Mapped[list[Json]] = mapped_column(default=list)
    preferred_channel: Mapped[str | None] = mapped_column(String(50))
    preferred_language: Mapped[str | None] = mapped_column(String(20))
    time_zone: Mapped[str | None] = mapped_column(String(64))

    origin: Mapped[str | None] = mapped_column(String(50))
    origin_detail: Mapped[str | None] = mapped_column(String(200))
    customer_type: Mapped[str | None] = mapped_column(String(50))
    sector: Mapped[str | None] = mapped_column(String(50))
    purchase_potential: Mapped[str | None] = mapped_column(String(50))
    territory: Mapped[str | None] = mapped_column(String(50))
    country: Mapped[str | None] = mapped_column(String(2))
    region: Mapped[str | None] = mapped_column(String(200))
    province: Mapped[str | None] = mapped_column(String(200))
    municipality: Mapped[str | None] = mapped_column(String(200))
    lifecycle_stage: Mapped[str | None] = mapped_column(String(50))
    lifecycle_stage_entered_at: Mapped[datetime | None]
    traits: Mapped[list[Json]] = mapped_column(default=list)

    tax_id: Mapped[str | None] = mapped_column(String(32))
    payment_terms_days: Mapped[int | None] = mapped_column(SmallInteger)
    credit_limit: Mapped[Decimal | None] = money()
    preferred_payment_method: Mapped[str | None] = mapped_column(String(50))

    birth_day: Mapped[int | None] = mapped_column(SmallInteger)
    birth_month: Mapped[int | None] = mapped_column(SmallInteger)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    important_dates: Mapped[list[Json]] = mapped_column(default=list)
    relatives: Mapped[list[Json]] = mapped_column(default=list)
    hobbies: Mapped[list[str]] = mapped_column(default=list)
    rewards: Mapped[list[str]] = mapped_column(default=list)

    search_open: Mapped[str] = mapped_column(Text, default="")
    search_contact_details: Mapped[str] = mapped_column(Text, default="")


class CustomerAssignee(Internal):
    """The only table that reading asks whose a customer is."""

    __tablename__ = "customer_assignees"
    __table_args__ = (
        # Not a key of both: for one customer and many users PostgreSQL would then seek each user.
        Index("customer_assignees_user_id_idx", "user_id", postgresql_include=["customer_id"]),
        CheckConstraint("role in ('owner', 'assignee')", name="role"),
        Index(
            "customer_assignees_besides_owners_idx",
            "user_id",
            "customer_id",
            postgresql_where=text("role is distinct from 'owner'"),
        ),
        Index("customer_assignees_owner_key", "customer_id", unique=True, postgresql_where=text("role = 'owner'")),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str | None] = mapped_column(String(10))


class AssignmentReason(Internal):
    """A record whose owner must be able to open its customer."""

    __tablename__ = "assignment_reasons"
    __table_args__ = (
        # Files write the reasons before the pairs, which others must wait for as briefly as can be.
        ForeignKeyConstraint(
            ["customer_id", "user_id"],
            ["customer_assignees.customer_id", "customer_assignees.user_id"],
            deferrable=True,
        ),
        Index("assignment_reasons_record_id_idx", "record_id"),
    )

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    entity: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
