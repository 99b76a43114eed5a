"""What has been promised to be done, and who holds it now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json, identity


class Job(Internal):
    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'running', 'done', 'failed')", name="state"),
        Index("jobs_pending_key", "kind", "dedupe", unique=True, postgresql_where=text("state = 'pending'")),
        Index("jobs_pending_idx", "run_at", postgresql_where=text("state = 'pending'")),
        Index("jobs_running_idx", "lease_until", postgresql_where=text("state = 'running'")),
        Index("jobs_failed_idx", "id", postgresql_where=text("state = 'failed'")),
        Index("jobs_done_idx", "done_at", postgresql_where=text("state = 'done'")),
    )

    id: Mapped[int] = identity()
    kind: Mapped[str] = mapped_column(String(60))
    dedupe: Mapped[str] = mapped_column(Text)
    payload: Mapped[Json]
    run_as: Mapped[UUID | None]
    run_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
