"""Is it told from outside whether a process can serve?"""

import sys
from collections.abc import AsyncIterator
from subprocess import run

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.settings import PROJECT


async def do(statement: str) -> None:
    async with transaction("system") as session:
        await session.execute(text(statement))


@pytest.fixture
async def newest(client: httpx.AsyncClient) -> AsyncIterator[str]:
    """The newest migration, which the database is at again after the test."""
    async with transaction("system") as session:
        found = str(await session.scalar(text("select version_num from alembic_version")))
    yield found
    await do(
        "create table if not exists alembic_version (version_num varchar(32) not null, "
        "constraint alembic_version_pkc primary key (version_num))"
    )
    await do("delete from alembic_version")
    await do(f"insert into alembic_version values ('{found}')")


async def owed(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/readyz")
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["detail"] == "Migrations are owed to the database: ./crm migrate"
    assert answer.headers["retry-after"] == "2"
    assert (await client.get("/healthz")).status_code == 200
    return True


async def test_a_database_that_is_owed_migrations_is_not_ready(client: httpx.AsyncClient, newest: str) -> None:
    assert not await owed(client)
    for older in ("0001", f"{int(newest) - 1:04}"):
        await do(f"update alembic_version set version_num = '{older}'")
        assert await owed(client), older
    await do("delete from alembic_version")
    assert await owed(client)
    await do("drop table alembic_version")
    assert await owed(client)


async def test_a_database_of_a_newer_version_is_ready_for_processes_that_are_still_to_be_replaced(
    client: httpx.AsyncClient, newest: str
) -> None:
    await do(f"update alembic_version set version_num = '{int(newest) + 1:04}'")
    assert not await owed(client)


async def test_a_database_without_its_seeds_is_not_ready(client: httpx.AsyncClient) -> None:
    await do("delete from versions")
    assert await owed(client)


def test_a_process_that_answers_takes_no_memory_for_what_migrates() -> None:
    asked = "import sys, app.main; print(*{'alembic', 'mako', 'pygments', 'rich'} & set(sys.modules))"
    assert run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True).stdout == "\n"
