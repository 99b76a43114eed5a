"""Does a log tell what is nobody's business? That of this process, and of those that tests start, their servers too."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

# What is hidden; tokens and API keys; the passwords of the tests; anybody's address, but those that the demo prints.
SECRET = re.compile(
    r"canary\w|eyJ[\w-]{8,}\.|crm_[\w-]{30,}|la gata bebe leche|correct horse battery|eleven gulls over"
    r"|[\w.+-]+@(?!demo\.example)[\w-]+\.[a-z]{2,}"
)


class Telltale(logging.Handler):
    """Keeps what should not have been said, with its traceback, until somebody asks."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def listen(self) -> None:
        logging.getLogger().addHandler(self)
        for name in ("app", "clientela"):
            logging.getLogger(name).setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        said = logging.Formatter().format(record)
        if record.name.startswith(("app", "clientela", "sqlalchemy", "asyncpg", "arq")) and SECRET.search(said):
            self.told.append(said)

    def asked(self) -> list[str]:
        """What was said since it was last asked."""
        told, self.told = self.told, []
        return told


telltale = Telltale()


def telling(log: str) -> list[str]:
    """The lines of a log that say what is nobody's business."""
    return [line for line in log.splitlines() if SECRET.search(line)]


def told_in(folder: Path) -> list[str]:
    """The same of all logs that the servers on a data directory wrote."""
    return [line for log in folder.glob("*.log*") for line in telling(log.read_text(errors="replace"))]


@contextmanager
def overheard() -> Iterator[IO[bytes]]:
    """Where a process that a test starts is to write. After the block, by which it has ended, that is searched.

    AssertionError if it said what is nobody's business.
    """
    with TemporaryFile() as output:
        try:
            yield output
        finally:
            output.seek(0)
            said = output.read().decode(errors="replace")
            sys.stderr.write(said)
        told = telling(said)
        assert not told, told
