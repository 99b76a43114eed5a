"""Which records do the rows of a file name: a parent, an owner, a product of a line; there already or in the file?"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
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
    text,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of
from app.db.queries.import_matching import KEPT_IN, candidates, error_of, refuse_where
from app.db.queries.import_rows import INCOMING, NAMED, refuse
from app.db.reach import Reach, reading


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
            true().label("good"),
        )
    ]
    if own and (rows := _rows_called(entity, by)) is not None:
        sources.append(rows)
    meant = union_all(*sources).subquery("meant")
    # Where rows that are refused and others go by one key, the others are meant.
    good = meant.c.good
    id = cast(meant.c.id, Text)
    good_ids = func.count(distinct(meant.c.id)).filter(good)
    counted = (
        select(
            literal(place_of(field, item)).label("field"),
            wanted.c.key,
            func.min(wanted.c.said),
            cast(func.coalesce(func.min(id).filter(good), func.min(id)), Uuid),
            func.greatest(good_ids, func.least(func.count(id), 1)),
            case((good_ids > 0, func.min(meant.c.row).filter(good)), else_=func.min(meant.c.row)),
        )
        .select_from(wanted.outerjoin(meant, meant.c.key == wanted.c.key))
        .group_by(wanted.c.key)
    )
    await session.execute(
        insert(NAMED).from_select(["field", "key", "said", "record_id", "times", "file_row"], counted), bound
    )


async def hold(session: AsyncSession, field: str, item: str | None, entity: str) -> None:
    """Keep the named records from being archived until the transaction ends; those that are already are not there."""
    place = {"place": place_of(field, item)}
    await session.execute(
        text(f"""
        select count(*) from (select from {entity} t where t.id in (select record_id from named where field = :place)
          order by t.id for key share of t) held
        """),
        place,
    )
    await session.execute(
        text(f"""
        update named n set times = 0, record_id = null from {entity} t
        where n.field = :place and n.times = 1 and t.id = n.record_id and t.archived_at is not null
        """),
        place,
    )


def place_of(field: str, item: str | None) -> str:
    """As `named` calls what names records: `customer_id`, `lines.product_id`."""
    return field if item is None else f"{field}.{item}"


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


def _rows_called(entity: str, by: str) -> Select[Any] | None:
    """The rows of the file themselves by one of the keys of what they become: `key`, `id`, `row`. None: by no such."""
    meant = [
        INCOMING.c.record_id.label("id"),
        case((INCOMING.c.is_new, INCOMING.c.row)).label("row"),
        INCOMING.c.errors.is_(None).label("good"),
    ]
    values = INCOMING.c.data["values"]
    if by == "external_id":
        return select(INCOMING.c.external_id.label("key"), *meant)
    if (entity, by) == ("users", "email"):
        return select(func.lower(values["email"].astext).label("key"), *meant)
    if (entity, by) in KEPT_IN:
        return select(values[KEPT_IN[entity, by]].astext.label("key"), *meant) if by != "number" else None
    if by == "id":
        return None
    pairs = func.jsonb_array_elements(INCOMING.c.data["keys"]).table_valued("value").lateral("pairs")
    kind, key = (func.jsonb_extract_path_text(literal_column("pairs.value"), place) for place in ("0", "1"))
    return select(key.label("key"), *meant).select_from(INCOMING.join(pairs, true())).where(kind == by)


async def unresolved(session: AsyncSession, field: str, item: str | None) -> list[tuple[str, str, int]]:
    """Key, text and how many records are meant, of what a field names and is not one record."""
    query = select(NAMED.c.key, NAMED.c.said, NAMED.c.times).where(*_unresolved(field, item))
    return [(row.key, row.said, row.times) for row in await session.execute(query)]


async def rows_of_unresolved(session: AsyncSession, field: str, item: str | None) -> list[tuple[int, str]]:
    """The rows of what a field names and is not one record, each with the key that it names.

    Each looks its key up: the keys may be more than a statement takes, and joined they would be compared with each row.
    """
    said = _said(field, item).subquery("said")
    looked_up = select(NAMED.c.key).where(*_unresolved(field, item), NAMED.c.key == said.c.key)
    query = select(said.c.row, said.c.key).where(looked_up.correlate(said).offset(0).exists()).distinct()
    return [(row.row, row.key) for row in await session.execute(query)]


def _unresolved(field: str, item: str | None) -> tuple[Any, ...]:
    return NAMED.c.field == place_of(field, item), NAMED.c.times != 1


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
        .where(NAMED.c.file_row.is_not(None), INCOMING.c.errors.is_(None))
    )
    following: defaultdict[int, list[int]] = defaultdict(list)
    for row in await session.execute(names):
        following[row.file_row].append(row.row)
    if not following:
        return
    # Not by `with recursive`, which would go through all of them again for each step of the longest chain.
    gone = list(await session.scalars(select(INCOMING.c.row).where(INCOMING.c.errors.is_not(None))))
    first = len(gone)
    for each in gone:
        gone += following.get(each, ())
    error = {"field": field, "code": "unknown_reference", "message": "The row of the file that it names is refused"}
    await refuse(session, [error | {"row": each} for each in gone[first:]])


async def refuse_owners(session: AsyncSession, entity: str, user_id: Any) -> None:
    """Rows that make somebody else the owner, for a caller who may not assign."""
    table = table_of(entity)
    owner = exists().where(
        NAMED.c.field == "owner_id",
        NAMED.c.key == INCOMING.c.data["named"]["owner_id"][0].astext,
        NAMED.c.record_id != user_id,
        ~exists().where(table.c.id == INCOMING.c.record_id, table.c.owner_id == NAMED.c.record_id),
    )
    await refuse_where(session, [owner], error_of("forbidden", "Your profile may not assign to others", "owner_id"), {})


async def owners_named(session: AsyncSession) -> list[UUID]:
    """Whom the rows name as owners."""
    query = select(NAMED.c.record_id).where(NAMED.c.field == "owner_id", NAMED.c.times == 1).distinct()
    return list(await session.scalars(query))


async def refuse_unable(session: AsyncSession, unable: Collection[UUID], message: str) -> None:
    """New records that are still to be done, and are to be of somebody who cannot do it."""
    values = INCOMING.c.data["values"]
    named = exists().where(
        NAMED.c.field == "owner_id",
        NAMED.c.key == INCOMING.c.data["named"]["owner_id"][0].astext,
        NAMED.c.record_id == any_(bindparam("unable", type_=ARRAY(Uuid))),
    )
    to_be_done = [
        INCOMING.c.is_new,
        func.coalesce(values["stage_kind"].astext, "open") == "open",
        func.coalesce(values["state"].astext, "planned") == "planned",
    ]
    problem = error_of("cannot_take_over", message, "owner_id")
    await refuse_where(session, [named, *to_be_done], problem, {"unable": list(unable)})


async def refuse_profiles(session: AsyncSession, within: list[str]) -> None:
    """Rows that give users another profile than these."""
    values = INCOMING.c.data["values"]
    given = INCOMING.c.data["given"].has_key("profile_id")
    problem = error_of("exceeds_own_profile", "The profile grants more than your own does", "profile_id")
    refused = [given, values["profile_id"].astext.not_in(within), INCOMING.c.errors.is_(None)]
    await refuse_where(session, refused, problem, {})
