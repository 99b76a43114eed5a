"""Which records do the rows of a file mean, and which may they not become?

Everything is within the caller's reach: what lies beyond it is as if it were not there, save that a unique value is
taken.
"""

from typing import Any

from sqlalchemy import (
    Index,
    Select,
    Text,
    Uuid,
    case,
    cast,
    distinct,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of
from app.db.models.keys import ExternalId, MatchKey
from app.db.queries.import_rows import INCOMING
from app.db.reach import Reach, changing, reading

# Columns in which a key is kept as it is compared; other keys are among the match keys.
KEPT_IN = {
    ("users", "name"): "name_key",
    ("users", "username"): "username_key",
    ("customers", "name"): "name_key",
    ("customers", "number"): "number",
    ("products", "name"): "name_key",
    ("products", "sku"): "sku",
}


def candidates(entity: str, by: str, system: str | None, reach: Reach) -> Select[Any]:
    """The records that the caller reads, by one of their keys: `key`, `id` and `archived`."""
    table = table_of(entity)
    live = table.c.archived_at.is_(None)
    within = or_(*reading(table, reach))
    if by == "id":
        return select(cast(table.c.id, Text).label("key"), table.c.id, (~live).label("archived")).where(live, within)
    if (entity, by) in KEPT_IN:
        key = table.c[KEPT_IN[entity, by]]
        return select(key.label("key"), table.c.id, (~live).label("archived")).where(live, within)
    if (entity, by) == ("users", "email"):
        return select(func.lower(table.c.email).label("key"), table.c.id, (~live).label("archived")).where(live, within)
    if by == "external_id":
        ids = ExternalId.__table__
        return (
            select(ids.c.external_id.label("key"), table.c.id, (~live).label("archived"))
            .join(table, table.c.id == ids.c.record_id)
            .where(ids.c.entity == entity, ids.c.system == system, within)
        )
    keys = MatchKey.__table__
    return (
        select(keys.c.key.label("key"), table.c.id, (~live).label("archived"))
        .join(table, table.c.id == keys.c.record_id)
        .where(keys.c.entity == entity, keys.c.kind == by, live, within)
    )


async def match(
    session: AsyncSession,
    entity: str,
    match_on: str,
    system: str | None,
    read: Reach,
    change: Reach,
    bound: dict[str, Any],
) -> None:
    """Give each row the record that it means, and refuse rows that mean more than one, or one that may not be changed.

    bound: the users reached for reading (`reached`) and for changing (`changing`).
    """
    known = candidates(entity, match_on, system, read).subquery("known")
    table = table_of(entity)
    found = (
        select(
            INCOMING.c.row,
            cast(func.min(cast(known.c.id, Text)), Uuid).label("id"),
            func.count(distinct(known.c.id)).label("times"),
            func.bool_or(known.c.archived).label("archived"),
        )
        .join(known, known.c.key == INCOMING.c.key)
        .group_by(INCOMING.c.row)
        .subquery("found")
    )
    wrong = case(
        (found.c.times > 1, error_of("ambiguous", "More than one record has this key")),
        (found.c.archived, error_of("archived", "The record is archived; restore it first")),
    )
    await session.execute(
        update(INCOMING).where(INCOMING.c.row == found.c.row).values(record_id=found.c.id, is_new=False, errors=wrong),
        bound,
    )
    may = exists().where(table.c.id == INCOMING.c.record_id, changing(table, change))
    await refuse_where(
        session, [~INCOMING.c.is_new, ~may], error_of("forbidden", "You may not change this record"), bound
    )
    numbered = (
        select(
            INCOMING.c.row,
            func.row_number().over(partition_by=INCOMING.c.record_id, order_by=INCOMING.c.row).label("n"),
        )
        .where(~INCOMING.c.is_new)
        .subquery("numbered")
    )
    again = select(numbered.c.row).where(numbered.c.n > 1)
    await refuse_where(
        session, [INCOMING.c.row.in_(again)], error_of("duplicate", "An earlier row is the same record"), {}
    )


async def refuse_incomplete(session: AsyncSession) -> None:
    """Rows that would be new and say too little for that."""
    lacks = INCOMING.c.data["lacks"]
    await refuse_where(session, [INCOMING.c.is_new, func.jsonb_array_length(lacks) > 0], lacks, {})


async def refuse_taken(session: AsyncSession, entity: str, system: str | None, names: set[str]) -> None:
    """Rows with a value that must be unique and that another record has, or an earlier row of the file."""
    if system is not None:
        ids = ExternalId.__table__
        taken = exists().where(
            ids.c.entity == entity,
            ids.c.system == system,
            ids.c.external_id == INCOMING.c.external_id,
            ids.c.record_id != INCOMING.c.record_id,
        )
        await refuse_where(session, [taken], error_of("taken", "This external id is taken", "external_id"), {})
        await _refuse_repeated(session, INCOMING.c.external_id, "external_id")
    table = table_of(entity)
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        column = _unique_column(index)
        if column is None or column.removesuffix("_key") not in names:
            continue
        other = table.alias("other")
        value = INCOMING.c.data["values"][column].astext
        of_others = [other.c[column] == value, other.c.id != INCOMING.c.record_id]
        if index.dialect_options["postgresql"]["where"] is not None:
            of_others.append(other.c.archived_at.is_(None))
        field = column.removesuffix("_key")
        await refuse_where(
            session, [exists().where(*of_others)], error_of("duplicate", "Another record has this value", field), {}
        )
        await _refuse_repeated(session, value, field)


def _unique_column(index: Index) -> str | None:
    columns = [column.name for column in index.columns]
    return columns[0] if index.unique and len(columns) == 1 else None


async def _refuse_repeated(session: AsyncSession, value: Any, field: str) -> None:
    numbered = (
        select(INCOMING.c.row, func.row_number().over(partition_by=value, order_by=INCOMING.c.row).label("n"))
        .where(value.is_not(None), INCOMING.c.errors.is_(None))
        .subquery("numbered")
    )
    again = select(numbered.c.row).where(numbered.c.n > 1)
    await refuse_where(
        session, [INCOMING.c.row.in_(again)], error_of("duplicate", "An earlier row has this value", field), {}
    )


async def refuse_where(session: AsyncSession, conditions: list[Any], errors: Any, bound: dict[str, Any]) -> None:
    """Refuse the rows of which all conditions are true."""
    await session.execute(update(INCOMING).where(INCOMING.c.errors.is_(None), *conditions).values(errors=errors), bound)


def error_of(code: str, message: str, field: str | None = None) -> Any:
    """An error of the row at hand; which column it comes from is filled in when it is shown."""
    one = func.jsonb_build_object(
        "row", INCOMING.c.row, "field", cast(field, Text), "code", cast(code, Text), "message", cast(message, Text)
    )
    return func.jsonb_build_array(one)
