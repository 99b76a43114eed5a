"""What is left, and what is lost, when processes are killed without warning?"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stacks import STAND_INS, Stack, environment_for, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="crm") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack that every test leaves running."""
    with tempfile.TemporaryDirectory(prefix="crm") as made, Stack(Path(made)) as running:
        yield running.await_up()
        assert running.end() == 0
        assert running.processes() == []


def test_a_killed_supervisor_leaves_nothing_and_loses_no_acknowledged_row(folder: Path) -> None:
    with Stack(folder) as stack:
        stack.await_up()
        acknowledged = [stack.ask(f"/{number}") for number in range(5)]
        stack.process.kill()
        stack.process.wait()
        eventually(lambda: not stack.processes(), 3, stack.processes)
    with Stack(folder) as stack:
        stack.await_up()
        assert stack.ask("/20") == acknowledged[-1] + 1
        assert stack.end() == 0


def test_the_next_start_waits_for_the_servers_of_a_killed_one(folder: Path) -> None:
    with Stack(folder) as stack:
        stack.await_up()
        before = stack.ask("/1")
        stack.process.kill()
        stack.process.wait()
        with Stack(folder) as following:
            following.await_up()
            assert following.ask("/2") == before + 1
            assert following.end() == 0


def test_everything_killed_at_once_loses_no_acknowledged_row(folder: Path) -> None:
    with Stack(folder) as stack:
        stack.await_up()
        before = stack.ask("/1")
        for number in stack.processes():
            os.kill(number, signal.SIGKILL)
        stack.process.wait()
    with Stack(folder) as stack:
        stack.await_up()
        assert stack.ask("/2") == before + 1
        assert stack.end() == 0


def test_a_second_instance_on_the_same_data_is_refused(stack: Stack) -> None:
    command = [sys.executable, str(STAND_INS), "up", str(stack.folder)]
    environment = environment_for(stack.folder)
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert second.stderr == f"crm: {stack.folder} is in use by another `crm` (process {stack.process.pid})\n"
    assert stack.ask() == stack.number_of("API")


def test_a_killed_api_is_started_again_and_callers_wait_instead_of_being_refused(stack: Stack) -> None:
    first = stack.ask()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: "The API ended (SIGKILL); it starts again in 0.1 s" in stack.printed(), 10, stack.printed)
    assert stack.ask() not in (first, stack.process.pid)


def test_a_worker_that_keeps_dying_is_started_again_with_growing_delay(stack: Stack) -> None:
    (stack.folder / "worker-fails").touch()
    os.kill(stack.number_of("worker"), signal.SIGKILL)
    pattern = r"The worker ended \((.*)\); it starts again in ([\d.]+) s"
    eventually(lambda: len(re.findall(pattern, stack.printed())) >= 4, 30, stack.printed)
    assert re.findall(pattern, stack.printed())[:4] == [
        ("SIGKILL", "0.1"),
        ("status 3", "0.2"),
        ("status 3", "0.4"),
        ("status 3", "0.8"),
    ]
    assert stack.ask() == stack.number_of("API")
    (stack.folder / "worker-fails").unlink()
    eventually(lambda: Path(f"/proc/{stack.number_of('worker')}").exists(), 30, stack.printed)


def test_a_killed_postgresql_is_started_again_with_every_row(stack: Stack) -> None:
    before = stack.ask("/1")
    first = stack.number_of("postgres")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: "PostgreSQL ended (SIGKILL)" in stack.printed(), 10, stack.printed)
    eventually(lambda: _counts(stack) == before + 1, 30, stack.printed)
    assert stack.number_of("postgres") != first


def _counts(stack: Stack) -> int | None:
    try:
        return stack.ask("/2")
    except (OSError, ValueError):
        return None


def test_a_killed_uv_takes_the_supervisor_with_it(folder: Path) -> None:
    """`uv run crm up`: uv, killed, passes nothing on; the supervisor notices, and stops in order."""
    uv = folder / "uv"
    uv.symlink_to(os.path.realpath(sys.executable))
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    command = [str(uv), "-c", program, sys.executable, str(STAND_INS), "up", str(folder)]
    with Stack(folder, command=command) as stack:
        stack.await_up()
        stack.process.kill()
        eventually(lambda: not stack.processes(), 20, stack.processes)
        assert stack.notes()[-2:] == ["API ends", "worker ends"]
