"""What a company sets up for itself: picklists with options, pipelines with stages, settings."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json, Record


class Picklist(Record):
    __tablename__ = "picklists"
    __table_args__ = (UniqueConstraint("key"),)

    key: Mapped[str] = mapped_column(String(50))
    labels: Mapped[Json]
    multiple: Mapped[bool]


class Option(Internal):
    """`about` holds what only some options have: a band's limits, an outcome's result."""

    __tablename__ = "options"

    picklist_id: Mapped[UUID] = mapped_column(ForeignKey("picklists.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    labels: Mapped[Json]
    position: Mapped[int] = mapped_column(SmallInteger)
    active: Mapped[bool]
    replaced_by: Mapped[str | None] = mapped_column(String(50))
    about: Mapped[Json]


class Pipeline(Record):
    __tablename__ = "pipelines"
    __table_args__ = (
        Index(
            "pipelines_default_key",
            "entity",
            unique=True,
            postgresql_where=text('"default" and archived_at is null'),
        ),
    )

    entity: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(50), unique=True)
    labels: Mapped[Json]
    default: Mapped[bool]


class Stage(Internal):
    __tablename__ = "stages"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "key", "kind"),
        CheckConstraint("kind in ('open', 'won', 'lost')", name="kind"),
        CheckConstraint("probability between 0 and 100", name="probability"),
    )

    pipeline_id: Mapped[UUID] = mapped_column(ForeignKey("pipelines.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(50), primary_key=True)
    labels: Mapped[Json]
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(String(10))
    probability: Mapped[int] = mapped_column(SmallInteger)
    required_fields: Mapped[list[str]]
    allowed_next: Mapped[list[str]]
    expected_days: Mapped[int | None]
    retired: Mapped[bool]
    replaced_by: Mapped[str | None] = mapped_column(String(50))


class Setting(Internal):
    """The company's settings: one row."""

    __tablename__ = "settings"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(default=1)
    company_name: Mapped[str | None] = mapped_column(String(200))
    legal_name: Mapped[str | None] = mapped_column(String(200))
    tax_id: Mapped[str | None] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    time_zone: Mapped[str] = mapped_column(String(64))
    languages: Mapped[list[str]]
    business_hours: Mapped[list[Json]]
    holidays: Mapped[Any] = mapped_column(JSONB)
    customer_number_prefix: Mapped[str] = mapped_column(String(10))
    minimum_information: Mapped[Json]
