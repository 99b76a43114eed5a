"""What the tests of jobs promise, do and read."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen
from typing import Any

from sqlalchemy import text

from app.db import jobs
from app.db.jobs import Claimed, Job
from app.db.session import transaction
from app.jobs.job import Run
from tests.telltale import overheard


async def promised(**arguments: Any) -> None:
    async with transaction("api") as session:
        await jobs.promise(session, Job.LOAD_IMPORT, **{"run_as": None, **arguments})


async def claimed(limit: int = 10) -> list[Claimed]:
    async with transaction("system") as session:
        return await jobs.claim(session, Job, limit)


async def have_effect(run: Run) -> None:
    """A handler whose effect is one row, not one that a second time would do no harm."""
    async with run.transaction(last=True) as (session, _):
        await session.execute(text("insert into effects values (:name)"), {"name": run.job.payload["name"]})


async def effects() -> list[str]:
    async with transaction("system") as session:
        return list(await session.scalars(text("select name from effects order by name")))


async def states() -> list[str]:
    async with transaction("system") as session:
        return list(await session.scalars(text("select state from jobs order by id")))


async def import_job() -> Any:
    async with transaction("system") as session:
        return (await session.execute(text("select * from jobs where kind = 'load_import'"))).one()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Wait for it; TimeoutError if it does not come."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.05)


async def is_quiet() -> bool:
    """Whether everything promised is done."""
    found = await states()
    return bool(found) and set(found) == {"done"}


@contextmanager
def working(silence: float = 0.2, time_to_end: float = 20.0) -> Iterator[Popen[bytes]]:
    """A worker process, killed at the end if it is still there."""
    command = [sys.executable, "-m", "tests.jobs.slow_worker", str(silence), str(time_to_end)]
    with overheard() as log:
        process = Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
