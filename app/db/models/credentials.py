"""Credentials that are no passwords: the keys that programs come with, and whom OpenID providers know as whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Record


class ApiKey(Record):
    """Of the key itself only its hash is kept. `session_id` is the session that it works in, until that ends."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_hash_key", "hash", unique=True),
        Index("api_keys_session_id_key", "session_id", unique=True),
        Index("api_keys_user_id_idx", "user_id"),
    )

    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime]
    prefix: Mapped[str] = mapped_column(String(20))
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"))
    search_open: Mapped[str] = mapped_column(Text, default="")


class Identity(Internal):
    """Whom a provider means: the subject is its own name for somebody, and never given to another."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "user_id"),)

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
