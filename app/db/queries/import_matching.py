"""Which records do the rows of a file mean, and which may they not become?

Everything is within the caller's reach: what lies beyond it is as if it were not there, save that a unique value is taken.
"""

from typing import Any

from sqlalchemy import (
    Index,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of
from app.db.models.keys import ExternalId, MatchKey
from app.db.queries.import_rows import INCOMING, NAMED
from app.db.reach import Reach, changing, reading

# Columns in which a key is kept as it is compared; other keys are among the match keys.
_KEPT_IN = {
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
    if (entity, by) in _KEPT_IN:
        key = table.c[_KEPT_IN[entity, by]]
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
        (found.c.times > 1, _error("ambiguous", "More than one record has this key")),
        (found.c.archived, _error("archived", "The record is archived; restore it first")),
    )
    await session.execute(
        update(INCOMING).where(INCOMING.c.row == found.c.row).values(record_id=found.c.id, is_new=False, errors=wrong),
        bound,
    )
    may = exists().where(table.c.id == INCOMING.c.record_id, changing(table, change))
    await _refuse(session, [~INCOMING.c.is_new, ~may], _error("forbidden", "You may not change this record"), bound)
    numbered = (
        select(
            INCOMING.c.row,
            func.row_number().over(partition_by=INCOMING.c.record_id, order_by=INCOMING.c.row).label("n"),
        )
        .where(~INCOMING.c.is_new)
        .subquery("numbered")
    )
    again = select(numbered.c.row).where(numbered.c.n > 1)
    await _refuse(session, [INCOMING.c.row.in_(again)], _error("duplicate", "An earlier row is the same record"), {})


async def refuse_incomplete(session: AsyncSession) -> None:
    """Rows that would be new and say too little for that."""
    lacks = INCOMING.c.data["lacks"]
    await _refuse(session, [INCOMING.c.is_new, func.jsonb_array_length(lacks) > 0], lacks, {})


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
        await _refuse(session, [taken], _error("taken", "This external id is taken", "external_id"), {})
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
        await _refuse(
            session, [exists().where(*of_others)], _error("duplicate", "Another record has this value", field), {}
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
    await _refuse(session, [INCOMING.c.row.in_(again)], _error("duplicate", "An earlier row has this value", field), {})


async def name(
    session: AsyncSession,
    field: str,
    item: str | None,
    entity: str,
    by: str,
    system: str | None,
    reach: Reach,
    bound: dict[str, Any],
    own: bool,
) -> None:
    """Find the records that one field of the rows names, into `named`. own: rows of the file may be meant too."""
    said = _said(field, item).subquery("said")
    wanted = (
        select(said.c.key, func.min(said.c.said).label("said"))
        .where(said.c.key.is_not(None))
        .group_by(said.c.key)
        .subquery("wanted")
    )
    known = candidates(entity, by, system, reach)
    there = select(known.subquery("there")).where(~literal_column("archived"))
    sources = [
        select(
            there.subquery("r").c.key,
            literal_column("r.id").label("id"),
            cast(null(), INCOMING.c.row.type).label("row"),
        )
    ]
    if own and (mine := _own_key(entity, by)) is not None:
        sources.append(
            select(
                mine.label("key"),
                INCOMING.c.record_id.label("id"),
                case((INCOMING.c.is_new, INCOMING.c.row)).label("row"),
            )
        )
    meant = union_all(*sources).subquery("meant")
    counted = (
        select(
            literal(field if item is None else f"{field}.{item}").label("field"),
            wanted.c.key,
            func.min(wanted.c.said),
            cast(func.min(cast(meant.c.id, Text)), Uuid),
            func.count(distinct(meant.c.id)),
            func.min(meant.c.row),
        )
        .select_from(wanted.outerjoin(meant, meant.c.key == wanted.c.key))
        .group_by(wanted.c.key)
    )
    await session.execute(
        insert(NAMED).from_select(["field", "key", "said", "record_id", "times", "file_row"], counted), bound
    )


def _said(field: str, item: str | None) -> Select[Any]:
    """Row, key and text of what a field of the rows names."""
    if item is None:
        pair = INCOMING.c.data["named"][field]
        return select(INCOMING.c.row, pair[0].astext.label("key"), pair[1].astext.label("said")).where(
            INCOMING.c.errors.is_(None)
        )
    each = func.jsonb_array_elements(INCOMING.c.data["items"][field]).table_valued("value").lateral("each")
    pair = func.jsonb_extract_path(literal_column("each.value"), item)
    return (
        select(
            INCOMING.c.row,
            func.jsonb_extract_path_text(pair, "0").label("key"),
            func.jsonb_extract_path_text(pair, "1").label("said"),
        )
        .select_from(INCOMING.join(each, true()))
        .where(INCOMING.c.errors.is_(None))
    )


def _own_key(entity: str, by: str) -> Any:
    if by == "external_id":
        return INCOMING.c.external_id
    column = _KEPT_IN.get((entity, by))
    return INCOMING.c.data["values"][column].astext if column and by != "number" else None


async def unresolved(session: AsyncSession, field: str) -> list[tuple[str, str, int]]:
    """Key, text and how many records are meant, of what a field names and is not one record."""
    query = select(NAMED.c.key, NAMED.c.said, NAMED.c.times).where(NAMED.c.field == field, NAMED.c.times != 1)
    return [(row.key, row.said, row.times) for row in await session.execute(query)]


async def rows_naming(session: AsyncSession, field: str, item: str | None, keys: list[str]) -> list[tuple[int, str]]:
    """The rows that name one of the keys, with the key."""
    said = _said(field, item).subquery("said")
    query = select(said.c.row, said.c.key).where(said.c.key.in_(keys)).distinct()
    return [(row.row, row.key) for row in await session.execute(query)]


async def names_in_reach(
    session: AsyncSession, entity: str, column: str, reach: Reach, bound: dict[str, Any], limit: int
) -> list[str]:
    """What records in use are called, as far as the caller sees them."""
    table = table_of(entity)
    shown = table.c[column]
    query = (
        select(shown).where(table.c.archived_at.is_(None), shown.is_not(None), or_(*reading(table, reach))).limit(limit)
    )
    return list(await session.scalars(query, bound))


async def edges(session: AsyncSession, entity: str, field: str) -> tuple[dict[Any, Any], dict[Any, int]]:
    """Which record points to which by a field, as it would become, and the rows that say so."""
    table = table_of(entity)
    pointing = {
        row.id: row.to
        for row in await session.execute(
            select(table.c.id, table.c[field].label("to")).where(table.c[field].is_not(None))
        )
    }
    query = (
        select(INCOMING.c.record_id, INCOMING.c.row, NAMED.c.record_id.label("to"))
        .join(NAMED, and_(NAMED.c.field == field, NAMED.c.key == INCOMING.c.data["named"][field][0].astext))
        .where(INCOMING.c.errors.is_(None))
    )
    rows = {}
    for row in await session.execute(query):
        pointing[row.record_id] = row.to
        rows[row.record_id] = row.row
    return pointing, rows


async def refuse_followers(session: AsyncSession, field: str) -> None:
    """Rows that name a row which is refused, and those that name these, and so on."""
    key = INCOMING.c.data["named"][field][0].astext
    names = (
        select(INCOMING.c.row, NAMED.c.file_row)
        .join(NAMED, and_(NAMED.c.field == field, NAMED.c.key == key))
        .where(NAMED.c.file_row.is_not(None))
        .cte("names")
    )
    gone = select(INCOMING.c.row).where(INCOMING.c.errors.is_not(None)).cte("gone", recursive=True)
    gone = gone.union(select(names.c.row).join(gone, names.c.file_row == gone.c.row))
    problem = _error("unknown_reference", "The row of the file that it names is refused", field)
    await _refuse(session, [INCOMING.c.row.in_(select(gone.c.row)), INCOMING.c.errors.is_(None)], problem, {})


async def refuse_owners(session: AsyncSession, entity: str, user_id: Any) -> None:
    """Rows that make somebody else the owner, for a caller who may not assign."""
    table = table_of(entity)
    owner = exists().where(
        NAMED.c.field == "owner_id",
        NAMED.c.key == INCOMING.c.data["named"]["owner_id"][0].astext,
        NAMED.c.record_id != user_id,
        ~exists().where(table.c.id == INCOMING.c.record_id, table.c.owner_id == NAMED.c.record_id),
    )
    await _refuse(session, [owner], _error("forbidden", "Your profile may not assign to others", "owner_id"), {})


async def _refuse(session: AsyncSession, conditions: list[Any], errors: Any, bound: dict[str, Any]) -> None:
    await session.execute(update(INCOMING).where(INCOMING.c.errors.is_(None), *conditions).values(errors=errors), bound)


def _error(code: str, message: str, field: str | None = None) -> Any:
    """An error of the row at hand; which column it comes from is filled in when it is shown."""
    one = func.jsonb_build_object(
        "row", INCOMING.c.row, "field", cast(field, Text), "code", cast(code, Text), "message", cast(message, Text)
    )
    return func.jsonb_build_array(one)
