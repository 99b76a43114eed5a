"""One real PostgreSQL and Valkey for the whole run; after each test the tables are as the seeds left them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Table, text
from uuid_utils.compat import uuid7

from app import clock
from app.server import embedded
from tests.measuring import pytest_sessionfinish  # noqa: F401
from tests.ordering import pytest_collection_modifyitems  # noqa: F401
from tests.telltale import telltale, told_in

ROOT = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Every answer in the tests is held against the contract; importing the application needs its settings."""
    os.environ.setdefault("CRM_SECRET_KEY", "a key for tests that has thirty-two bytes or more")
    telltale.listen()


@pytest.fixture(autouse=True)
def _log_tells_nothing() -> Iterator[None]:
    """No test makes the product log a secret, an address or what is hidden."""
    yield
    assert telltale.asked() == []


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """A migrated and planted database of this run's own, and Valkey beside it."""
    folder = tmp_path_factory.mktemp("servers")
    with embedded.valkey(folder) as redis_url:
        given = os.environ.get("CRM_TEST_DATABASE_URL")
        if given:
            yield from _prepared(asyncio.run(_own_database(given, f"clientela_test_{worker_id}")), redis_url)
        else:
            with embedded.postgres(folder, disposable=True) as url:
                yield from _prepared(url, redis_url)
    assert told_in(folder) == []


def _prepared(url: str, redis_url: str) -> Iterator[str]:
    from app.settings import settings

    os.environ |= {"CRM_DATABASE_URL": url, "CRM_REDIS_URL": redis_url}
    settings.cache_clear()
    subprocess.run([sys.executable, "-m", "app.cli", "migrate"], cwd=ROOT, check=True, capture_output=True)
    asyncio.run(_keep_seeds())
    yield url


async def _own_database(server: str, name: str) -> str:
    import asyncpg

    connection = await asyncpg.connect(server)
    await connection.execute(f"drop database if exists {name} with (force)")
    await connection.execute(f"create database {name}")
    await connection.close()
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


async def _keep_seeds() -> None:
    """Copy what the seeds planted into a schema of its own."""
    from app.db import session
    from app.db.models import metadata

    async with session.engine().begin() as connection:
        await connection.execute(text("create schema seeded"))
        for table in metadata.sorted_tables:
            await connection.execute(text(f'create table seeded."{table.name}" as table public."{table.name}"'))
    await session.close()


@pytest.fixture(scope="session")
async def emptied(database_url: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Puts every table back as the seeds left it, in one round trip."""
    from app.db import bell, session
    from app.db.models import metadata
    from app.domain import checking_process

    tables = metadata.sorted_tables
    async with session.engine().begin() as connection:
        planted = [t for t in tables if await connection.scalar(text(f'select exists (select from seeded."{t.name}")'))]
        await connection.execute(text("create table seeded.xmin as select '' as planted, '' as remembered"))
        await connection.execute(text(_emptying(tables, planted)))

    async def empty() -> None:
        pool = await session.reading_pool()
        async with pool.acquire() as connection:
            await connection.execute(
                "begin read write; set local statement_timeout = '1min'; select seeded.empty(); commit"
            )

    await empty()
    checking_process.Ready.seconds = 600.0
    yield empty
    await checking_process.close()
    await bell.close()
    await session.close()


def _emptying(tables: Sequence[Table], planted: Sequence[Table]) -> str:
    """A function that deletes what is new or changed. What the seeds planted is planted again only where some of it is
    missing then: all of it was written by one transaction, whose number its rows bear. What processes remember they are
    told to forget, if the test changed any of it."""
    planted = [table for table in planted if table.name != "versions"]
    lines = []
    for table in reversed(tables):
        if table in planted:
            lines.append(f'delete from "{table.name}" where not whole or xmin::text <> planted_by;')
        elif table.name != "versions":
            lines.append(f'if exists (select from "{table.name}") then delete from "{table.name}"; end if;')
    whole = " and ".join(
        f'(select count(*) from "{t.name}" where xmin::text = planted_by) = (select count(*) from seeded."{t.name}")'
        for t in planted
    )
    again = []
    for table in planted:
        names = ", ".join(f'"{column.name}"' for column in table.c)
        again.append(
            f'insert into "{table.name}" ({names}) overriding system value select {names} from seeded."{table.name}";'
        )
    return f"""
        create function seeded.empty() returns void language plpgsql as $$
        declare
          planted_by text := (select planted from seeded.xmin);
          whole boolean := {whole};
        begin
          set constraints all deferred;
          if pg_relation_size('events') > 1000000 then
            -- Deleting thousands of rows would ask every foreign key about each.
            truncate {", ".join(f'"{t.name}"' for t in tables if t.name != "versions")};
            whole := false;
          end if;
          {" ".join(lines)}
          if not whole then
            {" ".join(again)}
            update seeded.xmin set planted = (select xmin::text from profiles limit 1), remembered = '';
          end if;
          if exists (select from versions where xmin::text <> (select remembered from seeded.xmin)) then
            update versions set xid = pg_current_xact_id();
            update seeded.xmin set remembered = (select xmin::text from versions limit 1);
          end if;
          perform setval('customer_number', 1, false);
        end $$
    """


@pytest.fixture
async def database(emptied: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A database as new; whatever the test leaves is swept away after it."""
    yield
    await emptied()


class Client(httpx.AsyncClient):
    """Speaks to the application as one caller, and holds every answer against openapi.json."""

    user_id: UUID


@dataclass
class People:
    """Makes users and clients that are signed in as them."""

    clients: list[Client]

    async def user(self, profile: str, name: str = "", manager: UUID | None = None, **values: Any) -> UUID:
        from app.db.models.users import User
        from app.db.seeds import remember_anew
        from app.db.session import transaction
        from app.db.user_reach import rewrite
        from app.domain.entities.users import username_key
        from app.domain.entities.values import fold
        from app.policies.access import Access, Reason

        id = uuid7()
        name = name or f"{profile} {str(id)[-6:]}"
        username = values.pop("username", str(id))
        user = {
            "id": id,
            "name": name,
            "name_key": fold(name),
            "search_open": fold(name),
            "username": username,
            "username_key": username_key(username),
            "profile_id": profile,
            "manager_id": manager,
            "active": True,
            "tags": [],
        }
        async with transaction("system") as session:
            Access.system(Reason.COMMAND_LINE).new(session, User, user | values)
            await session.flush()
            await rewrite(session)
            await remember_anew(session)
        return id

    async def client(self, user_id: UUID) -> Client:
        from app.db.models.sessions import Session
        from app.db.session import transaction
        from app.main import app
        from app.policies.tokens import issue_access_token
        from tests.contracts.contract import hold

        session_id = uuid7()
        async with transaction("system") as session:
            session.add(
                Session(id=session_id, user_id=user_id, created_at=clock.now(), last_used_at=clock.now(), ended_at=None)
            )
        client = Client(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://crm.test",
            headers={"Authorization": f"Bearer {issue_access_token(user_id, session_id)}"},
            event_hooks={"response": [hold]},
        )
        client.user_id = user_id
        self.clients.append(client)
        return client


@pytest.fixture
async def people(database: None) -> AsyncIterator[People]:
    made = People([])
    yield made
    for client in made.clients:
        await client.aclose()


@pytest.fixture
async def as_profile(people: People) -> Callable[..., Awaitable[Client]]:
    """`await as_profile("sales")` is a client signed in as a new user with that profile."""

    async def signed_in(profile: str, **values: Any) -> Client:
        return await people.client(await people.user(profile, **values))

    return signed_in


@pytest.fixture
async def make_user(people: People) -> Callable[..., Awaitable[UUID]]:
    """`await make_user(username=…, profile=…, password=…)` is a user who can sign in."""

    async def made(username: str, profile: str, password: str) -> UUID:
        from app.db.session import transaction
        from app.db.signing_in import keep_password
        from app.domain.passwords import hash_password

        id = await people.user(profile, username, username=username)
        hashed = await hash_password(password)
        async with transaction("system") as session:
            await keep_password(session, id, hashed)
        return id

    return made


@pytest.fixture
async def administrator(as_profile: Callable[..., Awaitable[Client]]) -> Client:
    return await as_profile("administrator")


@pytest.fixture
async def client(database: None) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody: a client that is not signed in."""
    from app.main import app
    from tests.contracts.contract import hold

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://crm.test", event_hooks={"response": [hold]}
    ) as made:
        yield made


@pytest.fixture
async def mail_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """Where the mails lie that go out, by a mail server that the settings name."""
    from app.server import mailbox
    from app.settings import settings

    with mailbox.listening() as listener:
        monkeypatch.setenv("CRM_SMTP_URL", mailbox.smtp_url(listener))
        monkeypatch.setenv("CRM_MAIL_FROM", "Acme <hello@acme.example>")
        settings.cache_clear()
        async with mailbox.catching(tmp_path, listener):
            yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()
