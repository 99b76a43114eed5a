"""How lists, records and pages leave PostgreSQL: a statement's shape compiled once, values bound, JSON made there.

A `Shape` says all that a statement's text depends on and is hashable; `_compiled` turns it into SQL once. What a
profile may not see is not among the shape's columns, so it never leaves the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Numeric,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    lateral,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.selectable import NamedFromClause

from app.db import filtering
from app.db.models import table_of
from app.db.models.computed import COMPUTED
from app.db.models.sessions import Session
from app.db.models.users import Version
from app.db.reach import Reach, changing, reading

DIALECT = dialect()  # type: ignore[no-untyped-call]
ESTIMATE_TO = 10_000


@dataclass(frozen=True, slots=True)
class Shape:
    """One statement: `after` holds, for each sort key of a cursor, whether its value was null.

    archived: live, archived or any rows. words: how many words `q` has, each to be found in one of `searched`; fuzzy:
    they are bound as patterns that allow for one wrong letter. count: exact, or estimate (to 10,000). can: what may
    be done with each row, if asked for: the verbs and what reach each takes, with `can_own` and `can_team` bound.
    """

    entity: str
    reach: Reach | None
    columns: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    sort: tuple[str, ...] = ()
    after: tuple[bool, ...] | None = None
    words: int = 0
    fuzzy: bool = False
    searched: tuple[str, ...] = ()
    archived: str = "live"
    count: str | None = None
    can: tuple[tuple[str, Reach], ...] = ()


def statement(shape: Shape, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL of a shape and the values in its order. It answers one row:

    items: the rows as JSON objects joined by commas; found: how many came, one more than `limit` if there are more;
    last: the sort values of the last row as a JSON array of texts; version: of the last row; total: as `count` asked;
    memory: the version that memory is compared with; in_force: whether session `sid` goes on.
    """
    return _compiled(shape).bound(values)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text, the names of its values in order, and those values that are part of its shape."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    @classmethod
    def of(cls, statement: Select[Any]) -> "Compiled":
        compiled = statement.compile(dialect=DIALECT)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), tuple(compiled.positiontup or ()), constants)

    def bound(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        return self.sql, [values[name] if name in values else self.constants[name] for name in self.names]


@lru_cache(maxsize=4096)
def _compiled(shape: Shape) -> Compiled:
    return Compiled.of(_statement(shape))


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
    return select(
        func.string_agg(cast(Version.xid, Text), aggregate_order_by(literal_column("' '"), Version.name))
    ).scalar_subquery()


def _statement(shape: Shape) -> Select[Any]:
    table = table_of(shape.entity)
    conditions = [filtering.condition(table, field, operator) for field, operator in shape.filters]
    if shape.archived != "any":
        conditions.append(_archived(table) if shape.archived == "archived" else ~_archived(table))
    conditions += filtering.found(table, shape.searched, shape.words)
    branches = reading(table, shape.reach) if shape.reach else [literal_column("true")]
    page = _page(table, shape, conditions, branches).subquery("page")
    numbered = select(page, func.row_number().over().label("n")).subquery("numbered")
    within = numbered.c.n <= bindparam("limit", type_=Integer)
    last = numbered.c.n == bindparam("limit", type_=Integer)
    answer = select(
        func.coalesce(func.string_agg(numbered.c.item, ",").filter(within), "").label("items"),
        func.count().label("found"),
        func.max(numbered.c.place).filter(last).label("last"),
        func.max(numbered.c.version).label("version"),
    ).subquery("answer")
    return answering(answer, _total(table, shape, conditions, branches).label("total"))


def _page(
    table: Table, shape: Shape, conditions: list[ColumnElement[bool]], branches: list[ColumnElement[bool]]
) -> Select[Any]:
    """The rows in order, one more than asked for. Branches are paged apart, so that each has its index."""
    keys = _sort_keys(table, shape.sort)
    after = [_after(keys, shape.after)] if shape.after is not None else []
    limit = bindparam("limit", type_=Integer) + 1
    wanted = [branches[0], *conditions, *after]
    source: FromClause = table
    if shape.words:
        # Matched first and whole: beside ORDER BY and LIMIT the planner may walk the order's index instead.
        source = select(table).where(or_(*branches), *conditions).offset(0).subquery(table.name)
        keys = _sort_keys(source, shape.sort)
        wanted = [_after(keys, shape.after)] if shape.after is not None else []
    elif len(branches) > 1:
        parts = [
            select(table.c.id).where(branch, *conditions, *after).order_by(*_order(keys)).limit(limit).subquery()
            for branch in branches
        ]
        wanted = [table.c.id.in_(union_all(*(select(part.c.id) for part in parts)))]
    # On their own: JSON is made of the rows of the page, not of all that are sorted to find them.
    rows = select(source).where(*wanted).order_by(*_order(keys)).limit(limit).subquery(table.name)
    keys = _sort_keys(rows, shape.sort)
    return _select(rows, shape, keys).order_by(*_order(keys))


def _select(table: NamedFromClause[Any], shape: Shape, keys: list["_Key"]) -> Select[Any]:
    computed = COMPUTED.get(shape.entity, {})
    shown = [
        (computed[name](table) if name in computed else _shown(table.c[name])).label(name) for name in shape.columns
    ]
    if shape.can:
        shown.append(_can(table, shape.can).label("can"))
    item = lateral(select(*shown).correlate(table)).alias("item")
    texts = [cast(key.column, Text) for key in keys]
    return select(
        cast(func.row_to_json(literal_column("item")), Text).label("item"),
        cast(func.json_build_array(*texts), Text).label("place"),
        table.c.version.label("version"),
    ).select_from(table, item)


def _can(table: NamedFromClause[Any], verbs: Iterable[tuple[str, Reach]]) -> ColumnElement[Any]:
    """verb → whether the caller may do that with the record as it is."""
    said: list[ColumnElement[Any]] = []
    for verb, reach in verbs:
        conditions = [changing(table, reach, f"can_{reach.level}")]
        conditions.append(_archived(table) if verb == "restore" else ~_archived(table))
        if verb == "claim" and reach.level is not None:
            conditions.append(table.c.owner_id.is_(None))
        said += [literal_column(f"'{verb}'"), func.coalesce(and_(*conditions), false())]
    return func.json_build_object(*said)


def _archived(table: FromClause) -> ColumnElement[bool]:
    return table.c.archived_at.is_not(None)


def _shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Amounts as decimal strings, instants as RFC 3339 in UTC, the rest as PostgreSQL has it."""
    if isinstance(column.type, Numeric):
        return cast(column, Text)
    if isinstance(column.type, DateTime):
        return instant(column)
    return column


def instant(column: ColumnElement[Any]) -> ColumnElement[str]:
    """RFC 3339 in UTC, which is the time zone of every connection."""
    return func.to_char(column, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


@dataclass(frozen=True, slots=True)
class _Key:
    column: ColumnElement[Any]
    descending: bool
    nullable: bool


def _sort_keys(table: FromClause, sort: Sequence[str]) -> list[_Key]:
    """The sort keys and, last, the id, in the direction of the key before it."""
    keys = []
    for each in sort:
        name = each.lstrip("-")
        column = table.c[f"{name}_key"] if f"{name}_key" in table.c else table.c[name]
        keys.append(_Key(column, each.startswith("-"), bool(getattr(column, "nullable", True))))
    return [*keys, _Key(table.c.id, keys[-1].descending if keys else True, False)]


def _order(keys: list[_Key]) -> list[ColumnElement[Any]]:
    order: list[ColumnElement[Any]] = []
    for key in keys:
        if key.nullable:
            order.append(key.column.is_(None))
        order.append(key.column.desc() if key.descending else key.column.asc())
    return order


def _after(keys: list[_Key], nulls: tuple[bool, ...]) -> ColumnElement[bool]:
    """Rows after the cursor's. A run of keys in one direction is compared as a row, which an index can seek."""
    values = [cast(bindparam(f"after_{i}", type_=Text), key.column.type) for i, key in enumerate(keys)]
    if not any(key.nullable for key in keys) and len({key.descending for key in keys}) == 1:
        row, bound = tuple_(*(key.column for key in keys)), tuple_(*values)
        return row < bound if keys[0].descending else row > bound

    def rest(i: int) -> ColumnElement[bool]:
        key, value = keys[i], values[i]
        further = key.column < value if key.descending else key.column > value
        if i == len(keys) - 1:
            return further
        if nulls[i]:
            return and_(key.column.is_(None), rest(i + 1))
        beyond = or_(further, and_(key.column == value, rest(i + 1)))
        return or_(key.column.is_(None), beyond) if key.nullable else beyond

    return rest(0)


def _total(
    table: Table, shape: Shape, conditions: list[ColumnElement[bool]], branches: list[ColumnElement[bool]]
) -> ColumnElement[Any]:
    if shape.count is None:
        return null()
    # Counted apart, so that each has its index: no row is of two branches.
    found = union_all(*(select(table.c.id).where(branch, *conditions) for branch in branches)).subquery("found")
    rows = select(found.c.id).limit(ESTIMATE_TO if shape.count == "estimate" else None)
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()
