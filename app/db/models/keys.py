"""By what else a record is known: other systems' ids, and keys by which two records are found to be one."""

from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal


class ExternalId(Internal):
    __tablename__ = "external_ids"
    __table_args__ = (Index("external_ids_record_id_idx", "record_id"),)

    entity: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(50), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    record_id: Mapped[UUID]


class MatchKey(Internal):
    """A normalised e-mail, phone, tax id, domain or name; several records may share one."""

    __tablename__ = "match_keys"
    __table_args__ = (Index("match_keys_record_id_idx", "record_id"),)

    entity: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
