"""Worlds to ask questions in: people with records of their own, kept as snapshots that a test goes back to."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from app import clock
from app.db import session
from app.db.models import metadata
from tests.conftest import Client, People

# Written by merely asking: what was tried and answered, and when somebody was last seen.
ASKING = {"idempotency_keys", "rate_counts", "sessions", "sign_in_attempts"}

TEMPLATE = {"name": "Thanks", "key": "thanks", "subject": {"en": "Thank you"}, "text": {"en": "We call you."}}
FORM = {"name": "Contact us", "key": "contact-us", "fields": [{"key": "email", "required": True}]}

Relation = str
Ids = dict[str, UUID]


async def execute(sql: str, *values: Any) -> None:
    """Change the database behind the product's back, in one transaction."""
    pool = await session.reading_pool()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set transaction read write")
        await connection.execute(sql, *values)


async def fetch(sql: str, *values: Any) -> list[Any]:
    pool = await session.reading_pool()
    async with pool.acquire() as connection:
        return list(await connection.fetch(sql, *values))


async def snapshot(name: str) -> Callable[[], Awaitable[None]]:
    """Keep every table as it is now. The answer puts back those that differ, and lets every process notice."""
    copies = [f'create table {name}."{table.name}" as table public."{table.name}"' for table in metadata.sorted_tables]
    await execute(";".join([f"drop schema if exists {name} cascade", f"create schema {name}", *copies]))
    kept = await fingerprint(set())

    async def restore() -> None:
        now = await fingerprint(set())
        # Tables are put back one by one, so what refers to what is not looked at meanwhile.
        steps = ["set local session_replication_role = replica"]
        for table in metadata.sorted_tables:
            if now[table.name] != kept[table.name]:
                columns = ", ".join(f'"{column.name}"' for column in table.c)
                steps.append(f'delete from "{table.name}"')
                steps.append(
                    f'insert into "{table.name}" ({columns}) overriding system value'
                    f' select {columns} from {name}."{table.name}"'
                )
        await execute(";".join([*steps, "update versions set xid = pg_current_xact_id()"]))

    return restore


async def fingerprint(without: Collection[str] = ASKING) -> dict[str, str]:
    """A hash of each table: of those that only a write changes, if nothing else is said."""
    hashes = [
        f"select '{table.name}' as name, md5(string_agg(t::text, '' order by t::text)) as hash from \"{table.name}\" t"
        for table in metadata.sorted_tables
        if table.name not in without
    ]
    return {row["name"]: row["hash"] for row in await fetch(" union all ".join(hashes))}


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
        for kind, given in values.items():
            parent = {} if kind in ("customers", "leads") else {"customer_id": str(made["customers"])}
            answer = await self.administrator.put(
                f"/v1/{kind}/by/other/{relation}", json=given | parent | more.get(kind, {})
            )
            assert answer.status_code == 201, answer.text
            made[kind] = UUID(answer.json()["id"])
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


async def insert(kind: str, values: dict[str, Any]) -> UUID:
    """A row of a kind that has no route to make it by."""
    id = uuid7()
    row = orjson.dumps(values | {"id": id}, default=str).decode()
    await execute(f'insert into "{kind}" select (jsonb_populate_record(null::"{kind}", $1::text::jsonb)).*', row)
    return id
