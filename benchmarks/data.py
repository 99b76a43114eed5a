"""What does the bench run on? Data set D: the same rows each time, straight into a migrated and planted database."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.db import seeds, session, user_reach
from app.db.models import metadata
from app.db.seeds import SYSTEM_USER
from app.domain.entities.values import fold, search_text

CUSTOMERS = 100_000
OPPORTUNITIES = 200_000
OWNERS = 50
TEAM = 10
# A thousand customers have many opportunities, the rest share the others.
LARGE, OPPORTUNITIES_OF_LARGE = 1_000, 40
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
SECTORS = (
    "technology",
    "medical",
    "retail",
    "software",
    "entertainment",
    "marketing",
    "telecommunications",
    "finance",
    "services",
    "manufacturing",
    "construction",
    "food",
)
OPEN_STAGES = ("reception", "qualification", "proposal", "negotiation")
STAGES = {"reception": 20, "qualification": 20, "proposal": 15, "negotiation": 10, "won": 20, "lost": 15}
TRADES = "Construcciones Talleres Bodegas Transportes Ferramenta Officine Panificio Studio Grupo Laboratorios".split()
SURNAMES = (
    "Muñoz García Peña Ibáñez Ferrer Rossi Conti Gallo Núñez Esposito Romano Vidal Castaño Bianchi Ricci Soler Crespo "
    "Herrera Marini Greco Lozano Fontana Blanco Prieto Santoro Caruso Moya Rivas Serra Lombardi Barbieri Cano Duarte "
    "Testa Ferrara Gil Cortés Iglesias Medina Sanz Moretti Fabbri Pons Arias Colombo Vega Leone Longo Bravo Salas"
).split()
FORMS = ("S.L.", "S.A.", "S.r.l.", "S.p.A.", "Hnos.", "e Figli")
PLACES = (
    ("ES", "Comunidad de Madrid", "Madrid", "Alcobendas"),
    ("ES", "Cataluña", "Barcelona", "Sabadell"),
    ("ES", "Andalucía", "Málaga", "Ronda"),
    ("IT", "Lombardia", "Milano", "Monza"),
    ("IT", "Toscana", "Firenze", "Empoli"),
    ("IT", "Lazio", "Roma", "Tivoli"),
)

Row = dict[str, Any]


async def plant(address: str, size: float) -> None:
    """Fill the database at `address` with D, `size` times as large; the environment names the same database."""
    chance = random.Random(5)
    connection = await asyncpg.connect(address)
    pipeline_id = await connection.fetchval("select id from pipelines where entity = 'opportunities' and \"default\"")
    stages = {row["key"]: row for row in await connection.fetch("select * from stages where pipeline_id = $1", pipeline_id)}
    users = list(_users())
    owners = [user["id"] for user in users if user["profile_id"] == "sales"]
    customers = list(_customers(chance, owners, int(CUSTOMERS * size)))
    opportunities = list(_opportunities(chance, owners, customers, int(OPPORTUNITIES * size), pipeline_id, stages))
    reasons = [
        {"customer_id": row["customer_id"], "user_id": row["owner_id"], "entity": "opportunities", "record_id": row["id"]}
        for row in opportunities
    ]
    owned = {(row["id"], row["owner_id"]) for row in customers}
    others = dict.fromkeys((row["customer_id"], row["user_id"]) for row in reasons)
    assignees = [{"customer_id": id, "user_id": owner, "role": "owner"} for id, owner in owned]
    assignees += [{"customer_id": id, "user_id": user} for id, user in others if (id, user) not in owned]
    for table, rows in (
        ("users", users),
        ("sessions", [_session(user) for user in users]),
        ("customers", customers),
        ("customer_assignees", sorted(assignees, key=lambda row: (row["customer_id"], row["user_id"]))),
        ("assignment_reasons", reasons),
        ("opportunities", opportunities),
        ("stage_stays", _stays(customers, opportunities)),
    ):
        await _copy(connection, metadata.tables[table], rows)
    await connection.execute("select setval('customer_number', $1::bigint)".replace("$1", str(len(customers))))
    async with session.transaction("system") as transaction:
        await user_reach.rewrite(transaction)
        await seeds.remember_anew(transaction)
    await session.close()
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()


async def _copy(connection: asyncpg.Connection, table: Table, rows: Iterable[Row]) -> None:
    columns = [column for column in table.c if column.identity is None and column.server_default is None]
    empty = {column.name: _empty(column) for column in columns}
    await connection.copy_records_to_table(
        table.name, columns=list(empty), records=([*(empty | row).values()] for row in rows)
    )


def _empty(column: Any) -> Any:
    if column.nullable:
        return None
    if isinstance(column.type, JSONB):
        return "[]"
    if isinstance(column.type, ARRAY):
        return []
    return "" if isinstance(column.type, Text) else None


def _id(kind: int, number: int) -> UUID:
    """In the order in which they were made, as version 7 has it."""
    milliseconds = int(BEGAN.timestamp() * 1000) + number
    return UUID(int=milliseconds << 80 | 7 << 76 | kind << 64 | 2 << 62 | number * 0x9E3779B97F4A7C15 % (1 << 62))


def _record(by: UUID) -> Row:
    stamps = {"created_at": BEGAN, "created_by": by, "updated_at": BEGAN, "updated_by": by}
    return {"version": 1, "source": "import", **stamps}


def _users() -> Iterator[Row]:
    """A manager for every ten owners."""
    for number in range(OWNERS + OWNERS // TEAM):
        managed, key = number >= OWNERS // TEAM, f"person{number}"
        yield _record(SYSTEM_USER) | {
            "id": _id(1, number),
            "name": key,
            "name_key": key,
            "username": key,
            "username_key": key,
            "search_open": key,
            "active": True,
            "profile_id": "sales" if managed else "manager",
            "manager_id": _id(1, number // TEAM - 1 + (OWNERS // TEAM % TEAM > 0) if False else number % (OWNERS // TEAM))
            if managed
            else None,
        }
