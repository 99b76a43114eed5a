"""How is a file loaded, step by step?"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Json
from app.domain import import_loading, imports
from app.errors import AppError, Unauthenticated
from app.jobs.job import Run
from app.policies.access import Access, Reason


async def load_import(run: Run) -> None:
    """Check the file's rows and commit them; then write them as records, all in one transaction."""
    import_id = run.id_of("import_id")
    try:
        async with run.transaction() as (session, access):
            task = await imports.begin(session, access, import_id)
        if task is not None:
            async with run.transaction() as (session, access):
                await imports.check(session, access, task)
        async with run.transaction("import") as (session, access):
            await import_loading.load(session, access, import_id)
        async with run.transaction(last=True, by_itself=True) as (session, _):
            await imports.take_stock(session, import_id)
    except AppError as error:
        gone = isinstance(error, Unauthenticated)
        async with run.transaction(last=True, by_itself=gone) as (session, access):
            if gone:
                why = "Whoever sent it is no longer an active user"
                await imports.fail(session, access, import_id, "no_longer_active", why)
            else:
                await imports.fail(session, access, import_id, error.code, error.detail)


async def given_up(session: AsyncSession, payload: Json) -> None:
    """The job failed again and again."""
    access = Access.system(Reason.SWEEP)
    why = "It could not be loaded; the log of the worker says why"
    await imports.fail(session, access, UUID(payload["import_id"]), "given_up", why)
