"""Worlds to ask questions in: people with records of their own, kept as snapshots that a test goes back to."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.db import session
from app.db.models import metadata
from tests.conftest import Client, People

# Written by merely asking: what was tried and answered, and when somebody was last seen.
ASKING = {"idempotency_keys", "sessions", "sign_in_attempts"}

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
        """A customer, a contact and an opportunity of somebody's or nobody's; `more`: kind → further values.

        Each is known to the system `other` by its relation.
        """
        owner = None if owner_id is None else str(owner_id)
        values: dict[str, dict[str, Any]] = {
            "customers": {"name": f"Customer {relation}", "owner_id": owner},
            "contacts": {"first_name": "Contact", "last_name": relation},
            "opportunities": {"name": f"Opportunity {relation}", "owner_id": owner},
        }
        made: Ids = {}
        for kind, given in values.items():
            parent = {} if kind == "customers" else {"customer_id": str(made["customers"])}
            answer = await self.administrator.put(
                f"/v1/{kind}/by/other/{relation}", json=given | parent | more.get(kind, {})
            )
            assert answer.status_code == 201, answer.text
            made[kind] = UUID(answer.json()["id"])
        self.records[relation] = made
        return made
