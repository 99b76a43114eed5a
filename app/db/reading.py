"""How lists, records and pages leave PostgreSQL: a statement's shape compiled once, values bound, JSON made there.

A `Shape` says all that a statement's text depends on and is hashable; `_compiled` turns it into SQL once. What a
profile may not see is not among the shape's columns, so it never leaves the database.
"""

from collections.abc import Iterable, Mapping
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
    and_,
    cast,
    false,
    func,
    lateral,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import NamedFromClause

from app.db import filtering
from app.db.models import table_of
from app.db.models.computed import COMPUTED, instant
from app.db.ordering import Key, after_cursor, in_order, index_for, sort_keys
from app.db.reach import Reach, asks_own_columns, changing, reading
from app.db.statements import Compiled, Statement, answering

ESTIMATE_TO = 10_000
# How many rows of a list are looked through for each that is wanted, before all that match a search are found.
LOOKED_THROUGH = 40


@dataclass(frozen=True, slots=True)
class Shape:
    """One statement: `after` holds, for each sort key of a cursor, whether its value was null.

    archived: live, archived or any rows. words: how many words `q` has, each to be found in one of `searched`; fuzzy:
    they are bound as patterns that allow for one wrong letter; beginning: only the beginning of the list is looked
    through, see `found_early`; scarce: that was not enough. count: exact, or estimate (to 10,000). can: what may be
    done with each row, if asked for: the verbs and what reach each takes, with `can_own` and `can_team` bound.
    """

    entity: str
    reach: Reach | None
    columns: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    sort: tuple[str, ...] = ()
    limit: int = 50
    after: tuple[bool, ...] | None = None
    words: int = 0
    fuzzy: bool = False
    beginning: bool = False
    scarce: bool = False
    searched: tuple[str, ...] = ()
    archived: str = "live"
    count: str | None = None
    can: tuple[tuple[str, Reach], ...] = ()


def statement(shape: Shape, values: Mapping[str, Any]) -> Statement:
    """The SQL of a shape and the values in its order. It answers one row:

    items: the rows as JSON objects joined by commas; found: how many came, one more than `limit` if there are more;
    last: the sort values of the last row as a JSON array of texts; version: of the last row; total: as `count` asked;
    whole: whether no rows were left out of a look at the beginning;
    memory: the version that memory is compared with; in_force: whether session `sid` goes on.
    """
    return _compiled(shape).bound(values)


@lru_cache(maxsize=4096)
def _compiled(shape: Shape) -> Compiled:
    return Compiled.of(_statement(shape), shape.beginning or _index(shape) is not None)


def found_early(shape: Shape) -> bool:
    """Whether a list is worth a look at its beginning first.

    A search: where a row in forty matches, that fills the page, however many match in all. Who sees little would find
    little there. And a list of what is a team's or nobody's: each of the ways to reach it finds its own first rows
    otherwise, and one by which nothing is reached walks through everything, even if another filled the page at once.
    """
    reach = shape.reach
    if shape.fuzzy or shape.count or (reach and reach.level not in ("team", "all")):
        return False
    if not shape.words and (shape.filters or reach is None or not (reach.nobodys or reach.nobodys_customers)):
        return False
    return index_for(table_of(shape.entity), set(), sort_keys(table_of(shape.entity), shape.sort)) is not None


def _index(shape: Shape) -> list[str] | None:
    """The columns of an index that finds just the rows asked for in just their order: one plan is then right for any
    values.

    Of other lists the best plan depends on them: what one owner has is soon found, what most have is soon met with.
    """
    table, asked = table_of(shape.entity), {field for field, operator in shape.filters if operator == "is"}
    if len(asked) < len(shape.filters) or shape.words or shape.count:
        return None
    if asked == {"id"}:
        return ["id"]
    if shape.reach is None or not (shape.reach.level == "all" or shape.reach.owned):
        return None
    return index_for(table, asked, sort_keys(table, shape.sort))


def _leading(shape: Shape) -> str | None:
    """The filter whose one value all rows of the list share, and with which the index that has them begins."""
    index = _index(shape)
    return index[0] if index and (index[0], "is") in shape.filters and index[0] != "id" else None


def _is_owners(shape: Shape) -> bool:
    """Whether the first way to reach the rows is one owner, and an index has what they own in the order of the list."""
    if shape.reach is None or not shape.reach.alone:
        return False
    table, same = table_of(shape.entity), {field for field, operator in shape.filters if operator == "is"}
    keys = sort_keys(table, shape.sort)
    return any(index_for(table, {"owner_id", *fields}, keys) for fields in (same, ()))


def _statement(shape: Shape) -> Select[Any]:
    table = table_of(shape.entity)
    conditions = asked(table, shape)
    branches = reading(table, shape.reach, scarce=shape.scarce) if shape.reach else [literal_column("true")]
    # In the statement's text: a plan made without knowing how few are wanted would sort them all.
    limit = literal_column(str(shape.limit), Integer)
    found = page(table, shape, conditions, branches, literal_column(str(shape.limit + 1), Integer)).subquery("page")
    numbered = select(found, func.row_number().over().label("n")).subquery("numbered")
    within, last = numbered.c.n <= limit, numbered.c.n == limit
    answer = select(
        func.coalesce(
            func.string_agg(numbered.c.item, literal_column("','")).filter(within), literal_column("''")
        ).label("items"),
        func.count().label("found"),
        func.max(numbered.c.place).filter(last).label("last"),
        func.max(numbered.c.version).label("version"),
    ).subquery("answer")
    whole = _is_all(table, shape) if shape.beginning else true()
    return answering(answer, _total(table, shape, conditions, branches).label("total"), whole.label("whole"))


def asked(table: NamedFromClause[Any], shape: Shape) -> list[ColumnElement[bool]]:
    """What a shape asks of its rows, whoever reads them."""
    leading = _leading(shape)
    conditions = [
        filtering.condition(table, field, "leading" if field == leading else operator)
        for field, operator in shape.filters
    ]
    if shape.archived != "any":
        conditions.append(_archived(table) if shape.archived == "archived" else ~_archived(table))
    return conditions + filtering.found(table, shape.searched, shape.words)


def page(
    table: Table,
    shape: Shape,
    conditions: list[ColumnElement[bool]],
    branches: list[ColumnElement[bool]],
    limit: ColumnElement[int],
) -> Select[Any]:
    """The rows in order: item, place, version. Branches are paged apart, so that each has its index."""
    keys = sort_keys(table, shape.sort)
    after = [after_cursor(keys, shape.after)] if shape.after is not None else []
    # On their own: JSON is made of the rows of the page, not of all that are sorted to find them.
    needed = _needed(table, shape, keys)
    if shape.words or shape.beginning:
        # Matched first: beside ORDER BY and LIMIT the planner may walk the order's index through everything instead.
        # What takes another table to answer, whose a match is, is asked only then, one by one until there are enough.
        at_once, then = ([or_(*branches)], []) if asks_own_columns(table, shape.reach) else ([], [or_(*branches)])
        matched = select(*(key.column for key in keys)).where(*at_once, *conditions, *after).order_by(*in_order(keys))
        matches = (_beginning(table, shape) if shape.beginning else matched).offset(0).subquery("matches")
        found = select(*needed).join_from(matches, table, matches.c.id == table.c.id).where(*then)
        rows = found.order_by(*in_order(sort_keys(matches, shape.sort))).limit(limit).subquery(table.name)
    else:
        leading = [_leading(shape)] * len(branches)
        if _is_owners(shape):
            leading[0] = "owner_id"
        orders = [in_order(keys, table.c[name] if name else None) for name in leading]
        parts = [
            select(*needed).where(branch, *conditions, *after).order_by(*order).limit(limit)
            for branch, order in zip(branches, orders, strict=True)
        ]
        rows = parts[0].subquery(table.name)
        if len(parts) > 1:
            source = union_all(*(part.subquery().select() for part in parts)).subquery(table.name)
            rows = select(source).order_by(*in_order(sort_keys(source, shape.sort))).limit(limit).subquery(table.name)
    keys = sort_keys(rows, shape.sort)
    return _select(rows, shape, keys).order_by(*in_order(keys))


def _beginning(table: Table, shape: Shape) -> Select[Any]:
    """What matches among the first rows of a list, whoever reads them."""
    first = _from_cursor(table, shape).limit(_looked_through(shape)).subquery("first")
    keys = sort_keys(first, shape.sort)
    return select(*(key.column for key in keys)).where(*asked(first, shape)).order_by(*in_order(keys))


def _is_all(table: Table, shape: Shape) -> ColumnElement[bool]:
    """Whether no rows come after those that are looked through."""
    return ~_from_cursor(table, shape).offset(_looked_through(shape)).exists()


def _from_cursor(table: Table, shape: Shape) -> Select[Any]:
    keys = sort_keys(table, shape.sort)
    after = [after_cursor(keys, shape.after)] if shape.after is not None else []
    return select(table).where(*after).order_by(*in_order(keys))


def _looked_through(shape: Shape) -> ColumnElement[int]:
    return literal_column(str((shape.limit + 1) * LOOKED_THROUGH), Integer)


def _needed(table: Table, shape: Shape, keys: list[Key]) -> list[ColumnElement[Any]]:
    """The columns that a page is made of: each one more takes time to plan."""
    computed = COMPUTED.get(shape.entity, {}).keys()
    if shape.can or not computed.isdisjoint(shape.columns):
        return list(table.c)
    names = {*shape.columns, "version", *(key.column.name for key in keys)}
    return [column for column in table.c if column.name in names]


def _select(table: NamedFromClause[Any], shape: Shape, keys: list[Key]) -> Select[Any]:
    computed = COMPUTED.get(shape.entity, {})
    shown = [
        (computed[name](table) if name in computed else as_shown(table.c[name])).label(name) for name in shape.columns
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


def as_shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Amounts as decimal strings, instants as RFC 3339 in UTC, the rest as PostgreSQL has it."""
    if isinstance(column.type, Numeric):
        return cast(column, Text)
    if isinstance(column.type, DateTime):
        return instant(column)
    return column


def _total(
    table: Table, shape: Shape, conditions: list[ColumnElement[bool]], branches: list[ColumnElement[bool]]
) -> ColumnElement[Any]:
    if shape.count is None:
        return null()
    # Counted apart, so that each has its index: no row is of two branches.
    found = union_all(*(select(table.c.id).where(branch, *conditions) for branch in branches)).subquery("found")
    rows = select(found.c.id).limit(ESTIMATE_TO if shape.count == "estimate" else None)
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()
