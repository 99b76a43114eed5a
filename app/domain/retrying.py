"""What has been promised to be done later, as those see it who look after it, and how is what failed done after all?"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import jobs
from app.db.jobs import Job
from app.db.models.jobs import Job as JobRow
from app.domain import imports, messages
from app.errors import Conflict
from app.policies.access import Access, not_found

SECTION = "jobs"

# What was written when a job of the kind was given up is taken back, or it would find nothing to do.
TAKEN_UP: dict[str, tuple[str, Callable[[AsyncSession, Access, UUID], Awaitable[None]]]] = {
    Job.LOAD_IMPORT: ("import_id", imports.take_up),
    Job.SEND_MESSAGE: ("message_id", messages.take_up),
}


async def read_page(
    session: AsyncSession, access: Access, state: str | None, kind: str | None, before: int | None, limit: int
) -> Sequence[JobRow]:
    """Jobs of those whom the caller reaches, the newest first; of the system's own, for who reaches all."""
    return await jobs.page(session, _run_as(access, "read"), state=state, kind=kind, before=before, limit=limit)


async def read(session: AsyncSession, access: Access, id: int) -> JobRow:
    """Raises `NotFound`."""
    job = await jobs.one(session, _run_as(access, "read"), id)
    if job is None:
        raise not_found("job")
    return job


async def retry(session: AsyncSession, access: Access, id: int) -> JobRow:
    """Have a failed job done from the beginning, in the name of whom it works for.

    Raises `NotFound` and, for what its effect would change, `Forbidden`; `Conflict` (`not_failed`).
    """
    job = await jobs.one(session, _run_as(access, "configure"), id, hold=True)
    if job is None:
        raise not_found("job")
    if job.state != "failed":
        raise Conflict(f"The job is {job.state}", code="not_failed")
    if found := TAKEN_UP.get(job.kind):
        argument, take_up = found
        await take_up(session, access, UUID(job.payload[argument]))
    return await jobs.take_up(session, job)


def _run_as(access: Access, action: str) -> Collection[UUID] | None:
    access.require(SECTION, action)
    level = access.level(SECTION, action)
    return None if level == "all" else access.reached(level)
