"""A statement that is compiled once and answers, beside its rows, whether the access it was made with still holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, exists, literal_column, or_, select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from app.db.models import table_of
from app.db.models.sessions import Session
from app.db.reach import Reach, reading
from app.db.vocabulary import VERSION

DIALECT = dialect()  # type: ignore[no-untyped-call]


class Statement(NamedTuple):
    """What is run: SQL and its values in order. planned_once: see `session.reading_pool`."""

    sql: str
    values: list[Any]
    planned_once: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text, the names of its values in order, and those values that are part of its shape.

    planned_once: see `session.reading_pool`.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    planned_once: bool

    @classmethod
    def of(cls, statement: Select[Any], planned_once: bool = False) -> "Compiled":
        compiled = statement.compile(dialect=DIALECT)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), tuple(compiled.positiontup or ()), constants, planned_once)

    def bound(self, values: Mapping[str, Any]) -> Statement:
        arguments = [values[name] if name in values else self.constants[name] for name in self.names]
        return Statement(self.sql, arguments, self.planned_once)


def answering(*columns: Any) -> Select[Any]:
    """A statement that answers these and, beside them, whether the access it was made with still holds:
    memory and in_force."""
    return select(*columns, version_in_memory().label("memory"), in_force().label("in_force"))


def reached(entity: str, reach: Reach) -> ColumnElement[bool]:
    """Whether the record bound as `id` is reached."""
    table = table_of(entity)
    return exists(select(table.c.id).where(table.c.id == bindparam("id", type_=Uuid()), or_(*reading(table, reach))))


def in_force() -> ColumnElement[bool]:
    """Whether the session bound as `sid` has not ended."""
    sid = bindparam("sid", type_=Uuid())
    return exists().where(Session.id == sid, Session.ended_at.is_(None))


def version_in_memory() -> ColumnElement[str]:
    """What a process's memory of access and vocabulary is compared with, by inequality."""
    return literal_column(VERSION, Text())
