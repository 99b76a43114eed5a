"""What proves who somebody is beside the password: second factors, links sent by mail, networks they came from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal


class SecondFactor(Internal):
    """`secret` is sealed with a key derived from the company's; `last_step` is the time step of the last code used."""

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None]


class RecoveryCode(Internal):
    """A code that stands in for the second factor once; deleted when it is used."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class PasswordLink(Internal):
    """A link that was mailed, by which its user may set a password once, while the address is theirs; deleted when a
    password is set."""

    __tablename__ = "password_links"
    __table_args__ = (
        Index("password_links_user_id_idx", "user_id"),
        CheckConstraint("purpose in ('reset', 'invitation')", name="purpose"),
    )

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    email: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class KnownNetwork(Internal):
    """From where an account was signed in to; `key` is a hash of both."""

    __tablename__ = "known_networks"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime]
