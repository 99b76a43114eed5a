"""How do the rows of a file become records, all at once? Statements are put together from the entity's own columns.

Between them single writes go on: nothing is locked but the records that change, and, last of all, who is assigned.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import metadata, table_of

# Columns that no row of a file fills in.
_OWN = ("archived_at", "archive_id", "password_hash", "service", "utm")
# So many new rows are worth a look at the table.
_MANY = 1_000


async def insert_new(
    session: AsyncSession,
    entity: str,
    named: Sequence[str],
    actor: UUID,
    now: Any,
    owner_id: UUID | None,
    number_prefix: str,
) -> None:
    """The records of the new rows. named: the columns that name records; owner_id: whose they are if no row says."""
    table = table_of(entity)
    filled: dict[str, str] = {
        "id": "i.record_id",
        "version": "1",
        "source": "'import'",
        "created_at": "cast(:now as timestamptz)",
        "created_by": "cast(:actor as uuid)",
        "updated_at": "cast(:now as timestamptz)",
        "updated_by": "cast(:actor as uuid)",
        "number": "cast(:prefix as text) || lpad(i.number::text, greatest(6, length(i.number::text)), '0')",
    }
    filled |= {name: f"of_{name}.record_id" for name in named}
    if "owner_id" in table.c and "owner_id" not in named:
        filled["owner_id"] = "cast(:owner_id as uuid)"
    if entity == "customers":
        filled["assigned"] = f"({filled['owner_id']}) is not null"
    columns = [column.name for column in table.c if column.name not in _OWN]
    number = "nextval('customer_number')" if entity == "customers" else "0"
    values = ", ".join(filled.get(name, f"p.{quoted(name)}") for name in columns)
    statement = f"""
        insert into {entity} ({", ".join(map(quoted, columns))})
        select {values}
        from (select n.*, {number} as number
          from (select * from incoming where is_new and errors is null order by row) n) i
        cross join lateral jsonb_populate_record(null::{entity}, i.data -> 'values') p
        {joins_named(named)}
    """
    bound = {"now": now, "actor": actor, "owner_id": owner_id, "prefix": number_prefix}
    await session.execute(text(statement), {name: value for name, value in bound.items() if f":{name} " in statement})
    if await session.scalar(_TAKEN_FOR_EMPTY, {"entity": entity}):
        await session.execute(text(f"analyze {entity}"))
    if entity == "opportunities":
        await session.execute(_NEW_LINES)


async def tell_new(
    session: AsyncSession, entity: str, singular: str, named: Sequence[str], actor: UUID, now: Any, operation_id: UUID
) -> None:
    """The ledger's lines, stays and match keys of new records."""
    table = table_of(entity)
    told = [*named, *(name for name in ("owner_id", "number") if name in table.c and name not in named)]
    # Joined as text, and read as JSON once: to join two JSON objects takes as long as all else there is to say.
    said = ["nullif(i.changes, '')", *(f"'\"{name}\": [null, ' || to_json(t.{quoted(name)}) || ']'" for name in told)]
    if entity == "opportunities":
        said.append(_LINES_OF_NEW)
    changes = f"cast('{{' || concat_ws(', ', {', '.join(said)}) || '}}' as jsonb)"
    customer = customer_of(entity)
    occurred = {"opportunities": "t.opened_at", "activities": "coalesce(t.done_at, cast(:now as timestamptz))"}.get(
        entity, "cast(:now as timestamptz)"
    )
    statement = f"""
        insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor,
          source, operation_id)
        select {occurred}, cast(:now as timestamptz), '{singular}.created', '{entity}', t.id, 1, {customer}, {changes},
          cast(:actor as uuid), 'import', cast(:operation_id as uuid)
        from incoming i join {entity} t on t.id = i.record_id
        where i.is_new and i.errors is null order by i.row
    """
    await session.execute(text(statement), {"now": now, "actor": actor, "operation_id": operation_id})
    pipeline = "(i.data -> 'values' ->> 'pipeline_id')::uuid"
    stays = f"""
        insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, left_at, "by", source)
        select '{entity}', i.record_id, stay ->> 0, {pipeline}, stay ->> 1, (stay ->> 2)::timestamptz,
          (stay ->> 3)::timestamptz, cast(:actor as uuid), 'import'
        from incoming i cross join lateral jsonb_array_elements(i.data -> 'stays') as stay
        where i.is_new and i.errors is null
    """
    await session.execute(text(stays), {"actor": actor})
    await session.execute(_NEW_KEYS, {"entity": entity})


async def keep_external_ids(session: AsyncSession, entity: str, system: str) -> None:
    await session.execute(_EXTERNAL_IDS, {"entity": entity, "system": system})


async def take_stock(session: AsyncSession, entity: str, created: int) -> None:
    """Let the planner know of new rows where they are most of the table, before the lists of the next minute go astray.
    Of others it learns soon enough: it looks at a large table for longer than the rows took to come in."""
    if created >= _MANY:
        values = {"tables": list(metadata.tables), "entity": entity, "created": created}
        for table in (await session.scalars(_LITTLE_KNOWN, values)).all():
            await session.execute(text(f"analyze {table}"))


async def assign(session: AsyncSession, entity: str) -> None:
    """Who is responsible for the written records is among their customers' assignees. The last of an import."""
    if entity == "customers":
        for statement in (_OWNERS, _OWNED):
            await session.execute(statement)
    elif {"owner_id", "customer_id"} <= set(table_of(entity).c.keys()):
        responsible = RESPONSIBLE + (" and t.state = 'planned'" if entity == "activities" else "")
        for template in (_LATER, _REASONS, _PAIRS, _ASSIGNED):
            await session.execute(text(template.format(entity=entity, responsible=responsible)))


def customer_of(entity: str) -> str:
    """The customer that a record's history belongs to, as SQL on the record `t`."""
    return "t.id" if entity == "customers" else "t.customer_id" if "customer_id" in table_of(entity).c else "null::uuid"


def pipeline_of(entity: str) -> str:
    """The pipeline of a record's stages, as SQL on the record `t`."""
    return "t.pipeline_id" if "pipeline_id" in table_of(entity).c else "null::uuid"


def quoted(name: str) -> str:
    return f'"{name}"'


def joins_named(named: Sequence[str]) -> str:
    """Joins the records that rows name, each under `of_` and the column's name."""
    return " ".join(
        f"left join named of_{name} on of_{name}.field = '{name}' "
        f"and of_{name}.key = i.data -> 'named' -> '{name}' ->> 0"
        for name in named
    )


_NEW_LINES = text("""
insert into opportunity_lines (opportunity_id, position, product_id, quantity, unit_price)
select i.record_id, line.position - 1, n.record_id, (line.item ->> 'quantity')::numeric,
  coalesce((line.item ->> 'unit_price')::numeric, p.price)
from incoming i
cross join lateral jsonb_array_elements(i.data -> 'values' -> 'lines') with ordinality as line(item, position)
join named n on n.field = 'lines.product_id' and n.key = line.item -> 'product_id' ->> 0
join opportunities o on o.id = i.record_id
left join products p on p.id = n.record_id and p.currency = o.currency
where i.is_new and i.errors is null
""")

# An opportunity's lines as the API shows them, of rows of `opportunity_lines`.
LINES = """jsonb_agg(jsonb_build_object('product_id', product_id, 'quantity', quantity::text,
  'unit_price', unit_price::text) order by position)"""

_LINES_OF_NEW = f"""(
  select '"lines": [null, ' || cast({LINES} as text) || ']' from opportunity_lines where opportunity_id = t.id)"""

_NEW_KEYS = text("""
insert into match_keys (entity, record_id, kind, key)
select cast(:entity as text), i.record_id, pair ->> 0, pair ->> 1
from incoming i cross join lateral jsonb_array_elements(i.data -> 'keys') as pair where i.is_new and i.errors is null
""")

# An id that another record was given meanwhile is an error: the job is done again, and finds that record. New records
# have none yet; looked for in a table of which the planner knows little, each would be compared with every other.
_EXTERNAL_IDS = text("""
insert into external_ids (entity, system, external_id, record_id)
select cast(:entity as text), cast(:system as text), external_id, record_id from incoming i
where external_id is not null and errors is null and (is_new or not exists (
  select from external_ids x where (x.entity, x.system, x.external_id, x.record_id)
    = (cast(:entity as text), cast(:system as text), i.external_id, i.record_id)))
""")

# What an attempt that came to nothing leaves behind: PostgreSQL counted its rows while they were there, as none. Every
# statement after that would look through all new rows for each.
_TAKEN_FOR_EMPTY = text("select reltuples = 0 and relpages > 0 from pg_class where oid = cast(:entity as regclass)")

# Those that it takes for empty are little to look at, or many rows have come into them.
_LITTLE_KNOWN = text("""
select relname from pg_class
where pg_table_is_visible(oid) and relname = any(:tables)
  and (reltuples = 0 and relpages > 0 or relname = :entity and reltuples < :created)
""")

_OWNERS = text("""
insert into customer_assignees (customer_id, user_id, role)
select c.id, c.owner_id, 'owner' from incoming i join customers c on c.id = i.record_id
where i.errors is null and (i.is_new or i.is_changed) and c.owner_id is not null order by 1, 2
on conflict (customer_id, user_id) do update set role = 'owner' where customer_assignees.role is distinct from 'owner'
""")

# In statements of their own, after the pairs: see the one in the ledger. A new customer says so itself. By their ids:
# joined, all customers that are nobody's would be walked through.
_OWNED = text("""
update customers set assigned = true where not assigned and owner_id is not null and id = any(array(
  select i.record_id from incoming i where i.errors is null and i.is_changed))
""")

# Those of the written records `t` that hold their owner at their customer.
RESPONSIBLE = """
  i.errors is null and (i.is_new or i.is_changed) and t.customer_id is not null and t.owner_id is not null"""

_ASSIGNED = """
update customers set assigned = true where not assigned and id = any(array(
  select distinct t.customer_id from incoming i join {entity} t on t.id = i.record_id where {responsible}))
"""

# The foreign key to the pairs is looked at when the transaction ends, so that they may come last.
_LATER = "set constraints assignment_reasons_customer_id_user_id_fkey deferred"

_REASONS = """
insert into assignment_reasons (customer_id, user_id, entity, record_id)
select t.customer_id, t.owner_id, '{entity}', t.id from incoming i join {entity} t on t.id = i.record_id
where {responsible}
on conflict do nothing
"""

# Whoever changes the assignees of one of these customers waits from here on. A pair that is there already is not held:
# if its last reason goes away at this very moment, the foreign key refuses ours, and the job is done again. Why the
# offset: see `app.db.assignees`.
_PAIRS = """
with missing as materialized (
  select * from (
    select distinct t.customer_id, t.owner_id from incoming i join {entity} t on t.id = i.record_id where {responsible}
  ) pair where not exists (
    select from customer_assignees a where (a.customer_id, a.user_id) = (pair.customer_id, pair.owner_id) offset 0)
), held as (
  select from customers where id in (select customer_id from missing) order by id for no key update
)
insert into customer_assignees (customer_id, user_id)
select customer_id, owner_id from missing where (select count(*) from held) >= 0 order by 1, 2
on conflict do nothing
"""
