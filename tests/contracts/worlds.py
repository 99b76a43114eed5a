"""Worlds to ask questions in: people with records of their own, and what changes in them taken back."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Numeric
from uuid_utils.compat import uuid7

from app import clock
from app.db import session
from app.db.models import metadata
from tests.conftest import Client, People

# Written by merely asking: what was tried and answered, and when somebody was last seen.
ASKING = {"idempotency_keys", "rate_counts", "sessions", "sign_in_attempts"}

TABLES = [table for table in metadata.sorted_tables if table.name not in ASKING]

TEMPLATE = {"name": "Thanks", "key": "thanks", "subject": {"en": "Thank you"}, "text": {"en": "We call you."}}
PROFILE = {"labels": {"es": "Otro", "it": "Altro", "en": "Other"}, "copy_of": "support"}
FORM = {"name": "Contact us", "key": "contact-us", "fields": [{"key": "email", "required": True}]}

Relation = str
Rows = dict[str, list[dict[str, Any]]]
Ids = dict[str, UUID]


async def execute(sql: str, *values: Any) -> None:
    """Change the database behind the product's back, in one transaction."""
    pool = await session.reading_pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set transaction read write")
        await connection.execute(sql, *values)


async def change(sql: str, *values: Any) -> list[Any]:
    """The same with an answer."""
    pool = await session.reading_pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set transaction read write")
        return list(await connection.fetch(sql, *values))


async def fetch(sql: str, *values: Any) -> list[Any]:
    pool = await session.reading_pool()
    async with pool.acquire() as connection:
        return list(await connection.fetch(sql, *values))


@dataclass
class Memory:
    """Every change to any table since it was begun, by the name of its schema."""

    name: str

    async def mark(self) -> int:
        """The moment: to take back what changes from now on."""
        found: int = (await fetch(f"select coalesce(max(id), 0) from {self.name}.changes"))[0][0]
        return found

    async def take_back(self, mark: int = 0) -> set[str]:
        """Undo what changed since the mark. The names of the tables in which something did."""
        return set((await change(f"select {self.name}.take_back($1)", mark))[0][0] or ())

    async def forget(self) -> None:
        await execute(f"drop schema {self.name} cascade")


async def remember(name: str) -> Memory:
    """Write down every change from now on, row by row: taking back costs what changed, not what there is."""
    triggers = [
        f'create trigger remember after insert or update or delete on "{table.name}"'
        f' for each row execute function {name}.remember(); alter table "{table.name}" enable always trigger remember'
        for table in metadata.sorted_tables
    ]
    await execute(";".join([f"drop schema if exists {name} cascade", _REMEMBERING.format(name=name), *triggers]))
    return Memory(name)


# Rows are put back one by one, so what refers to what is not looked at meanwhile. The versions are put back too: what
# a process remembers of a later one is not asked for again.
_REMEMBERING = """
create schema {name};
create table {name}.changes (id bigint generated always as identity, kind text, before json, after json);
create function {name}.remember() returns trigger language plpgsql as $$
begin
  insert into {name}.changes (kind, before, after) values (tg_table_name,
    case when tg_op <> 'INSERT' then to_json(old) end, case when tg_op <> 'DELETE' then to_json(new) end);
  return null;
end $$;
create function {name}.take_back(mark bigint) returns text[] language plpgsql as $$
declare
  change record;
  changed text[] := (select array_agg(distinct kind) from {name}.changes where id > mark);
begin
  set local session_replication_role = replica;
  for change in select * from {name}.changes where id > mark order by id desc loop
    if change.after is not null then
      execute format('delete from %1$I t where to_json(t)::text = $1::text', change.kind)
        using change.after;
    end if;
    if change.before is not null then
      execute format('insert into %1$I overriding system value select (json_populate_record(null::%1$I, $1)).*',
        change.kind) using change.before;
    end if;
  end loop;
  delete from {name}.changes where id > mark;
  return changed;
end $$
"""


async def fingerprint(without: Collection[str] = ASKING) -> dict[str, str]:
    """A hash of each table: of those that only a write changes, if nothing else is said."""
    hashes = [
        f"select '{table.name}' as name, md5(string_agg(t::text, '' order by t::text)) as hash from \"{table.name}\" t"
        for table in metadata.sorted_tables
        if table.name not in without
    ]
    return {row["name"]: row["hash"] for row in await fetch(" union all ".join(hashes))}


async def read_rows() -> Rows:
    """All rows of all tables, by table. Decimal numbers are texts, so that they keep their digits."""
    tables = []
    for each in TABLES:
        decimals = [
            f"'{column.name}', \"{column.name}\"::text" for column in each.c if isinstance(column.type, Numeric)
        ]
        row = f"to_jsonb(t) || jsonb_build_object({', '.join(decimals)})"
        tables.append(f"select '{each.name}' as kind, ({row})::text as row from \"{each.name}\" t")
    rows: Rows = {each.name: [] for each in TABLES}
    for found in await fetch(" union all ".join(tables)):
        rows[found["kind"]].append(orjson.loads(found["row"]))
    return rows


async def write_rows(rows: Rows, before: Rows) -> None:
    """Replace the rows of the tables that differ from what they were."""
    steps = ["set local session_replication_role = replica"]
    for kind, each in rows.items():
        if each != before[kind]:
            literal = orjson.dumps(each).decode().replace("'", "''")
            steps.append(f'delete from "{kind}"')
            steps.append(
                f'insert into "{kind}" overriding system value'
                f" select * from json_populate_recordset(null::\"{kind}\", '{literal}')"
            )
    await execute(";".join(steps))


@dataclass
class World:
    """An administrator who made it all, and the ids of what there is: relation → kind of record → id."""

    administrator: Client
    people: People
    records: dict[Relation, Ids] = field(default_factory=dict)

    async def furnish(self, relation: Relation, owner_id: UUID | None, **more: dict[str, Any]) -> Ids:
        """A record of each kind of somebody's or nobody's, of one customer but for a fresh lead; `more`: kind → further
        values. Each is known to the system `other` by its relation.
        """
        owner = None if owner_id is None else str(owner_id)
        values: dict[str, dict[str, Any]] = {
            "customers": {"name": f"Customer {relation}", "owner_id": owner},
            "contacts": {"first_name": "Contact", "last_name": relation},
            "opportunities": {"name": f"Opportunity {relation}", "owner_id": owner},
            "leads": {"company_name": f"Lead {relation}", "owner_id": owner},
            "activities": {"kind": "call", "subject": f"Activity {relation}", "owner_id": owner},
            "messages": {"channel": "phone", "subject": f"Message {relation}", "owner_id": owner},
        }
        made: Ids = {}
        # Also what somebody was given before they had a profile that does not read it.
        profile = await fetch("select profile_id from users where id = $1", owner_id)
        await execute("update users set profile_id = 'administrator' where id = $1", owner_id)
        for kind, given in values.items():
            parent = {} if kind in ("customers", "leads") else {"customer_id": str(made["customers"])}
            answer = await self.administrator.put(
                f"/v1/{kind}/by/other/{relation}", json=given | parent | more.get(kind, {})
            )
            assert answer.status_code == 201, answer.text
            made[kind] = UUID(answer.json()["id"])
        if profile:
            await execute("update users set profile_id = $2 where id = $1", owner_id, profile[0][0])
        self.records[relation] = made
        return made

    async def furnish_company(self, name: str) -> Ids:
        """What belongs to no customer: a template, a form with a submission, a workflow with a run."""
        made: Ids = {}
        for kind, given in (("templates", TEMPLATE), ("forms", FORM)):
            answer = await self.administrator.put(f"/v1/{kind}/by/other/{name}", json=given)
            assert answer.status_code == 201, answer.text
            made[kind] = UUID(answer.json()["id"])
        common = {"version": 1, "source": "system"}
        common |= {"created_by": self.administrator.user_id, "updated_by": self.administrator.user_id}
        common |= {"created_at": clock.now(), "updated_at": clock.now()}
        rows: dict[str, dict[str, Any]] = {
            "submissions": {"form_id": made["forms"], "state": "accepted", "language": "es", "consent": False}
            | {"values": {"email": "ana@acero.es"}, "utm": {}, "fingerprint": "\\x00"},
            "workflows": {"key": "other", "name": "Other", "name_key": "other", "labels": {}, "enabled": False}
            | {"trigger": {"kind": "stay", "entity": "opportunities"}, "options": {"days": 10}, "search_open": ""},
        }
        for kind, values in rows.items():
            made[kind] = await insert(kind, values | common)
        run = {"workflow_id": made["workflows"], "entity": "leads", "record_id": uuid7(), "episode": "1"}
        run |= {"repetition": 0, "state": "done", "due_at": clock.now(), "steps": []}
        made["workflow_runs"] = await insert("workflow_runs", run | common)
        return made


async def failed_job() -> int:
    """The id of a job that could not be done."""
    sql = """insert into jobs (kind, dedupe, payload, run_at, state, attempts, fence, last_error)
      values ('tidy', 'failed', '{}', now(), 'failed', 8, 8, 'OSError') returning id"""
    return int((await change(sql))[0][0])


async def insert(kind: str, values: dict[str, Any]) -> UUID:
    """A row of a kind that has no route to make it by."""
    id = uuid7()
    row = orjson.dumps(values | {"id": id}, default=str).decode()
    await execute(f'insert into "{kind}" select (jsonb_populate_record(null::"{kind}", $1::text::jsonb)).*', row)
    return id
