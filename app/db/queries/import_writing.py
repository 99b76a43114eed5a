"""How do the rows of a file become records, all at once? Statements are put together from the entity's own columns.

Between them single writes go on: nothing is locked but the records that change, and, last of all, who is assigned.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import RECORDS
from app.db.session import driver

# Columns that no row of a file fills in.
_OWN = ("archived_at", "archive_id", "password_hash")


async def insert_new(
    session: AsyncSession, entity: str, named: Sequence[str], actor: UUID, now: Any, owner_id: UUID | None, number_prefix: str
) -> None:
    """The records of the new rows. named: the columns that name records; owner_id: whose they are if no row says."""
    table = RECORDS[entity].__table__
    filled: dict[str, str] = {
        "id": "i.record_id",
        "version": "1",
        "source": "'import'",
        "created_at": ":now",
        "created_by": ":actor",
        "updated_at": ":now",
        "updated_by": ":actor",
        "number": ":prefix || lpad(i.number::text, greatest(6, length(i.number::text)), '0')",
    }
    filled |= {name: f"of_{name}.record_id" for name in named}
    if "owner_id" in table.c and "owner_id" not in named:
        filled["owner_id"] = "cast(:owner_id as uuid)"
    if entity == "customers":
        filled["assigned"] = f"({filled['owner_id']}) is not null"
    columns = [column.name for column in table.c if column.name not in _OWN]  # type: ignore[attr-defined]
    number = "nextval('customer_number')" if entity == "customers" else "0"
    values = ", ".join(filled.get(name, f"p.{_quoted(name)}") for name in columns)
    statement = f"""
        insert into {entity} ({", ".join(map(_quoted, columns))})
        select {values}
        from (select n.*, {number} as number from (select * from incoming where is_new and errors is null order by row) n) i
        cross join lateral jsonb_populate_record(null::{entity}, i.data -> 'values') p
        {_joins(named)}
    """
    bound = {"now": now, "actor": actor, "owner_id": owner_id, "prefix": number_prefix}
    await session.execute(text(statement), {name: value for name, value in bound.items() if f":{name}" in statement})
    if entity == "opportunities":
        await session.execute(_NEW_LINES)


async def tell_new(session: AsyncSession, entity: str, singular: str, actor: UUID, now: Any, operation_id: UUID) -> None:
    """The ledger's lines, stays and match keys of new records."""
    table = RECORDS[entity].__table__
    pointing = [column.name for column in table.c if column.name in ("parent_id", "referred_by_id", "owner_id", "customer_id", "reports_to_id", "manager_id", "number")]  # type: ignore[attr-defined]
    changes = " || ".join(
        ["(i.data -> 'changes')"]
        + [f"case when t.{name} is null then '{{}}' else jsonb_build_object('{name}', jsonb_build_array(null, t.{name})) end" for name in pointing]
        + ([_LINES_TOLD] if entity == "opportunities" else [])
    )
    customer = "t.id" if entity == "customers" else "t.customer_id" if "customer_id" in table.c else "null::uuid"
    occurred = "t.opened_at" if entity == "opportunities" else ":now"
    statement = f"""
        insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor,
          source, operation_id)
        select {occurred}, :now, '{singular}.created', '{entity}', t.id, 1, {customer}, {changes}, :actor, 'import', :operation_id
        from incoming i join {entity} t on t.id = i.record_id where i.is_new and i.errors is null order by i.row
    """
    await session.execute(text(statement), {"now": now, "actor": actor, "operation_id": operation_id})
    pipeline = "t.pipeline_id" if "pipeline_id" in table.c else "null::uuid"
    stays = f"""
        insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, left_at, "by", source)
        select '{entity}', t.id, stay ->> 0, {pipeline}, stay ->> 1, (stay ->> 2)::timestamptz, (stay ->> 3)::timestamptz,
          :actor, 'import'
        from incoming i join {entity} t on t.id = i.record_id
        cross join lateral jsonb_array_elements(i.data -> 'stays') as stay where i.is_new and i.errors is null
    """
    await session.execute(text(stays), {"actor": actor})
    await session.execute(_NEW_KEYS, {"entity": entity})


async def keep_external_ids(session: AsyncSession, entity: str, system: str) -> None:
    await session.execute(_EXTERNAL_IDS, {"entity": entity, "system": system})


async def note_changed(session: AsyncSession, entity: str, named: Sequence[str]) -> None:
    """Mark the rows whose record differs from what they say."""
    table = RECORDS[entity].__table__
    differs = [f"t.{name} is distinct from of_{name}.record_id and of_{name}.key is not null" for name in named]
    for column in table.c:  # type: ignore[attr-defined]
        name, kind = column.name, str(column.type)
        said = f"i.data -> 'given' ? '{name}'"
        if name in named:
            continue
        if kind == "JSONB":
            differs.append(f"i.data -> 'items' ? '{name}' and not t.{_quoted(name)} @> (i.data -> 'items' -> '{name}')")
        elif kind.endswith("[]") or kind == "ARRAY":
            differs.append(f"{said} and not t.{_quoted(name)} @> p.{_quoted(name)}")
        else:
            differs.append(f"{said} and t.{_quoted(name)} is distinct from p.{_quoted(name)}")
    if entity == "opportunities":
        differs.append(_LINES_DIFFER)
    statement = f"""
        update incoming set is_changed = true
        where row in (select i.row from incoming i join {entity} t on t.id = i.record_id
          cross join lateral jsonb_populate_record(null::{entity}, i.data -> 'values') p {_joins(named)}
          where not i.is_new and i.errors is null and ({" or ".join(f"({each})" for each in differs)}))
    """
    await session.execute(text(statement))


async def changed_rows(session: AsyncSession, entity: str, named: Sequence[str]) -> list[Any]:
    """What the changed rows say, with the records that they name: row, record_id, data, named, lines."""
    pairs = ", ".join(f"'{name}', of_{name}.record_id" for name in named)
    lines = f"({_LINES_SAID})" if entity == "opportunities" else "null::jsonb"
    statement = f"""
        select i.row, i.record_id, i.data, jsonb_strip_nulls(jsonb_build_object({pairs})) as named, {lines} as lines
        from incoming i {_joins(named)} where i.is_changed and i.errors is null order by i.row
    """
    return list(await session.execute(text(statement).columns(data=_JSON, named=_JSON, lines=_JSON)))


async def lock(session: AsyncSession, entity: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Records that are about to change, by id, each a dict of its columns; held until the transaction ends."""
    table: Table = RECORDS[entity].__table__  # type: ignore[assignment]
    rows = await session.execute(
        table.select().where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update(key_share=True)
    )
    return {row["id"]: dict(row) for row in rows.mappings()}


async def lines_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The lines of opportunities, as the API shows them."""
    rows = await session.execute(_LINES_OF, {"ids": list(ids)})
    return {row.opportunity_id: row.lines for row in rows}


async def write_changed(
    session: AsyncSession, entity: str, columns: Sequence[str], changed: Sequence[tuple[Any, ...]], actor: UUID, now: Any, operation_id: UUID
) -> None:
    """Write changed records: each is record_id, row, values, changes, type, stays, keys, lines, all but the first two JSON texts."""
    await session.execute(text("create temporary table if not exists changed (record_id uuid primary key, row bigint, "
        'values jsonb, changes jsonb, "type" text, stays jsonb, keys jsonb, lines jsonb) on commit drop'))  # fmt: skip
    connection = await driver(session)
    await connection.copy_records_to_table("changed", records=changed)
    table = RECORDS[entity].__table__
    sets = "".join(f"{_quoted(name)} = p.{_quoted(name)}, " for name in columns)
    await session.execute(
        text(f"""
        update {entity} t set {sets} version = t.version + 1, updated_at = :now, updated_by = :actor
        from changed c join {entity} old on old.id = c.record_id
        cross join lateral jsonb_populate_record(old, c.values) p where t.id = c.record_id
        """),
        {"now": now, "actor": actor},
    )
    customer = "t.id" if entity == "customers" else "t.customer_id" if "customer_id" in table.c else "null::uuid"
    pipeline = "t.pipeline_id" if "pipeline_id" in table.c else "null::uuid"
    await session.execute(
        text(f"""
        insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor,
          source, operation_id)
        select :now, :now, c.type, '{entity}', t.id, t.version, {customer}, c.changes, :actor, 'import', :operation_id
        from changed c join {entity} t on t.id = c.record_id order by c.row
        """),
        {"now": now, "actor": actor, "operation_id": operation_id},
    )
    await session.execute(_LEFT_STAYS, {"entity": entity})
    await session.execute(
        text(f"""
        insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", source)
        select '{entity}', t.id, stay ->> 0, {pipeline}, stay ->> 1, (stay ->> 2)::timestamptz, :actor, 'import'
        from changed c join {entity} t on t.id = c.record_id
        cross join lateral jsonb_array_elements(c.stays) as stay where stay ->> 1 is not null
        """),
        {"actor": actor},
    )
    for statement in (_OLD_KEYS, _OTHER_KEYS):
        await session.execute(statement, {"entity": entity} if ":entity" in str(statement) else {})
    if entity == "opportunities":
        for statement in (_OLD_LINES, _OTHER_LINES):
            await session.execute(statement)


async def assign(session: AsyncSession, entity: str) -> None:
    """Who is responsible for the written records is among their customers' assignees. The last statements of an import."""
    if entity == "customers":
        await session.execute(_OWNERS)
    else:
        await session.execute(_PAIRS, {"entity": entity})
        await session.execute(_REASONS, {"entity": entity})
        await session.execute(_ASSIGNED)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _joins(named: Sequence[str]) -> str:
    return " ".join(
        f"left join named of_{name} on of_{name}.field = '{name}' and of_{name}.key = i.data -> 'named' -> '{name}' ->> 0"
        for name in named
    )
