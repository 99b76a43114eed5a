"""Files to load, and their rows between the file and the records."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Internal, Json, Record


class Import(Record):
    """A file on its way in. It is its owner's, and those whose reach takes in the owner."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state in ('received', 'checking', 'checked', 'loading', 'done', 'failed')", name="state"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    entity: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(255))
    mapping: Mapped[Json]
    options: Mapped[Json]
    state: Mapped[str] = mapped_column(String(20))
    rows: Mapped[int | None]
    counts: Mapped[Json]
    failure: Mapped[str | None] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(String(60))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportFile(Internal):
    __tablename__ = "import_files"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Internal):
    """A row that is still to be loaded, or one that is refused and has `errors`; what became a record is gone.

    `data` is the row as the entity's import model made it, `record_id` the id that it has if it becomes a new record,
    `changes` what the ledger then says of it: the members of a JSON object, without its braces.
    Written only while their import is locked, by the hundred thousand: so no foreign key looks for it again and again.
    """

    __tablename__ = "import_rows"
    # The data is looked at once or twice and then gone: packing and unpacking it takes longer.
    __table_args__ = {"postgresql_with": {"toast_tuple_target": 8160}}

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    data: Mapped[Json | None]
    record_id: Mapped[UUID | None]
    changes: Mapped[str | None] = mapped_column(Text)
    errors: Mapped[list[Json] | None]
