"""What every table has: naming of constraints, types that SQLAlchemy lacks, the two bases `Record` and `Internal`."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, Integer, MetaData, Numeric, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType
from uuid_utils.compat import uuid7

from app import clock

Json = dict[str, Any]


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        Json: JSONB,
        list[Json]: JSONB,
        list[str]: ARRAY(String),
    }


class Internal(Base):
    """A table that no caller reads or writes as rows of an entity; written only in `db/`."""

    __abstract__ = True


class Record(Base):
    """A row that access decides about. `archive_id` names the archiving that took it along, so that restoring can.

    Who made and changed it is filled in from the access at work, never from a body, and users are never deleted: a
    foreign key would only cost, row for row.
    """

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    version: Mapped[int] = mapped_column(Integer, default=1, sort_order=80)
    source: Mapped[str] = mapped_column(String(20), sort_order=81)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=82)
    created_by: Mapped[UUID] = mapped_column(sort_order=83)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=84)
    updated_by: Mapped[UUID] = mapped_column(sort_order=85)
    archived_at: Mapped[datetime | None] = mapped_column(sort_order=86)
    archive_id: Mapped[UUID | None] = mapped_column(sort_order=87)


class _Money(Numeric[Decimal]):
    """Amounts, of which 100 and 100.00 are two: one of them is not in the digits of its currency."""

    cache_ok = True

    def compare_values(self, x: Any, y: Any) -> bool:
        return str(x) == str(y)


def money(nullable: bool = True) -> Mapped[Any]:
    """A column for an amount; the digits of its currency are kept as written."""
    return mapped_column(_Money, nullable=nullable)


def identity() -> Mapped[int]:
    """The bigint key of an internal table."""
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def trigram(name: str, column: str) -> Index:
    """A GIN trigram index with a list of at most 1 MB of what is pending: files load in half the time, and searches
    hardly notice."""
    return Index(
        name,
        column,
        postgresql_using="gin",
        postgresql_ops={column: "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "1024"},
    )


def by_change(table: str) -> Index:
    """Where in the table the records are that changed at some time: the range of times in every 16 pages. Unlike a
    B-tree it lets PostgreSQL (16 and later) write a change that no other index names beside the record, into none."""
    return Index(
        f"{table}_updated_at_idx", "updated_at", postgresql_using="brin", postgresql_with={"pages_per_range": "16"}
    )
