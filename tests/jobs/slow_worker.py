"""A worker process as it is run, but for its times, and with a job that takes as long as its payload says.

python -m tests.jobs.slow_worker SILENCE TIME_TO_END
"""

import asyncio
import sys
from datetime import timedelta

from sqlalchemy import text

from app.db import jobs
from app.jobs import worker
from app.jobs.handlers import HANDLERS
from app.jobs.job import Run


async def slowly(run: Run) -> None:
    """A first step that may be done again, and a last one whose effect a second time would show."""
    name, seconds = run.job.payload["name"], run.job.payload["seconds"]
    async with run.transaction() as (session, _):
        await session.execute(text("delete from effects where name = :name"), {"name": f"{name} begun"})
        await session.execute(text("insert into effects values (:name)"), {"name": f"{name} begun"})
    async with run.transaction(last=True) as (session, _):
        await session.execute(text("insert into effects values (:name)"), {"name": name})
        await asyncio.sleep(seconds)


if __name__ == "__main__":
    jobs.LEASE = timedelta(seconds=2)
    worker.SILENCE, worker.TIME_TO_END = map(float, sys.argv[1:])
    HANDLERS[jobs.Job.LOAD_IMPORT] = slowly
    worker.main()
