"""How is one job done: in whose name, in which transactions, and what if it fails or takes long?

    async def send_quote(run: Run) -> None:
        async with run.transaction(last=True) as (session, access):
            await quotes.send(session, access, run.id_of("quote_id"))

The effect and the mark that the job is done are one transaction. A job that needs several opens them one after another
with `run.transaction()`; each is committed only if the job is still this worker's, and each must be one that may be
done again, since the job begins anew after a failure. What leaves the house is sent between two transactions.
"""

import asyncio
import logging
import random
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import jobs
from app.db.base import Json
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.errors import AppError
from app.policies.access import Access
from app.policies.callers import access_of

MOST_ATTEMPTS = 8
SHORTEST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has the job now: nothing of this transaction may remain."""


class Run:
    """One attempt at a job: what it is about, and the transactions in which it has its effect."""

    def __init__(self, job: jobs.Claimed) -> None:
        self.job = job
        self.done = False

    def id_of(self, argument: str) -> UUID:
        """An argument that is the id of a record."""
        return UUID(self.job.payload[argument])

    @asynccontextmanager
    async def transaction(
        self, source: str = "system", *, last: bool = False, by_itself: bool = False
    ) -> AsyncIterator[tuple[AsyncSession, Access]]:
        """A transaction in the name of whom the job works for, committed only if the job is still this worker's.

        The `last` one marks the job as done. `source` is what the ledger says of the changes. `by_itself`: in the
        product's own name, for what must be written even when that user may do nothing any more. Raises LeaseLost.
        """
        if self.done:
            raise RuntimeError(f"{self.job.kind}: no transaction may follow the last")
        async with transaction(source) as session:
            user_id = None if by_itself else self.job.run_as
            asked_in = self.job.payload.get("session_id")
            yield session, await access_of(session, user_id or SYSTEM_USER, UUID(asked_in) if asked_in else None)
            if not await (jobs.finish if last else jobs.keep)(session, self.job):
                raise LeaseLost
        self.done = last


Handler = Callable[[Run], Awaitable[None]]
GivenUp = Callable[[AsyncSession, Json], Awaitable[None]]


async def attempt(job: jobs.Claimed, handler: Handler, given_up: GivenUp | None = None) -> None:
    """Do the job, renewing its lease meanwhile. If it fails it is due again later; in the end it is kept as failed.

    `given_up` then writes what follows from that, given the payload, in the same transaction. Cancelled, the job is
    handed back.
    """
    run = Run(job)
    work = asyncio.create_task(_work(run, handler))
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=jobs.LEASE.total_seconds() / 3)
            if not work.done() and not await _is_renewed(job):
                work.cancel("the lease is lost")
                await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel("the worker ends")
        await asyncio.wait({work})
        if not run.done:
            async with transaction("system") as session:
                await jobs.hand_back(session, job)
        raise
    if work.cancelled() or isinstance(error := work.exception(), LeaseLost):
        logger.warning("Job %s (%s) is another worker's now", job.id, job.kind)
    elif error:
        await _fail(run, error, given_up)


async def _work(run: Run, handler: Handler) -> None:
    if run.job.attempts > MOST_ATTEMPTS:
        raise RuntimeError("no worker lived to the end of it")
    await handler(run)
    if not run.done:
        async with run.transaction(last=True):
            pass


async def _is_renewed(job: jobs.Claimed) -> bool:
    try:
        return await jobs.renew(job)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # Not known to be lost. If it is, the fence keeps the effect from being committed.
        logger.warning("The lease of job %s (%s) is not renewed: %s", job.id, job.kind, type(error).__name__)
        return True


async def _fail(run: Run, error: BaseException, given_up: GivenUp | None) -> None:
    job, reason = run.job, describe(error)
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("Job %s (%s), attempt %s: %s\n%s", job.id, job.kind, job.attempts, reason, frames)
    if run.done:
        return
    async with transaction("system") as session:
        if job.attempts >= MOST_ATTEMPTS:
            if await jobs.give_up(session, job, reason) and given_up:
                await given_up(session, job.payload)
        else:
            await jobs.retry(session, job, clock.now() + delay(job.attempts), reason)


def delay(attempts: int) -> timedelta:
    """How long to wait after so many attempts: three times longer each time, a quarter more or less by chance."""
    growing: timedelta = min(SHORTEST_DELAY * 3 ** (attempts - 1), LONGEST_DELAY)
    return growing * random.uniform(0.75, 1.25)


def describe(error: BaseException) -> str:
    """What went wrong, without the values at hand, which may be somebody's: a message is cut before the first."""
    if isinstance(error, DBAPIError) and error.orig:
        error = error.orig.__cause__ or error.orig
    name = type(error).__name__
    if isinstance(error, AppError):
        return f"{name}: {error.code}: {error.detail}"
    if isinstance(error, asyncpg.PostgresError):
        return f"{name}: {error.constraint_name}" if error.constraint_name else name
    plain = re.match(r"[A-Za-z][a-z ,-]*", str(error))
    return f"{name}: {plain[0].strip()}" if plain else name
