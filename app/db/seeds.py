"""What every database begins with: profiles, policies, picklists, pipelines, templates, workflows, the system user.

Seeds are planted after each migration and never overwrite what is there.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db.models.messages import Template
from app.db.models.users import Policy, Profile, User, Version
from app.db.models.vocabulary import Option, Picklist, Pipeline, Setting, Stage
from app.db.models.workflows import Workflow
from app.domain.entities.text import fold, search_text
from app.domain.entities.workflows import OPTIONS
from app.texts.labels import Labels
from app.texts.messages import TEMPLATES, WORKFLOWS
from app.texts.names import (
    LEAD_PIPELINE,
    LEAD_STAGES,
    OPPORTUNITY_PIPELINE,
    OPPORTUNITY_STAGES,
    PROFILES,
    StageText,
)
from app.texts.picklists import PICKLISTS

SYSTEM_USER = UUID("00000000-0000-7000-8000-000000000000")
TRIGGERS = {
    "web_lead": {"kind": "event", "event": "lead.created", "sources": ["form"]},
    "stalled_opportunity": {"kind": "stay", "entity": "opportunities"},
}
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
    won_and_lost = {"won": ["customer_id", "amount"], "lost": ["lost_reason"]}
    await _pipeline(session, record, "opportunities", "sales", OPPORTUNITY_PIPELINE, OPPORTUNITY_STAGES, won_and_lost)
    await _pipeline(session, record, "leads", "leads", LEAD_PIPELINE, LEAD_STAGES, {"lost": ["discard_reason"]})
    await _templates(session, record)
    await _workflows(session, record)
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


def shipped(profile: str) -> list[dict[str, str]]:
    """The policies that a profile was shipped with."""
    return [each for each in _policies() if each["subject"] == f"profile:{profile}"]


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
        "minimum_information": {"customers": ["name"], "activity_reports": ["outcome"]},
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


async def _pipeline(
    session: AsyncSession,
    record: dict[str, Any],
    entity: str,
    key: str,
    labels: Labels,
    texts: Sequence[StageText],
    required: Mapping[str, list[str]],
) -> None:
    """A shipped pipeline: each open stage leads to the next, back to the one before, and to the lost one; the last one
    of opportunities to won. Leads are won by being converted. required: the fields that each kind of stage requires."""
    if await session.scalar(select(func.count()).select_from(Pipeline).where(Pipeline.entity == entity)):
        return
    id = uuid7()
    pipeline = record | {"id": id, "entity": entity, "key": key, "labels": labels, "default": True}
    await _add(session, Pipeline, [pipeline])
    opened = [stage.key for stage in texts if stage.kind == "open"]
    ends = {stage.kind: stage.key for stage in texts}
    stages = []
    for position, stage in enumerate(texts):
        allowed: list[str] = []
        if stage.key in opened:
            at = opened.index(stage.key)
            allowed = [*opened[at + 1 : at + 2], *opened[max(at - 1, 0) : at], ends["lost"]]
            allowed += [ends["won"]] if entity == "opportunities" and at == len(opened) - 1 else []
        stages.append(
            {
                "pipeline_id": id,
                "key": stage.key,
                "labels": stage.labels,
                "position": position,
                "kind": stage.kind,
                "probability": stage.probability,
                "required_fields": required.get(stage.kind, []),
                "allowed_next": allowed,
                "expected_days": stage.expected_days,
                "retired": False,
            }
        )
    await _add(session, Stage, stages)


async def _templates(session: AsyncSession, record: dict[str, Any]) -> None:
    planted = set(await session.scalars(select(Template.key)))
    rows = [
        record
        | {"id": uuid7(), "key": key, "name": name["en"], "name_key": fold(name["en"])}
        | {"channel": "email", "subject": subject, "text": text, "search_open": search_text(name["en"], key)}
        for key, (name, subject, text) in TEMPLATES.items()
        if key not in planted
    ]
    await _add(session, Template, rows)


async def _workflows(session: AsyncSession, record: dict[str, Any]) -> None:
    """Off: what writes to people in a company's name does not begin by itself."""
    planted = set(await session.scalars(select(Workflow.key)))
    rows = [
        record
        | {"id": uuid7(), "key": key, "name": labels["en"], "name_key": fold(labels["en"]), "labels": labels}
        | {"enabled": False, "trigger": TRIGGERS[key], "options": OPTIONS[key]().model_dump(mode="json")}
        | {"search_open": search_text(labels["en"], key)}
        for key, labels in WORKFLOWS.items()
        if key not in planted
    ]
    await _add(session, Workflow, rows)
