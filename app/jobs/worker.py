"""What does the worker process do? Claims what is due and does it, woken by the bell or by itself.

    python -m app.jobs.worker

Two loops. `_work` needs PostgreSQL only: it claims and does jobs, and looks again when it is woken, when a job ends, or
after some seconds of silence. `_listen` runs arq, whose one function `sweep` wakes it; when arq loses its Redis it is
begun anew with growing delay, and the first loop goes on. SIGTERM and SIGINT stop claiming, give running jobs 20 s to
end, and hand back the rest.
"""

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from arq import cron, func
from arq.worker import Worker

from app import clock
from app.db import bell, jobs
from app.db.seeds import SYSTEM_USER
from app.db.session import close, transaction
from app.domain import checking_process, workflows
from app.jobs.handlers import GIVEN_UP, HANDLERS
from app.jobs.job import attempt
from app.policies.callers import access_of

JOBS_AT_ONCE = 4
SILENCE = 2.0
LONGEST_SILENCE = 10.0
LONGEST_DELAY = 60.0
TIME_TO_END = 20.0
# So long after a file the next one finds a process ready that checks it.
READY_SECONDS = 60.0

logger = logging.getLogger(__name__)


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("arq").setLevel(logging.WARNING)
    asyncio.run(_main())


async def _main() -> None:
    awake, stopping = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        stopping.set()
        awake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    checking_process.Ready.seconds = READY_SECONDS
    listening = asyncio.create_task(_listen(awake))
    try:
        await _work(awake, stopping)
    finally:
        listening.cancel()
        await asyncio.wait({listening}, timeout=1)
        await checking_process.close()
        await bell.close()
        await close()


async def _work(awake: asyncio.Event, stopping: asyncio.Event) -> None:
    running: set[asyncio.Task[None]] = set()

    def ended(task: asyncio.Task[None]) -> None:
        running.discard(task)
        awake.set()
        if not task.cancelled() and (error := task.exception()):
            # Not the job's own error, which it keeps: the database was away. Its lease runs out and it is done again.
            logger.error("A job was left as it is: %s", type(error).__name__)

    tidied: date | None = None
    scanned: datetime | None = None
    delay = SILENCE
    while not stopping.is_set():
        awake.clear()
        try:
            tidied = await _promise_tidying(tidied)
            scanned = await _promise_scans(scanned)
            for task in await _begin(JOBS_AT_ONCE - len(running)):
                running.add(task)
                task.add_done_callback(ended)
            delay = SILENCE
        except Exception as error:
            # Whatever it is, a worker that ends would not make it better.
            logger.error("The sweep failed: %s", type(error).__name__)
            delay = min(delay * 2, LONGEST_SILENCE)
        with suppress(TimeoutError):
            await asyncio.wait_for(awake.wait(), delay)
    await _end(running)


async def _promise_tidying(tidied: date | None) -> date:
    today = clock.now().astimezone(UTC).date()
    if tidied != today:
        async with transaction("system") as session:
            await jobs.promise(session, jobs.Job.TIDY, run_as=None, dedupe=str(today))
    return today


async def _promise_scans(scanned: datetime | None) -> datetime:
    now = clock.now()
    # A clock that was set back must not keep it waiting for the time to come again.
    if scanned is not None and timedelta() <= now - scanned < workflows.SCAN_EVERY:
        return scanned
    async with transaction("system") as session:
        await workflows.promise_scans(session, await access_of(session, SYSTEM_USER))
    return now


async def _begin(limit: int) -> list[asyncio.Task[None]]:
    if limit == 0:
        return []
    async with transaction("system") as session:
        claimed = await jobs.claim(session, HANDLERS, limit)
    return [asyncio.create_task(attempt(job, HANDLERS[job.kind], GIVEN_UP.get(job.kind))) for job in claimed]


async def _end(running: set[asyncio.Task[None]]) -> None:
    if running:
        _, late = await asyncio.wait(running, timeout=TIME_TO_END)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=5)


async def _listen(awake: asyncio.Event) -> None:
    async def sweep(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        awake.set()

    delay = 1.0
    while (redis := bell.redis(5.0)) is not None:
        begun = asyncio.get_running_loop().time()
        worker = Worker(
            [func(sweep, name="sweep", timeout=5, keep_result=0, max_tries=1)],
            cron_jobs=[cron(sweep, second=set(range(0, 60, 10)), timeout=5, keep_result=0, run_at_startup=True)],
            redis_pool=redis,
            job_serializer=orjson.dumps,
            job_deserializer=orjson.loads,
            keep_result=0,
            poll_delay=0.1,
            handle_signals=False,
            timezone=UTC,
        )
        try:
            await worker.async_run()
        except Exception as error:
            logger.warning("The bell is out of order, sweeping every %s s: %s", SILENCE, type(error).__name__)
        finally:
            for task in worker.tasks.values():
                task.cancel()
            with suppress(Exception):
                await redis.aclose(close_connection_pool=True)
        if asyncio.get_running_loop().time() - begun > LONGEST_DELAY:
            delay = 1.0
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY)


if __name__ == "__main__":
    main()
