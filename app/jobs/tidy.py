"""What is done each day? What nobody needs any more is thrown away, and secrets are sealed with the newest key."""

from app import clock
from app.db import tidying
from app.domain import second_factors
from app.jobs.job import Run


async def tidy(run: Run) -> None:
    """Delete what is past its time, some thousand rows a transaction, so that nobody waits for a lock or a vacuum."""
    now = clock.now()
    for table in tidying.PAST:
        more = True
        while more:
            async with run.transaction() as (session, _):
                more = await tidying.delete_past(session, table, now)
    async with run.transaction() as (session, _):
        await second_factors.seal_anew(session)
