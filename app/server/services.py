"""How does a service stay up? Started again when it dies, after a delay that grows while it keeps dying."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from app.server.processes import Program, start, stop

FIRST_DELAY = 0.1
LONGEST_DELAY = 30.0
SETTLED = 60.0


@dataclass
class Service:
    """A program that runs as `process`. After its death it is due again at `due`, on the monotonic clock."""

    program: Program
    process: subprocess.Popen[bytes]
    started: float
    delay: float = FIRST_DELAY / 2
    due: float | None = None

    def tend(self) -> float | None:
        """Start it again when it is time. Seconds until it wants to be tended, None while it runs."""
        if self.process.poll() is None:
            return None
        now = time.monotonic()
        if self.due is None:
            self.delay = FIRST_DELAY if now - self.started > SETTLED else min(self.delay * 2, LONGEST_DELAY)
            self.due = now + self.delay
            say(f"{self.program.name} ended ({_status(self.process)}); it starts again in {self.delay:.1f} s")
        if now >= self.due:
            self.process, self.started, self.due = start(self.program), now, None
            return None
        return self.due - now

    def end(self) -> None:
        """Stop it in order."""
        stop(self.program, self.process)


def say(line: str) -> None:
    """Tell whoever started us; a terminal that was closed must not keep us from stopping in order."""
    try:
        print(line, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _status(process: subprocess.Popen[bytes]) -> str:
    if process.returncode < 0:
        return signal.Signals(-process.returncode).name
    return f"status {process.returncode}"
