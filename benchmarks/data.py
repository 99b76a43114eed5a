"""What does the bench run on? Data set D: the same rows each time, straight into a migrated and planted database."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import ARRAY, Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from app.db import seeds, session, user_reach
from app.db.models import metadata
from app.db.seeds import SYSTEM_USER
from app.domain.entities.values import fold, search_text
from app.server import embedded
from app.settings import PROJECT, settings
from benchmarks import hanging

Row = dict[str, Any]

CUSTOMERS, OPPORTUNITIES, DIRECTORS, MANAGERS, OWNERS, MARKETERS = 100_000, 200_000, 16, 5, 50, 16
# A thousand customers have forty opportunities each, the rest share the others.
LARGE, OPPORTUNITIES_OF_LARGE = 1_000, 40
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
OPEN_STAGES = ("reception", "qualification", "proposal", "negotiation")
SHARES = {"reception": 20, "qualification": 20, "proposal": 15, "negotiation": 10, "won": 20, "lost": 15}
SECTORS = (
    *("technology", "medical", "retail", "software", "entertainment", "marketing"),
    *("telecommunications", "finance", "services", "manufacturing", "construction", "food"),
)
TYPES, ORIGINS = ("end_customer", "distributor", "reseller"), ("web_search", "event", "word_of_mouth", "partner")
LIFECYCLE = ("potential", "possible", "probable", "customer", "at_risk")
TRADES = (
    "Construcciones",
    "Talleres",
    "Bodegas",
    "Transportes",
    "Ferramenta",
    "Officine",
    "Panificio",
    "Studio",
    "Grupo",
    "Laboratorios",
)
SURNAMES = (
    *("Muñoz", "García", "Peña", "Ibáñez", "Ferrer", "Rossi", "Conti", "Gallo", "Núñez", "Esposito"),
    *("Romano", "Vidal", "Castaño", "Bianchi", "Ricci", "Soler", "Crespo", "Herrera", "Marini", "Greco"),
    *("Lozano", "Fontana", "Blanco", "Prieto", "Santoro", "Caruso", "Moya", "Rivas", "Serra", "Lombardi"),
    *("Barbieri", "Cano", "Duarte", "Testa", "Ferrara", "Gil", "Cortés", "Iglesias", "Medina", "Sanz"),
    *("Moretti", "Fabbri", "Pons", "Arias", "Colombo", "Vega", "Leone", "Longo", "Bravo", "Salas"),
)
FORMS = ("S.L.", "S.A.", "S.r.l.", "S.p.A.", "Hnos.", "e Figli")
PLACES = (
    ("ES", "Comunidad de Madrid", "Madrid", "Alcobendas"),
    ("ES", "Cataluña", "Barcelona", "Sabadell"),
    ("ES", "Andalucía", "Málaga", "Ronda"),
    ("IT", "Lombardia", "Milano", "Monza"),
    ("IT", "Toscana", "Firenze", "Empoli"),
    ("IT", "Lazio", "Roma", "Tivoli"),
)


@contextmanager
def planted(folder: Path, size: int) -> Iterator[str]:
    """PostgreSQL and Valkey with D; the environment names them, and the answer is PostgreSQL's address."""
    with embedded.postgres(folder) as address, embedded.valkey(folder) as redis:
        os.environ |= {"CRM_DATABASE_URL": address, "CRM_REDIS_URL": redis, "CRM_SECRET_KEY": "only for the bench" * 2}
        settings.cache_clear()
        command = [sys.executable, "-m", "app.cli", "migrate"]
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        if not (folder / "planted").exists():
            asyncio.run(plant(address, size))
            (folder / "planted").touch()
        asyncio.run(_sign_in(address))
        yield address


async def plant(address: str, size: int) -> None:
    """Fill the database at `address`, which the environment names too, with D, `size` times as large."""
    connection = await asyncpg.connect(address)
    chance = random.Random(5)
    stages = {
        row["key"]: row
        for row in await connection.fetch(
            "select s.* from stages s join pipelines p on p.id = s.pipeline_id where p.entity = 'opportunities'"
        )
    }
    users, sellers = list(_users()), owners()
    customers = [_customer(chance, sellers, number) for number in range(CUSTOMERS * size)]
    opportunities = [
        _opportunity(chance, sellers, customer, number, stages)
        for number, customer in enumerate(_customers_of_opportunities(chance, customers, OPPORTUNITIES * size))
    ]
    roles = {(row["customer_id"], row["owner_id"]): None for row in opportunities}
    roles |= {(row["id"], row["owner_id"]): "owner" for row in customers}
    rows: dict[str, Iterable[Row]] = {
        "users": users,
        "customers": customers,
        "customer_assignees": (
            {"customer_id": id, "user_id": user, "role": role} for (id, user), role in roles.items()
        ),
        "opportunities": opportunities,
        "assignment_reasons": (
            {"customer_id": row["customer_id"], "user_id": row["owner_id"], "entity": "opportunities"}
            | {"record_id": row["id"]}
            for row in opportunities
        ),
        "stage_stays": (stay for row in opportunities for stay in _stays(row)),
    }
    # Nothing is asked of the other tables for each row: what is made here refers to what is made here.
    await connection.execute("set session_replication_role = replica")
    for table, of_table in rows.items():
        await _copy(connection, metadata.tables[table], of_table)
    await connection.execute("select setval('customer_number', $1)", len(customers))
    await hanging.plant(connection, SURNAMES, BEGAN, size)
    async with session.transaction("system") as transaction:
        await user_reach.rewrite(transaction)
        await seeds.remember_anew(transaction)
    await session.close()
    await connection.execute("vacuum analyze")
    await connection.close()


async def _copy(connection: asyncpg.Connection, table: Table, rows: Iterable[Row]) -> None:
    empty = {column.name: _empty(column) for column in table.c if not column.identity and not column.server_default}
    records = ([*(empty | row).values()] for row in rows)
    indexes = await hanging.without_indexes(connection, table.name)
    await connection.copy_records_to_table(table.name, columns=list(empty), records=records)
    for definition in indexes:
        await connection.execute(definition)


def _empty(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, JSONB):
        return "[]"
    return [] if isinstance(column.type, ARRAY) else ""


def record_id(kind: int, number: int) -> UUID:
    """Version 7: in the order in which the records were made."""
    milliseconds = int(BEGAN.timestamp() * 1000) + number
    scattered = number * 0x9E3779B97F4A7C15 % (1 << 62)
    return UUID(int=milliseconds << 80 | 7 << 76 | kind << 64 | 2 << 62 | scattered)


def _record(by: UUID) -> Row:
    stamps = {"created_at": BEGAN, "created_by": by, "updated_at": BEGAN, "updated_by": by}
    return {"version": 1, "source": "import", **stamps}


def owners() -> list[UUID]:
    return [record_id(1, MANAGERS + number) for number in range(OWNERS)]


def directors() -> list[UUID]:
    return [record_id(1, MANAGERS + OWNERS + number) for number in range(DIRECTORS)]


def marketers() -> list[UUID]:
    return [record_id(1, MANAGERS + OWNERS + DIRECTORS + number) for number in range(MARKETERS)]


def _users() -> Iterator[Row]:
    """The managers, the owners in turn below them, then directors, each below the next and all above the managers, who
    so reach everybody, and those of marketing, who see all."""
    people: list[tuple[str, UUID | None]] = [("manager", record_id(1, MANAGERS + OWNERS))] * MANAGERS
    people += [("sales", record_id(1, number % MANAGERS)) for number in range(OWNERS)]
    people += [("manager", record_id(1, MANAGERS + OWNERS + number + 1)) for number in range(DIRECTORS - 1)]
    people += [("manager", None), *[("marketing", None)] * MARKETERS]
    for number, (profile, manager) in enumerate(people):
        names = dict.fromkeys(("name", "name_key", "username", "username_key", "search_open"), f"person {number}")
        place = {"profile_id": profile, "manager_id": manager}
        yield _record(SYSTEM_USER) | names | place | {"id": record_id(1, number), "active": True}


async def _sign_in(address: str) -> None:
    """Everybody, in a session that has the user's own id: all that a token needs."""
    connection = await asyncpg.connect(address)
    await connection.execute(
        "insert into sessions (id, user_id, created_at, last_used_at) select id, id, now(), now() from users"
        " where not service on conflict (id) do update set last_used_at = now()"
    )
    await connection.close()


def _customer(chance: random.Random, owners: list[UUID], number: int) -> Row:
    name = f"{chance.choice(TRADES)} {chance.choice(SURNAMES)} {chance.choice(SURNAMES)} {chance.choice(FORMS)}"
    owner, website = chance.choice(owners), f"https://empresa{number}.example"
    phone, email = f"+3491{number % 10_000_000:07}", f"info@empresa{number}.example"
    country, region, province, municipality = chance.choice(PLACES)
    address = {"kind": "main", "street": "Calle Mayor 1", "city": None, "municipality": municipality}
    address |= {"province": province, "region": region, "postal_code": "28001", "country": country}
    return _record(owner) | {
        "id": record_id(2, number),
        "number": f"C-{number + 1:06}",
        "kind": "company",
        "name": name,
        "name_key": fold(name),
        "owner_id": owner,
        "assigned": True,
        "website": website,
        "employees": chance.randrange(1, 500),
        "annual_revenue": Decimal(chance.randrange(50_000, 5_000_000)),
        "currency": "EUR",
        "phones": orjson.dumps([{"kind": "landline", "number": phone, "primary": True}]).decode(),
        "emails": orjson.dumps([{"address": email, "primary": True, "invalid": False}]).decode(),
        "addresses": orjson.dumps([address]).decode(),
        "origin": chance.choice(ORIGINS),
        "customer_type": chance.choice(TYPES),
        "sector": chance.choice(SECTORS),
        "country": country,
        "region": region,
        "province": province,
        "municipality": municipality,
        "lifecycle_stage": chance.choice(LIFECYCLE),
        "lifecycle_stage_entered_at": BEGAN,
        "search_open": search_text(name, website.removeprefix("https://")),
        "search_contact_details": search_text(email, phone),
    }


def _customers_of_opportunities(chance: random.Random, customers: list[Row], count: int) -> Iterator[Row]:
    large = customers[:: CUSTOMERS // LARGE]
    for number in range(count):
        few = number < len(large) * OPPORTUNITIES_OF_LARGE
        yield large[number % len(large)] if few else chance.choice(customers)


def _opportunity(
    chance: random.Random, owners: list[UUID], customer: Row, number: int, stages: Mapping[str, Any]
) -> Row:
    """One in ten is somebody else's than the customer's owner."""
    owner = chance.choice(owners) if chance.random() < 0.1 else customer["owner_id"]
    stage = stages[chance.choices(list(SHARES), list(SHARES.values()))[0]]
    opened = BEGAN + timedelta(minutes=chance.randrange(500_000))
    entered = opened + timedelta(days=10)
    name = f"{chance.choice(TRADES)} {customer['name']}"
    return _record(owner) | {
        "id": record_id(3, number),
        "name": name,
        "name_key": fold(name),
        "customer_id": customer["id"],
        "owner_id": owner,
        "opened_at": opened,
        "pipeline_id": stage["pipeline_id"],
        "stage": stage["key"],
        "stage_kind": stage["kind"],
        "stage_entered_at": opened if stage["key"] == OPEN_STAGES[0] else entered,
        "closed_at": None if stage["kind"] == "open" else entered,
        "lost_reason": "price" if stage["kind"] == "lost" else None,
        "amount": Decimal(chance.randrange(500, 90_000)),
        "currency": "EUR",
        "probability": stage["probability"],
        "search_open": search_text(name),
    }


def _stays(opportunity: Row) -> Iterator[Row]:
    """From the opening in the first stage, unless it is still there, then in the present one."""
    stay = {"entity": "opportunities", "record_id": opportunity["id"], "field": "stage", "source": "import"}
    stay |= {"pipeline_id": opportunity["pipeline_id"], "by": opportunity["owner_id"]}
    opened, entered = opportunity["opened_at"], opportunity["stage_entered_at"]
    if opened != entered:
        yield stay | {"stage": OPEN_STAGES[0], "entered_at": opened, "left_at": entered}
    yield stay | {"stage": opportunity["stage"], "entered_at": entered}
