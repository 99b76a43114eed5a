"""How does all that the database holds get into one file, and from there into an empty database?

A backup is a ZIP archive: `tables/NAME`, a table's rows as PostgreSQL's COPY writes them, and at last `backup.json`,
which says what there must be. The tables themselves come from the migrations, so that it goes into any PostgreSQL.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import asyncpg
from alembic.script import ScriptDirectory
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.db import copying, health, session
from app.server.migrating import migrate
from app.server.processes import CannotStart
from app.server.reaching import reached_database
from app.settings import PROJECT

FORMAT = 1
CONTENTS = "backup.json"
STREAM = "-"
MIGRATIONS = str(PROJECT / "migrations")


class Table(BaseModel):
    columns: list[str]
    rows: int


class Contents(BaseModel):
    """What a backup holds. `migration` is what its database was at; sequences with their last value, and whether
    that was given out."""

    format: int
    made_at: datetime
    migration: str
    tables: dict[str, Table]
    sequences: dict[str, tuple[int, bool]]

    def __str__(self) -> str:
        rows = sum(table.rows for table in self.tables.values())
        return f"{rows} rows of {len(self.tables)} tables, as of {self.made_at:%Y-%m-%d %H:%M:%S} UTC"


def backup(name: str | None, *, replace: bool) -> str:
    """Write everything into the file `name`, `-` for the standard output. What to tell about it.

    The file is whole or not there, and only its owner may read it. CannotStart when it is there and not to be replaced.
    """
    if name == STREAM:
        if sys.stdout.isatty():
            raise CannotStart("a backup is not for the terminal: name a file, or send the output to one")
        with reached_database(), _told():
            return f"Written: {asyncio.run(_write(sys.stdout.buffer))}."
    path = Path(name or f"clientela-{clock.now():%Y%m%d-%H%M%S}.backup")
    if path.exists() and not replace:
        raise CannotStart(f"{path} is there already: name another file, or replace it with --force")
    with reached_database(), _told(), _whole(path) as file:
        contents = asyncio.run(_write(file))
        size = file.tell()
    return f"{path}: {contents}; {size / 1e6:.1f} MB."


def restore(name: str) -> str:
    """Bring the backup in file `name`, `-` for the standard input, into an empty database; then migrate that.

    What to tell about it. CannotStart, and the database as empty as before, when anything is amiss.
    """
    with _told(), _seekable(name) as file, _opened(file) as archive:
        contents = _contents(archive)
        with reached_database():
            strange = asyncio.run(_load(archive, contents))
            migrate()
    left_out = f" Left out, for no migration makes them: {', '.join(strange)}." if strange else ""
    return f"Restored: {contents}. Everybody is signed out.{left_out}"


async def _write(file: IO[bytes]) -> Contents:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        async with copying.picture() as connection:
            if (migration := await health.migration(connection)) is None:
                raise CannotStart("there is nothing to back up: the database was never migrated")
            contents = Contents(format=FORMAT, made_at=clock.now(), migration=migration, tables={}, sequences={})
            for table, columns in (await copying.tables(connection)).items():
                with archive.open(f"tables/{table}", "w", force_zip64=True) as member:

                    async def take(data: bytes, member: IO[bytes] = member) -> None:
                        member.write(data)

                    rows = await copying.read(connection, table, columns, take)
                contents.tables[table] = Table(columns=columns, rows=rows)
            # Last: they do not wait for transactions, and must not be behind the rows.
            contents.sequences = await copying.sequences(connection)
        archive.writestr(CONTENTS, contents.model_dump_json(indent=2))
    return contents


async def _load(archive: zipfile.ZipFile, contents: Contents) -> list[str]:
    """Fill the database. Tables of the backup that no migration makes."""
    try:
        async with copying.emptiness() as connection:
            driver = await copying.driver(connection)
            if (found := [*await copying.tables(driver)]) or await health.migration(driver):
                names = ", ".join(found[:3] or ["alembic_version"]) + (" and others" if found[3:] else "")
                raise CannotStart(f"the database is not empty, it has tables {names}: restore into a new one")
            await connection.run_sync(copying.make_tables, ScriptDirectory(MIGRATIONS), contents.migration)
            made = await copying.tables(driver)
            async with copying.unhindered(driver):
                for table, columns in made.items():
                    await _fill(archive, contents.tables.get(table), table, columns, driver)
            with _unspoilt():
                await copying.go_on(driver, contents.sequences)
            await copying.end_sessions(driver)
            await copying.gather_statistics(driver)
    finally:
        await session.close()
    return sorted(contents.tables.keys() - made)


async def _fill(archive: zipfile.ZipFile, held: Table | None, table: str, columns: list[str], driver: Any) -> None:
    if held is None or set(held.columns) != set(columns):
        raise CannotStart(f"the backup does not fit this version of Clientela: table {table} has {', '.join(columns)}")
    with _unspoilt(), archive.open(f"tables/{table}") as member:
        rows = await copying.write(driver, table, held.columns, member)
    if rows != held.rows:
        raise CannotStart(f"the backup is spoilt: {rows} rows of {table} instead of {held.rows}")


@contextmanager
def _told() -> Iterator[None]:
    """What PostgreSQL or the file system refuses, in one sentence."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, SQLAlchemyError) as error:
        raise CannotStart((str(error) or type(error).__name__).splitlines()[0]) from None


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that has its name once it is complete."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(unfinished, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)


@contextmanager
def _seekable(name: str) -> Iterator[IO[bytes]]:
    if name != STREAM:
        with open(name, "rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        yield file


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    with _unspoilt():
        archive = zipfile.ZipFile(file)
    with archive:
        yield archive


def _contents(archive: zipfile.ZipFile) -> Contents:
    with _unspoilt():
        contents = Contents.model_validate_json(archive.read(CONTENTS))
    known = {each.revision for each in ScriptDirectory(MIGRATIONS).walk_revisions()}
    if contents.format != FORMAT or contents.migration not in known:
        which = f"format {contents.format}, migration {contents.migration}"
        raise CannotStart(f"the backup is of another version of Clientela ({which}): restore it with that one")
    return contents


@contextmanager
def _unspoilt() -> Iterator[None]:
    """What reading a ZIP archive may raise when it is none, or not as it was written."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, ValidationError) as error:
        raise CannotStart(f"this is no backup, or not a whole one ({type(error).__name__})") from None
