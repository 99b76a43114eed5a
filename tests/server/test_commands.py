"""Do the commands of `crm` do what they say, beside a running stack, and say in one line what they cannot do?"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.server import checking
from tests.telltale import overheard, told_in


@pytest.fixture(scope="module")
def address(data_dir: Path) -> Iterator[str]:
    """The address of the real thing, started by `crm up`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "up", "--port", str(port)]
    with (
        overheard() as log,
        subprocess.Popen(command, env=environment(data_dir), stdout=subprocess.PIPE, stderr=log, text=True) as up,
    ):
        assert up.stdout is not None
        assert up.stdout.readline() == (
            f"Clientela answers at http://127.0.0.1:{port}; its documentation is at http://127.0.0.1:{port}/docs\n"
        )
        yield f"http://127.0.0.1:{port}"
        up.send_signal(signal.SIGTERM)
        printed = up.stdout.read()
    assert told_in(data_dir) == []
    assert up.returncode == 0
    assert printed == (
        "There is no administrator yet. Make the first one, in another terminal: ./crm user create\n"
        "Ctrl-C stops everything.\nStopped.\n"
    )


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crm") as made:
        yield Path(made)


def environment(data_dir: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    return given | {"CRM_DATA_DIR": str(data_dir)}


def crm(data_dir: Path, *arguments: str, **further: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment(data_dir) | further,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def signed_in(address: str, username: str, password: str) -> int:
    """The status of signing in."""
    return httpx.post(f"{address}/v1/auth/token", data={"username": username, "password": password}).status_code


def test_the_first_administrator_is_made_beside_a_running_stack_and_signs_in(address: str, data_dir: Path) -> None:
    assert httpx.get(f"{address}/readyz").status_code == 200
    made = crm(data_dir, "user", "create", "--username", "ada", "--name", "Ada Lovelace")
    assert (made.returncode, made.stderr) == (0, "")
    found = re.fullmatch(r"ada can sign in. The password, shown only now: ([\w-]{16})\n", made.stdout)
    assert found
    assert signed_in(address, "ada", found[1]) == 200
    again = crm(data_dir, "user", "create", "--username", "Ada", "--name", "Another")
    assert (again.returncode, again.stderr) == (1, "crm: username: another user has it\n")
    changed = crm(data_dir, "user", "password", "--username", "ada", CRM_PASSWORD="staple horse battery")
    assert (changed.returncode, changed.stdout, changed.stderr) == (0, "ada can sign in.\n", "")
    assert signed_in(address, "ada", found[1]) == 401
    assert signed_in(address, "ada", "staple horse battery") == 200


def test_what_cannot_be_is_said_in_one_line(address: str, data_dir: Path) -> None:
    arguments = ["user", "create", "--username", "x", "--name", "X", "--profile", "emperor"]
    refused = crm(data_dir, *arguments, CRM_PASSWORD="correct horse battery")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(r"crm: .*profile.*\n", refused.stderr)


def test_every_check_runs_and_those_that_failed_are_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checking, "CHECKS", {"first": ["true"], "second": ["false"], "third": ["echo", "ran"]})
    assert checking.check_all() == 1
    printed = capfd.readouterr().out
    assert re.search(r"second: FAILED in \d+\.\d s", printed)
    assert re.search(r"ran\n── third: ok in \d+\.\d s\nFAILED: second\n$", printed)
