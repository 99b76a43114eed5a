"""Who is signed in, and the answers kept for repeated requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from app.db.base import Internal, Json


class Session(Internal):
    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_user_id_idx", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user_agent: Mapped[str | None]
    # Signed in by a provider, which asks for second factors itself.
    by_provider: Mapped[bool] = mapped_column(default=False, server_default=false())


class RefreshToken(Internal):
    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("refresh_tokens_session_id_idx", "session_id"),)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"))
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]


class SignInAttempt(Internal):
    """How often a name or an address was tried in a window that ends; `key` is a hash."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    ends_at: Mapped[datetime]
    count: Mapped[int]


class IdempotencyKey(Internal):
    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("idempotency_keys_created_at_idx", "created_at"),
        CheckConstraint("length(key) between 1 and 255", name="key"),
    )

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(String(10), primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[Json | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
