"""Does `crm up` start in order, stop in order whoever asks, and refuse by name what cannot work?"""

import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server import embedded
from tests.faults.stacks import Stack, environment_for, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

# The worker and the API start side by side.
IN_ORDER = ["migrated", {"worker starts", "API starts"}, "API ends", "worker ends"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data directory with its cluster; a test leaves it with nothing running."""
    with tempfile.TemporaryDirectory(prefix="crm") as made:
        with embedded.postgres(Path(made)):
            pass
        yield Path(made)


def in_order(notes: list[str]) -> list[object]:
    return [*notes[:1], set(notes[1:3]), *notes[3:]]


def test_everything_starts_and_stops_in_order_and_leaves_nothing(folder: Path) -> None:
    with Stack(folder) as stack:
        stack.await_up()
        assert stack.ask() == stack.number_of("API")
        assert "/docs" in stack.printed()
        assert "./crm user create" in stack.printed()
        assert stack.end() == 0
        assert in_order(stack.notes()) == IN_ORDER
        assert stack.processes() == []
        assert "database system is shut down" in (folder / "postgres.log").read_text()


@pytest.mark.parametrize("way", ["Ctrl-C", "the terminal is closed"])
def test_a_terminal_stops_everything_in_order(folder: Path, way: str) -> None:
    master, terminal = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        # Tests that a shell runs in the background, or nohup, are told to ignore them.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    with Stack(folder, preexec_fn=take_terminal, stdin=terminal, stdout=terminal, pass_fds=[terminal]) as stack:
        os.close(terminal)
        eventually(lambda: {"API starts", "worker starts"} <= {*stack.notes()}, 60, stack.printed)
        if way == "Ctrl-C":
            os.write(master, b"\x03")
        else:
            os.close(master)
        assert stack.process.wait(30) == 0, stack.printed()
        assert in_order(stack.notes()) == IN_ORDER
        assert stack.processes() == []
    if way == "Ctrl-C":
        os.close(master)


def test_a_hangup_that_nohup_ignores_stops_nothing(folder: Path) -> None:
    with Stack(folder, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as stack:
        stack.await_up()
        stack.process.send_signal(signal.SIGHUP)
        assert stack.ask() == stack.number_of("API")
        assert stack.end() == 0


def test_stopping_during_the_start_leaves_nothing(folder: Path) -> None:
    with Stack(folder, environment={"STAND_IN_MIGRATION_SECONDS": "30"}) as stack:
        eventually(lambda: "migration begins" in stack.notes(), 60, stack.printed)
        assert stack.end() == 0
        assert stack.notes() == ["migration begins"]
        assert stack.processes() == []


def test_a_failed_migration_is_said_and_leaves_nothing(folder: Path) -> None:
    with Stack(folder, environment={"STAND_IN_MIGRATION_SECONDS": "not a number"}) as stack:
        assert stack.process.wait(60) == 1
        assert "crm: the database could not be migrated (status 1)" in stack.printed()
        assert stack.processes() == []


def test_a_port_that_is_taken_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "app.cli", "up", "--port", str(port)],
            env=environment_for(tmp_path)
            | {
                "CRM_DATABASE_URL": "postgresql://localhost/away",
                "CRM_REDIS_URL": "redis://localhost/away",
                "CRM_SECRET_KEY": "k" * 32,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr == f"crm: CRM_HOST, CRM_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_given_servers_replace_the_embedded_ones(folder: Path) -> None:
    with (
        embedded.postgres(folder) as database_url,
        embedded.valkey(folder) as redis_url,
        tempfile.TemporaryDirectory(prefix="crm") as other,
    ):
        given = {"CRM_DATABASE_URL": database_url, "CRM_REDIS_URL": redis_url, "CRM_SECRET_KEY": "k" * 32}
        with Stack(Path(other), environment=given) as stack:
            stack.await_up()
            assert stack.ask("/7") > 0
            assert stack.end() == 0
            assert sorted(path.name for path in Path(other).iterdir()) == ["notes", "output"]
