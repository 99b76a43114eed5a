"""The ledger of every change, and the stays of records in their stages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json, Xid8, identity


class Event(Internal):
    __tablename__ = "events"
    __table_args__ = (
        Index("events_customer_id_occurred_at_id_idx", "customer_id", "occurred_at", "id"),
        Index("events_record_id_version_idx", "record_id", "version"),
    )

    id: Mapped[int] = identity()
    xid: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(60))
    entity: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID]
    version: Mapped[int]
    customer_id: Mapped[UUID | None]
    changes: Mapped[Json]
    actor: Mapped[UUID]
    run_as: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(String(20))
    operation_id: Mapped[UUID]
    caused_by: Mapped[int | None] = mapped_column(BigInteger)


class StageStay(Internal):
    """One episode of a record in a stage; it ends when `left_at` is set."""

    __tablename__ = "stage_stays"
    __table_args__ = (
        Index("stage_stays_open_key", "record_id", "field", unique=True, postgresql_where=text("left_at is null")),
        Index(
            "stage_stays_due_idx",
            "pipeline_id",
            "stage",
            "entered_at",
            postgresql_where=text("field = 'stage' and left_at is null"),
        ),
        Index("stage_stays_record_id_idx", "record_id", "field", "entered_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entity: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(40))
    pipeline_id: Mapped[UUID | None]
    stage: Mapped[str] = mapped_column(String(50))
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    by: Mapped[UUID]
    note: Mapped[str | None]
    source: Mapped[str] = mapped_column(String(20))
