"""Which database does a command reach: the given one, the one that runs, or one of its own?"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.server import embedded
from app.server.processes import CannotStart
from app.server.reaching import reached_database, reached_servers
from app.settings import settings

KEY = "k" * 32


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CRM_DATABASE_URL", "CRM_REDIS_URL", "CRM_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="crm") as folder:
        monkeypatch.setenv("CRM_DATA_DIR", folder)
        settings.cache_clear()
        yield Path(folder)
    settings.cache_clear()


async def test_with_nothing_running_it_is_the_embedded_one_for_as_long_as_needed(data_dir: Path) -> None:
    with reached_database():
        url = settings().database_url
        assert url is not None
        assert os.environ["CRM_DATABASE_URL"] == url
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select 1") == 1
        await connection.close()
    assert settings().database_url is None
    assert embedded.running_postgres(data_dir) is None


def test_beside_a_running_one_it_is_that_one(data_dir: Path) -> None:
    with embedded.postgres(data_dir, disposable=True) as database, embedded.valkey(data_dir) as cache:
        with reached_database():
            assert (settings().database_url, settings().redis_url) == (database, cache)
        with reached_servers():
            assert (settings().database_url, settings().redis_url) == (database, cache)
        assert embedded.running_postgres(data_dir) == database


def test_a_given_one_comes_first(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DATABASE_URL", "postgresql://elsewhere/crm")
    monkeypatch.setenv("CRM_SECRET_KEY", KEY)
    settings.cache_clear()
    with reached_database():
        assert settings().database_url == "postgresql://elsewhere/crm"
        assert settings().redis_url is None
    assert list(data_dir.iterdir()) == []


def test_api_and_worker_alone_need_servers_that_run(data_dir: Path) -> None:
    message = "set CRM_DATABASE_URL and CRM_REDIS_URL, or start everything"
    with pytest.raises(CannotStart, match=message), reached_servers():
        pass


@pytest.mark.parametrize("command", ["api", "worker"])
def test_such_a_command_says_so_in_one_line(data_dir: Path, command: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "app.cli", command], capture_output=True, text=True, check=False, env=os.environ
    )
    assert refused.returncode == 1
    assert refused.stderr == "crm: set CRM_DATABASE_URL and CRM_REDIS_URL, or start everything with `crm up`\n"


def test_the_command_line_imports_little() -> None:
    program = "import app.cli, app.server.supervisor, sys; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "fastapi", "alembic", "asyncpg", "arq"} & set(listed.stdout.split())
