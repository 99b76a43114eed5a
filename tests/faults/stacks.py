"""A whole stack under the supervisor, seen from outside: its notes, its answers, the processes that it leaves."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.telltale import telling, told_in

STAND_INS = Path(__file__).with_name("stand_ins.py")


class Stack:
    """One `up` on `folder`, which is its CRM_DATA_DIR. Leaving the block kills what is left."""

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **options: object,
    ) -> None:
        self.folder = folder
        self.output = folder / "output"
        (folder / "notes").unlink(missing_ok=True)
        with self.output.open("w") as output:
            given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options}
            self.process = subprocess.Popen(
                command or [sys.executable, str(STAND_INS), "up", str(folder)],
                env=environment_for(folder) | dict(environment or {}),
                **given,
            )

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for number in self.processes():
            os.kill(number, signal.SIGKILL)
        told = telling(self.printed()) + told_in(self.folder)
        assert not told, told

    def await_up(self) -> "Stack":
        eventually(lambda: self._is_up() or self.process.poll() is not None, 60, self.printed)
        assert self.process.poll() is None, self.printed()
        return self

    def _is_up(self) -> bool:
        return "Ctrl-C stops" in self.printed() and "worker starts" in self.notes()

    def printed(self) -> str:
        return self.output.read_text()

    def ask(self, path: str = "/") -> int:
        found = re.search(r"http://([\d.]+):(\d+)", self.printed())
        assert found, self.printed()
        connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=20)
        connection.request("GET", path)
        return int(connection.getresponse().read())

    def notes(self) -> list[str]:
        """What the children noted, without process numbers."""
        lines = (self.folder / "notes").read_text().splitlines() if (self.folder / "notes").exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    def number_of(self, program: str) -> int:
        """The process of the API or the worker, by its last note, or the postmaster."""
        if program == "postgres":
            return int((self.folder / "pg18" / "postmaster.pid").read_text().splitlines()[0])
        lines = (self.folder / "notes").read_text().splitlines()
        return int(next(line for line in reversed(lines) if line.startswith(f"{program} starts")).split()[-1])

    def end(self) -> int:
        """Stop it in order. Its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def processes(self) -> list[int]:
        """Every process on this data: all inherit the variable that names it."""
        mark = f"CRM_DATA_DIR={self.folder}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


def environment_for(folder: Path) -> dict[str, str]:
    """The environment without settings but the data directory: other tests name their database in ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRM_")} | {
        "CRM_DATA_DIR": str(folder)
    }


def eventually(holds: Callable[[], object], seconds: float, explain: Callable[[], object] = lambda: "") -> None:
    """Wait until it holds; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
