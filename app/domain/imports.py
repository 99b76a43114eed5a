"""What one can do with a file of records: send it in, have it checked, have it loaded."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db.jobs import Job, promise
from app.db.models.imports import Import
from app.db.queries import import_rows, import_writing
from app.db.queries.import_references import place_of
from app.domain.checking import Task
from app.domain.checking_process import checked_lines
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.csv_files import header_of
from app.domain.entities.fields import Entity, specs
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.targets import EXTERNAL_ID, ID, KEPT_IN, Target, check_columns, importable, targets
from app.policies.access import Access

NO_COUNTS = {"created": 0, "updated": 0, "unchanged": 0, "refused": 0, "merged": 0}


async def receive(
    session: AsyncSession,
    access: Access,
    entity_name: str,
    file_name: str,
    content: bytes,
    mapping: Mapping,
    options: ImportOptions,
) -> UUID:
    """Keep a file and promise to load it. What can be refused at once is: the section, the fields, the columns."""
    entity = importable(entity_name)
    allow(access, entity, mapping, targets(entity, mapping, options, access.vocabulary.time_zone))
    check_columns(mapping, header_of(content, options))
    now, id = clock.now(), uuid7()
    values = {
        "id": id,
        "version": 1,
        "source": "api",
        "created_at": now,
        "created_by": access.user_id,
        "updated_at": now,
        "updated_by": access.user_id,
        "owner_id": access.user_id,
        "entity": entity.name,
        "file_name": file_name,
        "mapping": mapping.model_dump(mode="json"),
        "options": options.model_dump(mode="json"),
        "state": "received",
        "counts": NO_COUNTS,
    }
    await import_rows.keep(session, values, content)
    await promise(session, Job.LOAD_IMPORT, run_as=access.user_id, import_id=id, session_id=access.session_id)
    return id


def allow(access: Access, entity: Entity, mapping: Mapping, found: list[Target]) -> None:
    """Raise `Forbidden` unless the caller may import, write the mapped fields, and read what is matched by."""
    access.require(entity.name, "import")
    declared = {**specs(entity.create), **specs(entity.read)}
    fields = {each.field for each in found if each.field in declared}
    for action in ("create", "update"):
        access.require(entity.name, action)
        access.require_fields(entity, fields, action, at="/mapping")
    keys = [(entity, mapping.match_on)] + [(ENTITIES[each.refers_to], each.by) for each in found if each.refers_to]
    for named, key in keys:
        access.require(named.name, "read")
        if key not in (None, EXTERNAL_ID, ID):
            access.require_fields(
                named, {KEPT_IN.get((named.name, str(key)), (str(key), None))[0]}, "read", at="/mapping"
            )


async def begin(session: AsyncSession, access: Access, import_id: UUID) -> Task | None:
    """What there is to check; None if it is checked already."""
    found = await import_rows.state_of(session, import_id)
    if found.state not in ("received", "checking"):
        return None
    now = clock.now()
    mapping, options = Mapping.model_validate(found.mapping), ImportOptions.model_validate(found.options)
    entity = importable(found.entity)
    allow(access, entity, mapping, targets(entity, mapping, options, access.vocabulary.time_zone))
    await import_rows.note(session, import_id, access.user_id, now, state="checking", started_at=now)
    content = await import_rows.file_of(session, import_id)
    return Task(import_id, entity.name, mapping, options, access.vocabulary, now, content)


async def check(session: AsyncSession, access: Access, task: Task) -> None:
    """Check each row, in a child process, on its way into the database. Raises `Invalid` for the file as a whole."""
    await import_rows.be_patient(session)
    rows = await import_rows.copy(session, task.import_id, checked_lines(task))
    counts = NO_COUNTS | {"refused": await import_rows.refused(session, task.import_id)}
    await import_rows.note(
        session, task.import_id, access.user_id, clock.now(), state="checked", rows=rows, counts=counts
    )


async def take_stock(session: AsyncSession, import_id: UUID) -> None:
    """Nobody waits for this any more: the next questions are answered well if the planner knows of many new rows."""
    found = await import_rows.state_of(session, import_id)
    if found.state == "done":
        await import_writing.take_stock(session, found.entity, found.counts["created"])


async def fail(session: AsyncSession, access: Access, import_id: UUID, code: str, why: str) -> None:
    """Nothing of the file was loaded, and nothing will be; what was loaded or tried already stays as it is."""
    if (await import_rows.state_of(session, import_id)).finished_at is not None:
        return
    now = clock.now()
    failed = {"state": "failed", "failure": why, "failure_code": code, "finished_at": now}
    await import_rows.note(session, import_id, access.user_id, now, **failed)


async def take_up(session: AsyncSession, access: Access, import_id: UUID) -> None:
    """A file that could not be loaded is to be checked and loaded after all. Raises `NotFound`."""
    await access.row(session, Import, import_id)
    again = {"state": "received", "counts": NO_COUNTS, "failure": None, "failure_code": None, "finished_at": None}
    if (await import_rows.state_of(session, import_id)).state == "failed":
        await import_rows.note(session, import_id, access.user_id, clock.now(), **again)


def columns_of(found: list[Target]) -> dict[str, Any]:
    """Which column of the file fills each field, and of a list the first of its items'."""
    columns: dict[str, Any] = {}
    for each in found:
        for place in (each.field, place_of(each.field, each.item)):
            columns.setdefault(place, each.column)
    return columns
