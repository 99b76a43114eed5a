"""Do the commands of `crm` do what they say, beside a running stack, and say in one line what they cannot do?"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.server import checking, embedded
from app.server.supervisor import ADMINISTRATOR

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data directory on which PostgreSQL runs, migrated by the command."""
    with tempfile.TemporaryDirectory(prefix="crm") as made, embedded.postgres(Path(made), disposable=True):
        migrated = crm(Path(made), "migrate")
        assert migrated.returncode == 0, migrated.stderr
        yield Path(made)


def crm(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env={**given, "CRM_DATA_DIR": str(data_dir), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


async def value(data_dir: Path, query: str) -> object:
    connection = await asyncpg.connect(embedded.running_postgres(data_dir))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_first_administrator_is_made_with_a_password_shown_once(data_dir: Path) -> None:
    assert await value(data_dir, ADMINISTRATOR) is False
    made = crm(data_dir, "user", "create", "--username", "ada", "--name", "Ada Lovelace")
    assert (made.returncode, made.stderr) == (0, "")
    assert re.fullmatch(r"ada can sign in. The password, shown only now: [\w-]{16}\n", made.stdout)
    assert await value(data_dir, ADMINISTRATOR) is True
    again = crm(data_dir, "user", "create", "--username", "ada", "--name", "Another")
    assert again.returncode == 1
    assert re.fullmatch(r"crm: .*username.*\n", again.stderr)


async def test_a_user_gets_a_profile_and_a_password_of_ones_choice(data_dir: Path) -> None:
    arguments = [
        "user",
        "create",
        "--username",
        "eva",
        "--name",
        "Eva",
        "--profile",
        "sales",
        "--email",
        "eva@example.org",
    ]
    made = crm(data_dir, *arguments, CRM_PASSWORD="correct horse battery")
    assert (made.returncode, made.stdout, made.stderr) == (0, "eva can sign in.\n", "")
    kept = "select profile_id || ' ' || email || ' ' || password_hash from users where username = 'eva'"
    before = str(await value(data_dir, kept))
    assert before.startswith("sales eva@example.org $argon2")
    changed = crm(data_dir, "user", "password", "--username", "eva", CRM_PASSWORD="staple horse battery")
    assert (changed.returncode, changed.stdout, changed.stderr) == (0, "eva can sign in.\n", "")
    assert await value(data_dir, kept) != before


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        (["create", "--username", "x", "--name", "X"], "short", "password"),
        (["create", "--username", "x", "--name", "X", "--profile", "emperor"], "correct horse battery", "profile"),
        (["password", "--username", "nobody"], "correct horse battery", "user"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(data_dir: Path, arguments: list[str], password: str, message: str) -> None:
    refused = crm(data_dir, "user", *arguments, CRM_PASSWORD=password)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert re.fullmatch(rf"crm: .*{message}.*\n", refused.stderr, re.IGNORECASE)


def test_every_check_runs_and_those_that_failed_are_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checking, "CHECKS", {"first": ["true"], "second": ["false"], "third": ["echo", "ran"]})
    assert checking.check_all() == 1
    printed = capfd.readouterr().out
    assert re.search(r"second: FAILED in \d+\.\d s", printed)
    assert re.search(r"ran\n── third: ok in \d+\.\d s\nFAILED: second\n$", printed)


def test_the_migrations_are_one_line_and_make_the_tables_of_the_code() -> None:
    assert checking.has_single_head()
    with tempfile.TemporaryDirectory(prefix="crm") as folder:
        checked = crm(Path(folder), "migration", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "No new upgrade operations detected." in checked.stdout


def test_a_migration_wants_a_name() -> None:
    with tempfile.TemporaryDirectory(prefix="crm") as folder:
        assert crm(Path(folder), "migration").returncode == 2


def test_the_published_description_is_what_the_code_says() -> None:
    with tempfile.TemporaryDirectory(prefix="crm") as folder:
        compared = crm(Path(folder), "openapi", "--check")
    assert compared.returncode == 0, compared.stderr
