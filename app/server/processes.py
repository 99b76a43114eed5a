"""How are child processes started, awaited and ended, so that none outlives its parent?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHIM = Path(__file__).with_name("_child.py")
LOG_LIMIT = 10 * 2**20


class CannotStart(Exception):
    """Why something does not start, in one sentence for whoever called the command."""


@dataclass(frozen=True)
class Program:
    """What one child runs and how it ends.

    `before` runs before each start and answers further environment. `death_signal` is what the child gets when its
    parent dies (Linux). `patience` is how many seconds it has to end by itself. Without `log` its output passes
    through. `passing` are words in its log that make a failed start worth another try.
    """

    name: str
    command: Sequence[str]
    account: str = "same"
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    patience: float = 25.0
    log: Path | None = None
    passing: Sequence[str] = ()
    keep_open: Sequence[int] = ()
    before: Callable[[], Mapping[str, str]] = dict
    is_ready: Callable[[], bool] = lambda: True


def shim(account: str, command: Sequence[str], death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command that runs `command` under `account` and dies with this process."""
    return [sys.executable, "-I", "-S", str(SHIM), account, str(int(death_signal)), str(os.getpid()), *command]


def start(program: Program, *, held: bool = False) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own, so that Ctrl-C reaches only us. Call it from the main thread:
    the death signal comes when the thread that started the child ends. `held` gives it a standard input to wait for."""
    output = None if program.log is None else _opened(program.log)
    try:
        return subprocess.Popen(
            shim(program.account, program.command, program.death_signal),
            env={**os.environ, **program.environment, **program.before()},
            stdin=subprocess.PIPE if held else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=program.keep_open,
            process_group=0,
        )
    finally:
        if output is not None:
            os.close(output)


def start_and_await(program: Program, seconds: float = 30.0) -> subprocess.Popen[bytes]:
    """Start it and wait until it is ready, as `await_ready` does."""
    deadline = time.monotonic() + seconds
    while True:
        process = start(program)
        try:
            await_ready(program, process, seconds)
            return process
        except CannotStart:
            stop(program, process)
            if time.monotonic() > deadline or not any(sign in _log_end(program) for sign in program.passing):
                raise
            time.sleep(0.2)
        except BaseException:
            stop(program, process)
            raise


def await_ready(program: Program, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until it is ready. CannotStart, with the end of its log, when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not program.is_ready():
        if process.poll() is not None:
            raise CannotStart(f"{program.name} ended at its start (status {process.returncode}){_log_end(program)}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{program.name} is not ready after {seconds:.0f} seconds{_log_end(program)}")
        time.sleep(0.02)


def stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, wait for `patience` seconds, end it."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.patience)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _log_end(program: Program) -> str:
    if program.log is None or not program.log.exists():
        return ""
    lines = program.log.read_text(errors="replace").splitlines()[-5:]
    return f"; {program.log} ends with: {' / '.join(line.strip() for line in lines)}"


def _opened(log: Path) -> int:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
