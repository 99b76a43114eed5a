"""How are a document's commands run, as a reader would run them?"""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.telltale import telling, told_in

ROOT = Path(__file__).parents[2]
CRM = Path(sys.executable).with_name("crm")
FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a reader leaves running in another terminal, and what this very test is part of.
LEFT_OUT = ("./crm up\n", "./crm up --demo\n", "./crm test\n")
PATIENCE = 240.0
END = "--- end of block ---"


@dataclass(frozen=True)
class Block:
    """Commands of a document, and what the document says they print; None where it does not say.

    `…` in it stands for what differs from one reader to the next, such as an id.
    """

    document: str
    commands: str
    printed: str | None

    def prints(self, output: str) -> bool:
        """Whether the output is what the document says."""
        said = ".*".join(re.escape(part) for part in (self.printed or "…").strip().split("…"))
        return re.fullmatch(said, output.strip(), re.DOTALL) is not None


def blocks(document: str) -> list[Block]:
    """The commands of a document, in order. A `text` block is what the `sh` block before it prints."""
    found: list[Block] = []
    for kind, text in FENCE.findall((ROOT / document).read_text()):
        if kind == "sh":
            found.append(Block(document, text, None))
        else:
            found[-1] = Block(document, found[-1].commands, text)
    return [block for block in found if block.commands not in LEFT_OUT]


@contextmanager
def crm_up(folder: Path, *options: str) -> Iterator[str]:
    """The product on a data directory of its own, as `./crm up` starts it; what it prints is in `log`. Yields its
    address."""
    port = _free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([CRM, "up", *options], env=_environment(folder, port), stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _await_answer(url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            process.wait(60)
    told = telling((folder / "log").read_text()) + told_in(folder / "data")
    assert not told, told


def run(script: list[Block], url: str, folder: Path) -> list[str]:
    """Run the blocks in one shell, at the root of the project. What each of them printed."""
    commands = f"\necho '{END}'\n".join(block.commands for block in script)
    commands = commands.replace("http://127.0.0.1:8000", url).replace("8001", str(_free_port()))
    commands = commands.replace("./crm ", f"{shlex.quote(str(CRM))} ").replace(".venv/bin/python", sys.executable)
    shell = subprocess.Popen(
        ["bash", "-eu", "-o", "pipefail", "-c", commands],
        cwd=ROOT,
        env=_environment(folder, 0),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, complaints = shell.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        shell.kill()
        output, complaints = shell.communicate()
    printed = output.split(f"{END}\n")
    assert shell.returncode == 0, f"{script[len(printed) - 1].commands}\n{printed[-1]}\n{complaints}"
    return printed


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _environment(folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "COV"))}
    return kept | {"CRM_DATA_DIR": str(folder / "data")} | ({"CRM_PORT": str(port)} if port else {})


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
            return
        except httpx.HTTPError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
