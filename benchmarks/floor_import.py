"""How does the floor load a file? COPY into each of the tables that ours writes, without asking anything of it."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from uuid_utils.compat import uuid7

CUSTOMERS = (
    *("id", "number", "kind", "name", "name_key", "relations", "owner_id", "assigned", "website", "employees"),
    *("annual_revenue", "currency", "tags", "phones", "emails", "addresses", "social_profiles", "origin"),
    *("customer_type", "sector", "country", "province", "municipality", "traits", "important_dates", "relatives"),
    *("hobbies", "rewards", "search_open", "search_contact_details", "version", "source", "created_at", "created_by"),
    *("updated_at", "updated_by"),
)
EVENTS = (
    *("occurred_at", "recorded_at", "type", "entity", "record_id", "version", "customer_id", "changes", "actor"),
    *("source", "operation_id"),
)


async def load(connection: asyncpg.Connection, content: bytes, actor: UUID) -> int:
    """The file's customers, in one transaction; answers how many."""
    customers: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    keys: list[tuple[Any, ...]] = []
    pairs: list[tuple[Any, ...]] = []
    now, operation = datetime.now(UTC), uuid7()
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    async with connection.transaction():
        last = await connection.fetchval(
            "select setval('customer_number', nextval('customer_number') + $1)", len(lines)
        )
        for number, line in enumerate(lines, last - len(lines)):
            id, name, domain = uuid7(), line["name"].lower(), line["website"].removeprefix("https://")
            address = {name: line[name] for name in ("country", "province", "municipality")}
            phones = orjson.dumps([{"kind": "landline", "number": line["phone"], "primary": True}]).decode()
            emails = orjson.dumps([{"address": line["email"], "primary": True}]).decode()
            values: tuple[Any, ...] = (
                id,
                f"C-{number:06}",
                "company",
                line["name"],
                name,
                "[]",
                actor,
                True,
                line["website"],
            )
            values += (int(line["employees"]), Decimal(line["annual_revenue"]), line["currency"], [], phones, emails)
            values += (orjson.dumps([{"kind": "main", **address}]).decode(), "[]", line["origin"])
            values += (line["customer_type"], line["sector"], *address.values(), "[]", "[]", "[]", [], [])
            customers.append((*values, name, f"{line['email']} {line['phone']}", 1, "import", now, actor, now, actor))
            changes = orjson.dumps({name: [None, value] for name, value in line.items()}).decode()
            events.append((now, now, "customer.created", "customers", id, 1, id, changes, actor, "import", operation))
            for kind, key in (("name", name), ("domain", domain), ("email", line["email"]), ("phone", line["phone"])):
                keys.append((id, kind, key, "customers"))
            pairs.append((id, actor, "owner"))
        copy = connection.copy_records_to_table
        await copy("customers", columns=CUSTOMERS, records=customers)
        await copy("events", columns=EVENTS, records=events)
        await copy("match_keys", columns=("record_id", "kind", "key", "entity"), records=keys)
        await copy("customer_assignees", columns=("customer_id", "user_id", "role"), records=pairs)
    return len(lines)
