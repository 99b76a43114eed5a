"""A worker killed while it writes the records of a file, a job done twice: is nothing lost and nothing there twice?"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from uuid import UUID

from sqlalchemy import text

from app.db.jobs import Job, promise
from app.db.session import transaction
from tests.conftest import Client
from tests.jobs.effects import is_quiet, until
from tests.loading import everything, loaded, send, total, work
from tests.telltale import overheard

# The worker as it is, but one that is soon seen to be gone.
WORKER = """
from datetime import timedelta
from app.db import jobs
from app.jobs import worker
jobs.LEASE, worker.SILENCE = timedelta(seconds=2), 0.2
worker.main()
"""
ROWS = 300
MAPPING = {
    "match_on": "external_id",
    "external_system": "erp",
    "columns": {"id": ["external_id", "name"], "customer": "customer"},
}


@contextmanager
def working() -> Iterator[Popen[bytes]]:
    with overheard() as log:
        process = Popen([sys.executable, "-c", WORKER], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


async def is_writing() -> bool:
    """Whether an import waits, its records written, for the table that the test holds."""
    query = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like :begin)"
    async with transaction("system") as session:
        return bool(await session.scalar(text(query), {"begin": "%insert into external_ids%"}))


async def written() -> list[int]:
    """How many rows there are of all that an opportunity consists of."""
    tables = ("opportunities", "external_ids", "stage_stays where entity = 'opportunities'")
    counts = [f"(select count(*) from {table})" for table in tables]
    counts.append("(select count(*) from events where type = 'opportunity.created')")
    async with transaction("system") as session:
        return list((await session.execute(text(f"select {', '.join(counts)}"))).one())


async def test_a_worker_killed_in_the_middle_of_a_load_leaves_all_or_nothing(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", {"columns": {"name": "name"}})
    file = "id,customer\n" + "".join(f"{number},Acme\n" for number in range(ROWS))
    sent = await send(administrator, "opportunities", file, MAPPING)
    with working() as worker:
        async with transaction("system") as holding:
            await holding.execute(text("lock table external_ids in share mode"))
            await until(is_writing)
            worker.kill()
            worker.wait()
    assert await written() == [0, 0, 0, 0]
    assert (await administrator.get(sent.headers["location"])).json()["state"] == "checked"

    with working():
        await until(is_quiet)
    done = (await administrator.get(sent.headers["location"])).json()
    assert (done["state"], done["counts"]["created"]) == ("done", ROWS)
    assert await written() == [ROWS] * 4
    names = {each["name"] for each in await everything(administrator, "/v1/opportunities")}
    assert names == {str(number) for number in range(ROWS)}
    assert await total(administrator, "/v1/opportunities") == ROWS


async def test_a_job_that_is_done_twice_loads_once(administrator: Client) -> None:
    done = await loaded(administrator, "customers", "name\nAcme\n", {"columns": {"name": "name"}})
    async with transaction("system") as session:
        await promise(session, Job.LOAD_IMPORT, run_as=administrator.user_id, import_id=UUID(done["id"]))
    await work()
    assert await total(administrator, "/v1/customers") == 1
