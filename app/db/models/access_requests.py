"""Requests to be let in to a customer that somebody met and does not reach."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json


class AccessRequest(Internal):
    """evidence: what the requester typed, `{email}`, `{phone}`, `{tax_id}` or `{external_id: {entity, system,
    external_id}}`. `customer_id` is the customer that it means, null where there is none: the requester is not told."""

    __tablename__ = "access_requests"
    __table_args__ = (
        CheckConstraint("state in ('open', 'granted', 'refused')", name="state"),
        Index(
            "access_requests_open_key", "requester_id", "evidence", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("access_requests_requester_id_idx", "requester_id", "id"),
        Index("access_requests_customer_id_idx", "customer_id", postgresql_where=text("customer_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    requester_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    evidence: Mapped[Json]
    reason: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    state: Mapped[str] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
