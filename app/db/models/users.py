"""Users, the profiles that say what they may do, their policies, and whom each of them reaches."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Internal, Json, Record, Xid8, identity, trigram

# The system user, as a default of the database.
PLANTED_BY = "'00000000-0000-7000-8000-000000000000'"


class User(Record):
    __tablename__ = "users"
    __table_args__ = (
        Index("users_username_key", "username_key", unique=True),
        Index("users_name_key_id_idx", "name_key", "id"),
        Index("users_manager_id_idx", "manager_id"),
        trigram("users_search_open_idx", "search_open"),
        CheckConstraint("not service or password_hash is null", name="service"),
    )

    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    department: Mapped[str | None]
    active: Mapped[bool]
    service: Mapped[bool] = mapped_column(default=False, server_default=false())
    username: Mapped[str] = mapped_column(String(200))
    username_key: Mapped[str] = mapped_column(Text(collation="C"))
    email: Mapped[str | None] = mapped_column(String(254))
    profile_id: Mapped[str] = mapped_column(ForeignKey("profiles.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    absence: Mapped[Json | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    search_open: Mapped[str] = mapped_column(Text, default="")
    password_hash: Mapped[str | None] = mapped_column(Text)


class Profile(Base):
    """Where nothing else is said, the product planted it."""

    __tablename__ = "profiles"

    id: Mapped[str] = mapped_column(String(50), primary_key=True)
    labels: Mapped[Json]
    second_factor_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[UUID] = mapped_column(server_default=text(PLANTED_BY))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[UUID] = mapped_column(server_default=text(PLANTED_BY))


class Policy(Base):
    """One Casbin rule: `p` a permission, `g` one profile inheriting another."""

    __tablename__ = "policies"
    __table_args__ = (
        UniqueConstraint("kind", "subject", "section", "action", "field_group", "scope"),
        CheckConstraint("kind in ('p', 'g')", name="kind"),
        CheckConstraint("subject <> '' and section <> ''", name="filled"),
        CheckConstraint(
            "case kind when 'g' then action = '' and field_group = '' and scope = ''"
            " else action <> '' and field_group <> '' and"
            " case field_group when 'open' then scope in ('own', 'team', 'all') else scope = '-' end end",
            name="shape",
        ),
    )

    id: Mapped[int] = identity()
    kind: Mapped[str]
    subject: Mapped[str]
    section: Mapped[str]
    action: Mapped[str] = mapped_column(default="")
    field_group: Mapped[str] = mapped_column(default="")
    scope: Mapped[str] = mapped_column(default="")


class UserReach(Internal):
    """For good from -infinity to infinity, for a substitute on the days of the absence."""

    __tablename__ = "user_reach"
    __table_args__ = (CheckConstraint("via in ('self', 'team', 'substitute')", name="via"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    reached_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    via: Mapped[str] = mapped_column(primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    until_on: Mapped[date]


class Version(Internal):
    """`access` and `vocabulary`: the transaction that last changed what processes keep in memory."""

    __tablename__ = "versions"

    name: Mapped[str] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8)
