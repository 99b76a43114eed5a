"""How do rows of a file wait in the database: as they were checked, and while they become records?"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

from app.db.models.imports import Import, ImportFile, ImportRow
from app.db.session import driver

_TEMPORARY = MetaData()

# The good rows of one import. `key`: what the row is matched on. `errors`: what turned out to be wrong, else null.
INCOMING = Table(
    "incoming",
    _TEMPORARY,
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text),
    Column("external_id", Text),
    Column("record_id", Uuid),
    Column("is_new", Boolean),
    Column("is_changed", Boolean),
    Column("data", JSONB),
    Column("changes", Text),
    Column("errors", JSONB),
    prefixes=["temporary"],
    postgresql_on_commit="DROP",
    # Rows are looked at a few times and then gone: packing and unpacking them takes longer.
    postgresql_with={"toast_tuple_target": 8160},
)

# The records that the rows name. `times`: how many there are; `file_row`: the row of the file that becomes it.
NAMED = Table(
    "named",
    _TEMPORARY,
    Column("field", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("said", Text),
    Column("record_id", Uuid),
    Column("times", BigInteger),
    Column("file_row", BigInteger),
    prefixes=["temporary"],
    postgresql_on_commit="DROP",
)


async def keep(session: AsyncSession, values: dict[str, Any], content: bytes) -> None:
    """A file on its way in."""
    await session.execute(insert(Import).values(values))
    await session.execute(insert(ImportFile).values(import_id=values["id"], content=content))


async def state_of(session: AsyncSession, import_id: UUID) -> Any:
    """The import's row, which nobody else writes meanwhile."""
    table = Import.__table__
    query = select(*table.c).where(table.c.id == import_id).with_for_update()
    return (await session.execute(query)).one()


async def note(session: AsyncSession, import_id: UUID, user_id: UUID, now: datetime, **values: Any) -> None:
    """Write how an import is getting on."""
    changed = values | {"version": Import.version + 1, "updated_at": now, "updated_by": user_id}
    await session.execute(update(Import).where(Import.id == import_id).values(changed))


async def file_of(session: AsyncSession, import_id: UUID) -> bytes:
    content = await session.scalar(select(ImportFile.content).where(ImportFile.import_id == import_id))
    assert content is not None, "an import is kept with its file"
    return content


async def copy(session: AsyncSession, import_id: UUID, lines: AsyncIterator[bytes]) -> int:
    """Put the lines of COPY text in place of the import's rows. Answers how many there are."""
    await session.execute(delete(ImportRow).where(ImportRow.import_id == import_id))
    connection = await driver(session)
    columns = ["import_id", "row", "record_id", "data", "changes", "errors"]
    status: str = await connection.copy_to_table("import_rows", source=lines, columns=columns, format="text")
    return int(status.split()[-1])


async def set_out(session: AsyncSession, import_id: UUID) -> None:
    """Lay the import's good rows out in `incoming`, for this transaction."""
    for table in (INCOMING, NAMED):
        await session.execute(CreateTable(table))
    await session.execute(_SET_OUT, {"import_id": import_id})
    await session.execute(text("create index on incoming (record_id)"))
    await session.execute(text("analyze incoming (is_new, errors)"))


async def refuse(session: AsyncSession, errors: Sequence[dict[str, Any]]) -> None:
    """Refuse rows, each error with its `row`."""
    if errors:
        await session.execute(_REFUSE, {"errors": [dict(each) for each in errors]})


async def settle(session: AsyncSession, import_id: UUID, rows: int, columns: dict[str, str]) -> dict[str, int]:
    """Leave of the import's rows those that are refused, with the reasons, and answer how many records were created,
    updated and unchanged, how many rows refused, or merged into earlier ones.

    rows: how many there are. columns: which column of the file fills each field.
    """
    found = (await session.execute(_COUNTS)).one()
    if found.refused:
        await session.execute(_EXPLAIN, {"columns": columns})
        await session.execute(_REFUSED, {"import_id": import_id})
        await session.execute(_FOLLOWERS, {"import_id": import_id})
    await session.execute(_GONE, {"import_id": import_id})
    counts = found._asdict() | {"refused": await refused(session, import_id)}
    return counts | {"merged": rows - sum(counts.values())}


async def refused(session: AsyncSession, import_id: UUID) -> int:
    """How many rows are refused."""
    query = select(func.count()).where(ImportRow.import_id == import_id, ImportRow.errors.is_not(None))
    return await session.scalar(query) or 0


async def be_patient(session: AsyncSession) -> None:
    """Give the transaction the time that an import takes, and the memory to sort its rows without a file."""
    await session.execute(text("set local statement_timeout = '10min'"))
    await session.execute(text("set local work_mem = '64MB'"))
    await session.execute(text("set local idle_in_transaction_session_timeout = '5min'"))


async def take_turns(session: AsyncSession, entity: str) -> None:
    """Imports of one entity run one after another: wait until no other is at work."""
    await session.execute(text("set local lock_timeout = '10min'"))
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"import/{entity}", text("0")))))
    await session.execute(text("set local lock_timeout = '30s'"))


_SET_OUT = text("""
insert into incoming (row, key, external_id, record_id, is_new, is_changed, data, changes)
select row, data ->> 'key', data ->> 'external_id', record_id, true, false, data, changes
from import_rows where import_id = :import_id and errors is null and data ? 'values' order by row
""")

_REFUSE = text("""
update incoming i set errors = coalesce(i.errors, '[]') || e.errors
from (select (each ->> 'row')::bigint as row, jsonb_agg(each) as errors
  from jsonb_array_elements(:errors) as each group by 1) e
where i.row = e.row
""").bindparams(bindparam("errors", type_=JSONB))

# Errors found by statements know the field; the column that fills it and the value in it are added here.
_EXPLAIN = text("""
update incoming i set errors = (
  select jsonb_agg(jsonb_build_object('row', i.row, 'column', coalesce(each -> 'column',
    :columns -> (each ->> 'field')), 'field', each -> 'field', 'code', each -> 'code',
    'message', each -> 'message', 'nearest', each -> 'nearest',
    'value', coalesce(each -> 'value', i.data -> 'named' -> (each ->> 'field') -> 1,
      case each ->> 'field' when 'external_id' then to_jsonb(i.external_id)
      else i.data -> 'values' -> (each ->> 'field') end)))
  from jsonb_array_elements(i.errors) as each)
where i.errors is not null
""").bindparams(bindparam("columns", type_=JSONB))

_REFUSED = text("""
update import_rows r set errors = i.errors, data = null, changes = null, record_id = null
from incoming i where i.errors is not null and r.import_id = :import_id and r.row = i.row
""")

# Rows that are one with an earlier one share its fate. Each looks for that one in `incoming`: joined, all rows of the
# file would be gone through for each that is refused, since the planner believes that few are.
_FOLLOWERS = text("""
update import_rows r set data = null, errors = (
  select jsonb_agg(each || jsonb_build_object('row', r.row))
  from incoming i cross join lateral jsonb_array_elements(i.errors) as each
  where i.row = (r.data ->> 'same_as')::bigint)
where r.import_id = :import_id and exists (
  select from incoming i where i.row = (r.data ->> 'same_as')::bigint and i.errors is not null offset 0)
""")

_GONE = text("delete from import_rows where import_id = :import_id and errors is null")

_COUNTS = text("""
select count(*) filter (where is_new and errors is null) as created,
  count(*) filter (where is_changed and errors is null) as updated,
  count(*) filter (where not is_new and not is_changed and errors is null) as unchanged,
  count(*) filter (where errors is not null) as refused
from incoming
""")
