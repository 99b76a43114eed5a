"""What every database begins with: profiles, policies, picklists, the pipeline, settings, the system user.

Seeds are planted after each migration and never overwrite what is there.
"""

import csv
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db.models.users import Policy, Profile, User, Version
from app.db.models.vocabulary import Option, Picklist, Pipeline, Setting, Stage
from app.texts.names import OPPORTUNITY_PIPELINE, OPPORTUNITY_STAGES, PROFILES
from app.texts.picklists import PICKLISTS

SYSTEM_USER = UUID("00000000-0000-7000-8000-000000000000")
POLICIES = Path(__file__).parent.parent / "policies" / "defaults.csv"


async def plant(session: AsyncSession) -> None:
    """Plant what is missing, and let every process notice."""
    record: dict[str, Any] = {
        "version": 1,
        "source": "system",
        "created_at": clock.now(),
        "created_by": SYSTEM_USER,
        "updated_at": clock.now(),
        "updated_by": SYSTEM_USER,
    }
    if not await session.scalar(select(func.count()).select_from(Profile)):
        # Only ever together and once: what an administrator took away must not be granted again.
        await _add(session, Profile, [{"id": key, "labels": labels} for key, labels in PROFILES.items()])
        await _add(session, Policy, _policies())
    await _add(session, User, [_system_user(record)])
    await _add(session, Setting, [_settings()])
    await _picklists(session, record)
    await _pipeline(session, record)
    await remember_anew(session)


async def remember_anew(session: AsyncSession) -> None:
    """Mark what processes keep in memory as changed, by this transaction."""
    rows = insert(Version).values(
        [{"name": name, "xid": func.pg_current_xact_id()} for name in ("access", "vocabulary")]
    )
    await session.execute(rows.on_conflict_do_update(index_elements=["name"], set_={"xid": func.pg_current_xact_id()}))


async def _add(session: AsyncSession, model: Any, rows: list[dict[str, Any]]) -> None:
    table: Table = model.__table__
    if rows:
        await session.execute(insert(table).on_conflict_do_nothing(), rows)


def _system_user(record: dict[str, Any]) -> dict[str, Any]:
    return record | {
        "id": SYSTEM_USER,
        "name": "Clientela",
        "name_key": "clientela",
        "active": False,
        "username": "system",
        "username_key": "system",
        "profile_id": "administrator",
        "tags": [],
        "search_open": "",
        "archived_at": clock.now(),
    }


def _policies() -> list[dict[str, str]]:
    names = ("kind", "subject", "section", "action", "field_group", "scope")
    with POLICIES.open(newline="") as file:
        rows = csv.reader(file, skipinitialspace=True)
        return [dict(zip(names, [*row, "", "", ""][: len(names)], strict=True)) for row in rows]


def _settings() -> dict[str, Any]:
    return {
        "id": 1,
        "version": 1,
        "country": "ES",
        "currency": "EUR",
        "time_zone": "Europe/Madrid",
        "languages": ["es", "it", "en"],
        "business_hours": [{"weekday": weekday, "opens": "09:00", "closes": "18:00"} for weekday in range(1, 6)],
        "holidays": [],
        "customer_number_prefix": "C-",
        "minimum_information": {"customers": ["name"]},
    }


async def _picklists(session: AsyncSession, record: dict[str, Any]) -> None:
    planted = set(await session.scalars(select(Picklist.key)))
    for key, texts in PICKLISTS.items():
        if key in planted:
            continue
        id = uuid7()
        await _add(
            session, Picklist, [record | {"id": id, "key": key, "labels": texts.labels, "multiple": texts.multiple}]
        )
        options = [
            {
                "picklist_id": id,
                "key": option.key,
                "labels": option.labels,
                "position": position,
                "active": True,
                "about": dict(option.about),
            }
            for position, option in enumerate(texts.options)
        ]
        await _add(session, Option, options)


async def _pipeline(session: AsyncSession, record: dict[str, Any]) -> None:
    """The shipped pipeline: each open stage leads to the next, back to the one before, and to lost; the last to won."""
    if await session.scalar(select(func.count()).select_from(Pipeline).where(Pipeline.entity == "opportunities")):
        return
    id = uuid7()
    pipeline = record | {
        "id": id,
        "entity": "opportunities",
        "key": "sales",
        "labels": OPPORTUNITY_PIPELINE,
        "default": True,
    }
    await _add(session, Pipeline, [pipeline])
    opened = [stage.key for stage in OPPORTUNITY_STAGES if stage.kind == "open"]
    stages = []
    for position, stage in enumerate(OPPORTUNITY_STAGES):
        allowed: list[str] = []
        if stage.key in opened:
            at = opened.index(stage.key)
            allowed = [*opened[at + 1 : at + 2], *opened[max(at - 1, 0) : at], "lost"]
            allowed += ["won"] if at == len(opened) - 1 else []
        required = {"won": ["customer_id", "amount"], "lost": ["lost_reason"]}.get(stage.kind, [])
        stages.append(
            {
                "pipeline_id": id,
                "key": stage.key,
                "labels": stage.labels,
                "position": position,
                "kind": stage.kind,
                "probability": stage.probability,
                "required_fields": required,
                "allowed_next": allowed,
                "expected_days": stage.expected_days,
                "retired": False,
            }
        )
    await _add(session, Stage, stages)
