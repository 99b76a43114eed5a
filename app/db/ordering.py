"""In which order does a list come, and what comes after the row that a cursor names?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, Text, and_, bindparam, cast, or_, tuple_


@dataclass(frozen=True, slots=True)
class Key:
    column: ColumnElement[Any]
    descending: bool
    nullable: bool


def sort_keys(table: FromClause, sort: Sequence[str]) -> list[Key]:
    """The sort keys and, last, the id, in the direction of the key before it."""
    keys = []
    for each in sort:
        name = each.lstrip("-")
        column = table.c[f"{name}_key"] if f"{name}_key" in table.c else table.c[name]
        keys.append(Key(column, each.startswith("-"), bool(getattr(column, "nullable", True))))
    return [*keys, Key(table.c.id, keys[-1].descending if keys else True, False)]


def index_for(table: Table, equal: set[str], keys: list[Key]) -> list[str] | None:
    """The columns of an index that has the rows in this order, among those with a given value in each of the columns
    `equal`; None if there is no such index."""
    if any(key.nullable for key in keys) or len({key.descending for key in keys}) > 1:
        return None
    order = [key.column.name for key in keys]
    whole = [index for index in table.indexes if index.dialect_options["postgresql"]["where"] is None]
    indexed = [[column.name for column in index.columns] for index in whole] + [["id"]]
    fitting = (
        names
        for names in indexed
        if set(names[: len(equal)]) == equal and names[len(equal) : len(equal) + len(order)] == order
    )
    return next(fitting, None)


def in_order(keys: list[Key], led_by: ColumnElement[Any] | None = None) -> list[ColumnElement[Any]]:
    """What has no value comes last both ways; said so that an index can follow, which ascends like this by itself.

    led_by: a column with one value in all rows, first in the index that is to be followed.
    """
    order: list[ColumnElement[Any]] = []
    if led_by is not None:
        order.append(led_by.desc() if keys[0].descending else led_by.asc())
    for key in keys:
        direction = key.column.desc() if key.descending else key.column.asc()
        order.append(direction.nulls_last() if key.nullable else direction)
    return order


def after_cursor(keys: list[Key], nulls: tuple[bool, ...]) -> ColumnElement[bool]:
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
