"""How do records change that rows of a file mean: which differ from what is said, and how are they written at once?"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of
from app.db.queries.import_writing import LINES, customer_of, joins_named, pipeline_of, quoted
from app.db.reach import Reach, changing, reading
from app.db.session import driver


async def note_changed(session: AsyncSession, entity: str, named: Sequence[str], system: str | None) -> None:
    """Mark the rows whose record differs from what they say. system: whose external ids the rows have."""
    table = table_of(entity)
    differs = [f"t.{name} is distinct from of_{name}.record_id and of_{name}.key is not null" for name in named]
    for column in table.c:
        name, kind = column.name, str(column.type)
        said = f"i.data -> 'given' ? '{name}'"
        if name in named:
            continue
        if kind == "JSONB":
            differs.append(f"i.data -> 'items' ? '{name}' and not t.{quoted(name)} @> (i.data -> 'items' -> '{name}')")
        elif kind.endswith("[]") or kind == "ARRAY":
            differs.append(f"{said} and not t.{quoted(name)} @> p.{quoted(name)}")
        else:
            differs.append(f"{said} and t.{quoted(name)} is distinct from p.{quoted(name)}")
    if entity == "opportunities":
        differs.append(_LINES_DIFFER)
    if system is not None:
        differs.append(_attaches(entity))
    statement = f"""
        update incoming set is_changed = true
        where row in (select i.row from incoming i join {entity} t on t.id = i.record_id
          cross join lateral jsonb_populate_record(null::{entity}, i.data -> 'values') p {joins_named(named)}
          where not i.is_new and i.errors is null and ({" or ".join(f"({each})" for each in differs)}))
    """
    await session.execute(text(statement), {} if system is None else {"system": system})


async def changed_rows(
    session: AsyncSession, entity: str, named: Sequence[str], system: str | None, after: int, limit: int
) -> list[Any]:
    """What the next changed rows say, with the records that they name: row, record_id, data (its `values`, `given` and
    `items`), named, lines, attached.

    lines: of each the product with its `price` and `currency`, and `quantity` and `unit_price` if the row says them.
    attached: the external id that the record does not have yet.
    """
    pairs = ", ".join(f"'{name}', of_{name}.record_id" for name in named)
    lines = f"({_LINES_SAID})" if entity == "opportunities" else "null::jsonb"
    attached = "null" if system is None else f"case when {_attaches(entity)} then i.external_id end"
    statement = f"""
        select i.row, i.record_id, jsonb_build_object('values', i.data -> 'values', 'given', i.data -> 'given',
            'items', i.data -> 'items') as data,
          jsonb_strip_nulls(jsonb_build_object({pairs})) as named, {lines} as lines, {attached} as attached
        from incoming i {joins_named(named)} where i.is_changed and i.errors is null and i.row > :after
        order by i.row limit :limit
    """
    query = text(statement).columns(data=JSONB, named=JSONB, lines=JSONB)
    bound = {"after": after, "limit": limit} | ({} if system is None else {"system": system})
    return list(await session.execute(query, bound))


def _attaches(entity: str) -> str:
    """Whether a row gives its record an external id that it does not have, as SQL."""
    return f"""(i.external_id is not null and not exists (select from external_ids x
      where (x.entity, x.system, x.external_id, x.record_id)
        = ('{entity}', cast(:system as text), i.external_id, i.record_id)))"""


async def note_unchanged(session: AsyncSession, rows: Sequence[int]) -> None:
    """What seemed to differ does not, once it is written as the product writes it."""
    if rows:
        await session.execute(text("update incoming set is_changed = false where row = any(:rows)"), {"rows": rows})


async def read(session: AsyncSession, entity: str, ids: Sequence[UUID], hold: bool) -> dict[UUID, dict[str, Any]]:
    """Records that would change, by id, each a dict of its columns. hold: nobody else changes them meanwhile."""
    table: Table = table_of(entity)
    query = table.select().where(table.c.id.in_(ids)).order_by(table.c.id)
    rows = await session.execute(query.with_for_update(key_share=True) if hold else query)
    return {row["id"]: dict(row) for row in rows.mappings()}


async def within_reach(
    session: AsyncSession, entity: str, ids: Sequence[UUID], read: Reach, change: Reach, bound: dict[str, Any]
) -> set[UUID]:
    """Which of the records the caller may still change, now that they are held. bound: as for matching."""
    table = table_of(entity)
    query = select(table.c.id).where(table.c.id.in_(ids), or_(*reading(table, read)), changing(table, change))
    return set(await session.scalars(query, bound))


async def contacts_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """The ids of the contacts of opportunities."""
    return {row.opportunity_id: row.contacts for row in await session.execute(_CONTACTS_OF, {"ids": list(ids)})}


async def external_ids_of(session: AsyncSession, entity: str, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The external ids of records, as the API shows them."""
    rows = await session.execute(_EXTERNAL_IDS_OF, {"entity": entity, "ids": list(ids)})
    return {row.record_id: row.external_ids for row in rows}


async def lines_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The lines of opportunities, as the API shows them."""
    rows = await session.execute(_LINES_OF, {"ids": list(ids)})
    return {row.opportunity_id: row.lines for row in rows}


async def write_changed(
    session: AsyncSession,
    entity: str,
    columns: Sequence[str],
    changed: Sequence[tuple[Any, ...]],
    actor: UUID,
    now: Any,
    operation_id: UUID,
) -> None:
    """Write changed records: each is record_id, row, values, changes, type, stays, keys, lines; JSON as texts."""
    await session.execute(_CHANGED)
    connection = await driver(session)
    await connection.copy_records_to_table("changed", records=changed)
    sets = "".join(f"{quoted(name)} = p.{quoted(name)}, " for name in columns)
    await session.execute(
        text(f"""
        update {entity} t set {sets} version = t.version + 1, updated_at = cast(:now as timestamptz),
          updated_by = cast(:actor as uuid)
        from changed c join {entity} old on old.id = c.record_id
        cross join lateral jsonb_populate_record(old, c.values) p where t.id = c.record_id
        """),
        {"now": now, "actor": actor},
    )
    customer, pipeline = customer_of(entity), pipeline_of(entity)
    await session.execute(
        text(f"""
        insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor,
          source, operation_id)
        select cast(:now as timestamptz), cast(:now as timestamptz), c.type, '{entity}', t.id, t.version, {customer},
          c.changes, cast(:actor as uuid), 'import', cast(:operation_id as uuid)
        from changed c join {entity} t on t.id = c.record_id order by c.row
        """),
        {"now": now, "actor": actor, "operation_id": operation_id},
    )
    await session.execute(_LEFT_STAYS, {"entity": entity})
    await session.execute(
        text(f"""
        insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", source)
        select '{entity}', t.id, stay ->> 0, {pipeline}, stay ->> 1, (stay ->> 2)::timestamptz,
          cast(:actor as uuid), 'import'
        from changed c join {entity} t on t.id = c.record_id
        cross join lateral jsonb_array_elements(c.stays) as stay where stay ->> 1 is not null
        """),
        {"actor": actor},
    )
    if "closed_at" in columns:
        await session.execute(_CORRECTED_STAYS, {"entity": entity})
        await session.execute(_ENTERED)
    for statement in (_OLD_KEYS, _OTHER_KEYS):
        await session.execute(statement, {"entity": entity} if ":entity" in str(statement) else {})
    if entity == "opportunities":
        for statement in (_OLD_LINES, _OTHER_LINES):
            await session.execute(statement)


_CHANGED = text("""
create temporary table changed (record_id uuid primary key, row bigint, values jsonb, changes jsonb, type text,
  stays jsonb, keys jsonb, lines jsonb) on commit drop
""")

_LINES_DIFFER = """i.data -> 'given' ? 'lines' and (
  (select count(*) from opportunity_lines l where l.opportunity_id = t.id)
    <> jsonb_array_length(i.data -> 'items' -> 'lines')
  or exists (
    select from jsonb_array_elements(i.data -> 'items' -> 'lines') with ordinality as said(item, position)
    join named n on n.field = 'lines.product_id' and n.key = said.item -> 'product_id' ->> 0
    left join opportunity_lines l on l.opportunity_id = t.id and l.position = said.position - 1
    where l.product_id is distinct from n.record_id
      or said.item ? 'quantity' and l.quantity is distinct from (said.item ->> 'quantity')::numeric
      or said.item ? 'unit_price' and l.unit_price is distinct from (said.item ->> 'unit_price')::numeric))"""

# Looked up one by one: PostgreSQL takes any list for a hundred items, and would sort all that is named for each row.
_LINES_SAID = """select jsonb_agg(jsonb_build_object('product_id', p.id, 'price', p.price::text, 'currency', p.currency,
    'quantity', line.item ->> 'quantity', 'unit_price', line.item ->> 'unit_price') order by line.position)
  from jsonb_array_elements(i.data -> 'items' -> 'lines') with ordinality as line(item, position)
  cross join lateral (select p.id, p.price, p.currency from named n join products p on p.id = n.record_id
    where n.field = 'lines.product_id' and n.key = line.item -> 'product_id' ->> 0 offset 0) p"""

_LINES_OF = text(f"""
select opportunity_id, {LINES} as lines
from opportunity_lines where opportunity_id = any(:ids) group by 1
""").columns(lines=JSONB)

_CONTACTS_OF = text("""
select opportunity_id, array_agg(contact_id) as contacts from opportunity_contacts
where opportunity_id = any(:ids) group by 1
""")

_EXTERNAL_IDS_OF = text("""
select record_id, jsonb_agg(jsonb_build_object('system', system, 'external_id', external_id)
  order by system, external_id) as external_ids
from external_ids where entity = :entity and record_id = any(:ids) group by 1
""").columns(external_ids=JSONB)

_LEFT_STAYS = text("""
update stage_stays s set left_at = greatest(s.entered_at, (stay ->> 2)::timestamptz)
from changed c cross join lateral jsonb_array_elements(c.stays) as stay
where s.entity = cast(:entity as text) and s.record_id = c.record_id and s.field = stay ->> 0 and s.left_at is null
""")

# Another day of closing without another stage: the last stay begins then, and the one before it ends; yet not before
# that one began.
_CORRECTED_STAYS = text("""
update stage_stays s set
  entered_at = case when s.left_at is null then corrected.at else s.entered_at end,
  left_at = case when s.left_at is not null then greatest(s.entered_at, corrected.at) end
from (select last.record_id, last.field, last.entered_at,
    greatest((c.values ->> 'closed_at')::timestamptz, (select max(earlier.entered_at) from stage_stays earlier
      where earlier.entity = last.entity and earlier.record_id = last.record_id and earlier.field = last.field
        and earlier.left_at = last.entered_at)) as at
  from changed c join stage_stays last on last.entity = cast(:entity as text) and last.record_id = c.record_id
    and last.field = 'stage' and last.left_at is null
  where c.values ->> 'closed_at' is not null and not c.values ? 'stage') corrected
where s.entity = cast(:entity as text) and s.record_id = corrected.record_id and s.field = corrected.field
  and (s.left_at is null or s.left_at = corrected.entered_at)
""")

_ENTERED = text("""
update opportunities t set stage_entered_at = s.entered_at
from changed c join stage_stays s on s.entity = 'opportunities' and s.record_id = c.record_id and s.field = 'stage'
  and s.left_at is null
where t.id = c.record_id and t.stage_entered_at <> s.entered_at
""")

_OLD_KEYS = text("delete from match_keys m using changed c where m.record_id = c.record_id and c.keys is not null")

_OTHER_KEYS = text("""
insert into match_keys (entity, record_id, kind, key)
select cast(:entity as text), c.record_id, pair ->> 0, pair ->> 1
from changed c cross join lateral jsonb_array_elements(c.keys) as pair on conflict do nothing
""")

_OLD_LINES = text(
    "delete from opportunity_lines l using changed c where l.opportunity_id = c.record_id and c.lines is not null"
)

_OTHER_LINES = text("""
insert into opportunity_lines (opportunity_id, position, product_id, quantity, unit_price)
select c.record_id, line.position - 1, (line.item ->> 'product_id')::uuid, (line.item ->> 'quantity')::numeric,
  (line.item ->> 'unit_price')::numeric
from changed c cross join lateral jsonb_array_elements(c.lines) with ordinality as line(item, position)
""")
