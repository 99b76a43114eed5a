"""What one can do with the company's settings: read and change them."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import ledger, next_activities, seeds
from app.db.company import load
from app.db.models.vocabulary import Setting
from app.db.queries import import_rows
from app.db.session import operation_of
from app.domain.consequences import shown
from app.domain.entities import rules
from app.domain.entities.activities import REPORTS, Report
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.settings import REQUIRING, SettingsUpdate
from app.domain.entities.values import did_you_mean
from app.domain.records import names_version
from app.errors import FieldError, Stale, escaped
from app.policies.access import Access


async def read(session: AsyncSession, access: Access, action: str = "read") -> Setting:
    access.require("settings", action)
    return await load(session, lock=action != "read")


async def change(session: AsyncSession, access: Access, data: SettingsUpdate, if_match: str | None) -> Setting:
    """Change settings; every process follows with its next request. Raises `Stale`, `Invalid`."""
    settings = await read(session, access, "configure")
    if not names_version(if_match, settings.version):
        raise Stale("The settings changed since the version that If-Match names", extra={"version": settings.version})
    given = rules.given_values(data)
    _check_minimum(given.get("minimum_information", {}))
    changes: dict[str, list[Any]] = {}
    for name, value in given.items():
        if getattr(settings, name) != value:
            changes[name] = [shown(getattr(settings, name)), shown(value)]
            setattr(settings, name, value)
    if changes:
        settings.version += 1
        operation = operation_of(session)
        ledger.event(
            operation.pending,
            type="settings.changed",
            entity="settings",
            record_id=seeds.SYSTEM_USER,
            version=settings.version,
            customer_id=None,
            changes=changes,
            actor=access.user_id,
            source=operation.source,
            operation_id=operation.id,
        )
        if "time_zone" in changes:
            await import_rows.be_patient(session)
            await next_activities.keep_days(session, *changes["time_zone"])
        await seeds.remember_anew(session)
    return settings


def _check_minimum(minimum: dict[str, list[str]]) -> None:
    problems = []
    for entity, names in minimum.items():
        at = f"/minimum_information/{escaped(entity)}"
        if entity not in REQUIRING:
            problems.append(FieldError(at, "unknown_entity", f"No such entity{did_you_mean(entity, REQUIRING)}"))
            continue
        known = (Report if entity == REPORTS else ENTITIES[entity].create).model_fields
        problems += [
            FieldError(f"{at}/{position}", "unknown_field", f"No such field{did_you_mean(name, known)}")
            for position, name in enumerate(names)
            if name not in known
        ]
    if problems:
        raise rules.invalid(problems)
