"""The filters and searches of a list as SQL, their values bound by name."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, any_, bindparam, false, or_
from sqlalchemy.dialects.postgresql import array


def found(table: FromClause, searched: Iterable[str], words: int) -> list[ColumnElement[bool]]:
    """For each word of `q`, that it stands in one of the groups' search texts. Bound: `word_<n>`, patterns."""
    conditions = []
    for word in range(words):
        patterns = bindparam(f"word_{word}", type_=ARRAY(Text()))
        conditions.append(or_(false(), *(table.c[f"search_{group}"].like(any_(patterns)) for group in searched)))
    return conditions


def condition(table: FromClause, field: str, operator: str) -> ColumnElement[bool]:
    """What a filter asks for, such as `("sector", "any")`. Bound: `<field>__<operator>`.

    `is` is `any` with one value: an index in the order of the list can then be read in that order. `leading` is `is`
    for the first column of an index that is to be followed, where the rows are also ordered by that column: PostgreSQL
    does not see that they share it, and so it does not walk through everything in the order of the rest to find them.
    """
    column, name = table.c[field], f"{field}__{operator}"
    if operator == "leading":
        return column == any_(array([bindparam(f"{field}__is", type_=column.type)]))
    if operator == "is":
        return column == bindparam(name, type_=column.type)
    if operator == "is_null":
        return column.is_(None) == bindparam(name)
    if isinstance(column.type, ARRAY):
        values = bindparam(name, type_=column.type)
        if operator == "all":
            return column.contains(values)
        overlap: ColumnElement[bool] = column.overlap(values)
        return overlap if operator == "any" else ~overlap
    if operator in ("any", "ne"):
        values = bindparam(name, type_=ARRAY(column.type))
        given = column == any_(values)
        return given if operator == "any" else or_(column.is_(None), ~given)
    value = bindparam(name, type_=column.type)
    match operator:
        case "gt":
            return column > value
        case "gte":
            return column >= value
        case "lt":
            return column < value
        case "lte":
            return column <= value
    pattern = bindparam(name, type_=Text)
    return table.c[f"{field}_key"].like(pattern) if f"{field}_key" in table.c else column.ilike(pattern)
