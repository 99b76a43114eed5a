"""Does a backup bring everything back, only into an empty database, and is one that is not whole refused?"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db.models import metadata
from app.server import backups, embedded
from app.server.processes import CannotStart
from app.settings import settings
from tests.conftest import Client
from tests.databases import first_column
from tests.loading import send

ODD = "Ñandú \\N & «Hijos»\t\\. \n\\. \r\n 🦩 \"',;"
# Other tests have a table of their own in the same database, which no backup brings back.
OURS = ["alembic_version", *(table.name for table in metadata.sorted_tables)]
NAMES = ", ".join(f"'{name}'" for name in OURS)
# The tables as they are, and what the migrations made: numbers of transactions are of their database.
SHAPE = f"""
    select 'i ' || indexdef from pg_indexes where schemaname = 'public' and tablename in ({NAMES})
    union all
    select format('c %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
    from pg_constraint join pg_class on pg_class.oid = conrelid
    where connamespace = 'public'::regnamespace and relname in ({NAMES})
    union all
    select format('a %s %s %s %s', attrelid::regclass, attname, atttypid::regtype, attidentity)
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = 'public'::regnamespace and relkind = 'r' and relname in ({NAMES}) and attnum > 0
    order by 1
"""


def crm(url: str, *arguments: str, **further: Any) -> subprocess.CompletedProcess[bytes]:
    """A command on the database `url`, or on the data directory of that name."""
    given = {name: value for name, value in os.environ.items() if name not in ("CRM_DATABASE_URL", "CRM_REDIS_URL")}
    given["CRM_DATABASE_URL" if "://" in url else "CRM_DATA_DIR"] = url
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(command, env=given, capture_output=True, check=False, **further)


def backed_up(url: str, file: Path, *, replace: bool = False) -> str:
    """A backup by this very process. What it tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_DATABASE_URL", url)
        settings.cache_clear()
        try:
            return backups.backup(str(file), replace=replace)
        finally:
            patch.undo()
            settings.cache_clear()


def picture(url: str) -> dict[str, list[str]]:
    """Every row of every table of ours, without what a restore changes; and what the tables are like."""
    ours = f"schemaname = 'public' and tablename in ({NAMES})"
    names = first_column(url, f"select tablename from pg_tables where {ours} order by 1")
    changed = "- 'xid' - 'ended_at'"
    found = {
        name: first_column(url, f'select (to_jsonb(t) {changed})::text from public."{name}" t order by 1')
        for name in names
    }
    return found | {"shape": first_column(url, SHAPE)}


def next_values(url: str) -> list[Any]:
    return first_column(
        url,
        "select format('%s %s', relname, nextval(oid::regclass)) from pg_class"
        " where relkind = 'S' and relnamespace = 'public'::regnamespace order by relname",
    )


@pytest.fixture
def empty(database_url: str) -> Iterator[str]:
    """The URL of a database without tables, beside that of the tests."""
    name = f"{first_column(database_url, 'select current_database()')[0]}_restored"
    first_column(database_url, f"create database {name} template template0")
    head, _, query = database_url.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}?{query}"
    first_column(database_url, f"drop database {name} with (force)")


@pytest.fixture
async def filled(administrator: Client, database_url: str) -> str:
    """The database of the tests, with a little of everything in it."""

    async def made(path: str, **request: Any) -> str:
        answer = await administrator.post(path, **request)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    customer = {"name": "Ñandú & «Hijos» \\N", "description": ODD, "tags": ["a,b", '"{}"', "\\"]}
    customer_id = await made("/v1/customers", json=customer)
    await made(
        "/v1/contacts", json={"customer_id": customer_id, "first_name": "Ana", "emails": [{"address": "ana@a.es"}]}
    )
    await made("/v1/opportunities", json={"customer_id": customer_id, "name": "x", "amount": "0.10"})
    sent = await send(administrator, "customers", "name\nÁrbol\n".encode("cp1252"), {"columns": {"name": "name"}})
    assert sent.status_code == 202, sent.text
    return database_url


def test_everything_comes_back_and_goes_on(filled: str, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "a.backup"
    told = backed_up(filled, file)
    assert re.fullmatch(rf"{re.escape(str(file))}: \d+ rows of \d+ tables, as of .* UTC; 0\.\d MB\.", told)
    assert (file.stat().st_mode & 0o777, [*tmp_path.iterdir()]) == (0o600, [file])
    restored = crm(empty, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    before = picture(filled)
    assert all(before[table] for table in ("contacts", "opportunities", "events", "import_files", "jobs"))
    assert picture(empty) == before
    assert next_values(empty) == next_values(filled)
    # Nobody whose session ended since is signed in again, and no transaction is from the future.
    assert first_column(filled, "select 1 from sessions where ended_at is null")
    assert not first_column(empty, "select 1 from sessions where ended_at is null")
    assert not first_column(empty, "select 1 from events, versions where events.xid > pg_current_xact_id()")

    again = crm(empty, "restore", str(file))
    assert again.returncode == 1
    assert b"crm: the database is not empty, it has tables " in again.stderr
    assert picture(empty) == before
    kept = file.read_bytes()
    with pytest.raises(CannotStart, match="is there already: name another file, or replace it with --force"):
        backed_up(filled, file)
    assert file.read_bytes() == kept
    backed_up(filled, file, replace=True)
    assert file.read_bytes() != kept


def test_an_older_backup_is_migrated_and_what_is_not_ours_is_named(empty: str, tmp_path: Path) -> None:
    file = tmp_path / "old.backup"
    with pytest.raises(CannotStart, match="there is nothing to back up: the database was never migrated"):
        backed_up(empty, file)
    assert [*tmp_path.iterdir()] == []
    environment = os.environ | {"CRM_DATABASE_URL": empty}
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "0001"], env=environment, check=True, capture_output=True
    )
    first_column(empty, "insert into profiles (id, labels) values ('administrator', '{}'), ('emperor', '{}')")
    first_column(empty, "create table strange (id serial)")
    backed_up(empty, file)
    first_column(empty, "drop schema public cascade")
    first_column(empty, "create schema public")
    restored = crm(empty, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    assert b"Left out, for no migration makes them: strange.\n" in restored.stdout
    assert first_column(empty, "select id from profiles") == ["administrator", "emperor"]
    newest = max(path.name[:4] for path in Path(backups.MIGRATIONS, "versions").glob("0*.py"))
    assert first_column(empty, "select version_num from alembic_version") == [newest]
    assert first_column(empty, "select username from users") == ["system"]


@pytest.fixture(scope="module")
def whole(database_url: str) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        backed_up(database_url, Path(folder, "x"))
        yield Path(folder, "x").read_bytes()


def rewritten(file: Path, **changes: Any) -> None:
    """The backup with other contents than it says."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["backup.json"] = json.dumps(json.loads(members["backup.json"]) | changes).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_file_that_is_no_whole_backup_of_ours_is_refused_before_the_database_is_touched(
    whole: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    for spoilt in (b"", b"PGDMP", whole[:-1], whole[: len(whole) // 2]):
        file.write_bytes(spoilt)
        with pytest.raises(CannotStart, match="this is no backup, or not a whole one"):
            backups.restore(str(file))
    for changes in ({"format": 2}, {"migration": "9999"}):
        file.write_bytes(whole)
        rewritten(file, **changes)
        with pytest.raises(CannotStart, match="of another version"):
            backups.restore(str(file))
    rewritten(file, tables=None)
    with pytest.raises(CannotStart, match="this is no backup"):
        backups.restore(str(file))
    with pytest.raises(CannotStart, match="No such file"):
        backups.restore(str(tmp_path / "nowhere"))


def test_what_turns_out_spoilt_on_the_way_leaves_the_database_empty(whole: bytes, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(whole)
    with zipfile.ZipFile(file) as archive:
        last = archive.getinfo("tables/versions")
        contents = json.loads(archive.read("backup.json"))
    # A byte within the rows of the last table, past its header with the name and something more of two bytes' length.
    more = int.from_bytes(whole[last.header_offset + 28 : last.header_offset + 30], "little")
    flipped = bytearray(whole)
    flipped[last.header_offset + 30 + len(last.filename) + more + last.compress_size // 2] ^= 0xFF
    file.write_bytes(flipped)
    refused = crm(empty, "restore", str(file))
    assert refused.returncode == 1
    assert refused.stderr.startswith(b"crm: this is no backup, or not a whole one")
    assert picture(empty) == {"shape": []}

    file.write_bytes(whole)
    contents["tables"]["versions"]["rows"] = 7
    rewritten(file, tables=contents["tables"])
    refused = crm(empty, "restore", str(file))
    assert re.fullmatch(rb"crm: the backup is spoilt: \d rows of versions instead of 7\n", refused.stderr)
    assert picture(empty) == {"shape": []}


def test_embedded_servers_are_restored_while_they_stand_and_backed_up_while_they_run(whole: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="crm") as folder:
        data_dir, file = Path(folder, "data"), Path(folder, "x")
        restored = crm(str(data_dir), "restore", "-", input=whole)
        assert restored.returncode == 0, restored.stderr
        with embedded.postgres(data_dir):
            made = crm(str(data_dir), "backup", "-")
        assert made.stderr.startswith(b"Written: "), made.stderr
        file.write_bytes(made.stdout)
        again = held(file)
        file.write_bytes(whole)
        assert held(file) == again


def held(file: Path) -> dict[str, list[bytes]]:
    """The rows of a backup, but for `versions`, which has numbers of transactions."""
    with zipfile.ZipFile(file) as archive:
        return {
            name: sorted(archive.read(name).splitlines())
            for name in archive.namelist()
            if name.removeprefix("tables/") in OURS and name != "tables/versions"
        }
