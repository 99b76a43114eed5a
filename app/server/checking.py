"""What must hold before a change lands? Each check is a command; `crm check` runs them all and says which failed."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.server import embedded
from app.settings import PROJECT

PYTHON = [sys.executable, "-m"]
CRM = [*PYTHON, "app.cli"]
# A file's tests stay together: they share what is dear to start. One more than there are cores, since some wait.
# Files go in the order of tests/ordering.py.
PARALLEL = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
# What starts the whole product as its users do, breaks it, or asks it a thousand questions: longer than five minutes.
LONG = (
    "tests/clients",
    "tests/contracts/test_real_input.py",
    "tests/contracts/test_schemathesis.py",
    "tests/db/test_upgrading.py",
    "tests/docs/test_commands.py",
    "tests/faults",
    "tests/server/test_backups.py",
    "tests/server/test_commands.py",
    "tests/server/test_docker.py",
)
# What is made at random, more of it each time than a change has to wait for.
NIGHTLY = (
    "tests/contracts/long_fuzzing.py",
    "tests/contracts/long_two_worlds.py",
    "tests/policies/long_stateful_access.py",
)
PYTEST = [*PYTHON, "pytest", *PARALLEL]
SUITE = [f"--ignore={path}" for path in LONG]
CHECKS = {
    "ruff check": [*PYTHON, "ruff", "check", "."],
    "ruff format": [*PYTHON, "ruff", "format", "--check", "."],
    "mypy": [*PYTHON, "mypy"],
    "layers": [str(Path(sys.executable).with_name("lint-imports"))],
    "migrations": [*CRM, "migration", "--check"],
    "openapi": [*CRM, "openapi", "--check"],
    "tests": [*PYTHON, "tests.measuring", *PARALLEL, *SUITE],
    "long tests": [*PYTEST, *LONG],
}


def check_all() -> int:
    """Run every check, also after one failed. The exit status: the number of those that failed."""
    failed = []
    for name, command in CHECKS.items():
        print(f"── {name}", flush=True)
        began = time.monotonic()
        status = subprocess.run(command, cwd=PROJECT, check=False).returncode
        print(f"── {name}: {'FAILED' if status else 'ok'} in {time.monotonic() - began:.1f} s", flush=True)
        if status:
            failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.")
    return len(failed)


def alembic(*arguments: str) -> int:
    """Run alembic on the database that the environment names. Its exit status."""
    return subprocess.run([*PYTHON, "alembic", *arguments], cwd=PROJECT, check=False).returncode


def alembic_on_empty_database(*arguments: str) -> int:
    """Bring a new, disposable database to the newest migration, then run alembic on it. The first bad status, or 0."""
    with tempfile.TemporaryDirectory(prefix="crm-") as folder, embedded.postgres(Path(folder), disposable=True) as url:
        os.environ |= {"CRM_DATABASE_URL": url, "CRM_SECRET_KEY": "only for a database that is thrown away"}
        return alembic("upgrade", "head") or alembic(*arguments)


def has_single_head() -> bool:
    """Whether the migrations are one line."""
    heads = subprocess.run([*PYTHON, "alembic", "heads"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return len(heads.stdout.splitlines()) == 1
