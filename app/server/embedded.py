"""How do PostgreSQL and Valkey run below a data directory, without installation, network or account?

    with embedded.postgres(data_dir) as database_url, embedded.valkey(data_dir) as redis_url:
        …

Synchronous, for commands and test sessions alike; call them from the main thread. Both listen on a socket only, run as
root or not, and die with this process, even by `kill -9` (Linux).

`database_url` is `postgresql://crm:PASSWORD@/postgres?host=FOLDER`, as asyncpg takes it; SQLAlchemy wants the same with
`postgresql+asyncpg://`. `crm` is a superuser. `redis_url` is `unix://FOLDER/kv.sock`. For tests, `disposable=True` does
without durability. `CannotStart` says what is wrong in a sentence; `InUse`, one of them, that another process has the
directory; `running_postgres(data_dir)` and `running_valkey(data_dir)` answer the URLs of its servers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.server.claims import is_claimed
from app.server.folders import remove_temporary_socket_folder
from app.server.postgres import claimed_postgres, cluster_folder, database_url
from app.server.processes import Program, start_and_await, stop
from app.server.valkey import claimed_valkey, redis_url, valkey_folder


@contextmanager
def postgres(data_dir: Path, *, disposable: bool = False) -> Iterator[str]:
    """A running PostgreSQL 18 on `data_dir`, made at its first use. Yields its URL."""
    data_dir = data_dir.absolute()
    with claimed_postgres(data_dir, disposable=disposable) as program, _running(program):
        yield database_url(data_dir)
    remove_temporary_socket_folder(data_dir)


@contextmanager
def valkey(data_dir: Path) -> Iterator[str]:
    """A running Valkey on `data_dir`. Yields its URL."""
    data_dir = data_dir.absolute()
    with claimed_valkey(data_dir) as program, _running(program):
        yield redis_url(data_dir)
    remove_temporary_socket_folder(data_dir)


def running_postgres(data_dir: Path) -> str | None:
    """The URL of the PostgreSQL that another process of ours (`crm up`) runs on `data_dir`, else None."""
    data_dir = data_dir.absolute()
    return database_url(data_dir) if is_claimed(cluster_folder(data_dir)) else None


def running_valkey(data_dir: Path) -> str | None:
    """The URL of the Valkey that another process of ours (`crm up`) runs on `data_dir`, else None."""
    data_dir = data_dir.absolute()
    return redis_url(data_dir) if is_claimed(valkey_folder(data_dir)) else None


@contextmanager
def _running(program: Program) -> Iterator[None]:
    process = start_and_await(program)
    try:
        yield
    finally:
        stop(program, process)
