"""Workflows, which say what follows from what, and their runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Json, Record


class Workflow(Record):
    """options: what a company sets. It acts as its owner, without one as the product.

    trigger: {kind: event, event, sources} or {kind: stay, entity}. Those about stays have looked at all that were
    entered before `scanned_to`, which falls back when something could have been missed.
    """

    __tablename__ = "workflows"
    __table_args__ = (Index("workflows_key_key", "key", unique=True, postgresql_where=text("archived_at is null")),)

    key: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    labels: Mapped[Json]
    enabled: Mapped[bool]
    trigger: Mapped[Json]
    options: Mapped[Json]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    # Stays entered up to this do not count: what was due already when it was switched on to start from now.
    since: Mapped[datetime | None]
    scanned_to: Mapped[datetime | None]
    search_open: Mapped[str] = mapped_column(Text, default="")


class WorkflowRun(Record):
    """One episode of one record, handled once: the database refuses a second run of it."""

    __tablename__ = "workflow_runs"
    __table_args__ = (
        CheckConstraint("state in ('done', 'skipped', 'failed')", name="state"),
        Index("workflow_runs_episode_key", "workflow_id", "entity", "record_id", "episode", "repetition", unique=True),
        Index("workflow_runs_workflow_id_id_idx", "workflow_id", "id"),
        Index(
            "workflow_runs_assigned_to_idx",
            "workflow_id",
            "assigned_to",
            "id",
            postgresql_where=text("assigned_to is not null"),
        ),
    )

    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("workflows.id"))
    entity: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[UUID]
    episode: Mapped[str] = mapped_column(String(60))
    repetition: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    assigned_to: Mapped[UUID | None]
    steps: Mapped[Any] = mapped_column(JSONB, server_default=text("'[]'"))
