"""What does `crm up` do? Starts PostgreSQL, Valkey, the worker and the API in order, keeps and stops them in order."""

import asyncio
import ctypes
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.server import mailbox
from app.server.demo import SENDER, demo_password, tell_logins
from app.server.folders import remove_temporary_socket_folder
from app.server.postgres import claimed_postgres, database_url
from app.server.processes import CannotStart, Program, await_ready, start, start_and_await, stop
from app.server.services import Service, say
from app.server.signals import Signals, Stop, listening
from app.server.valkey import claimed_valkey, redis_url
from app.settings import secret_keys, settings

PR_SET_PDEATHSIG = 1
FIRST_ANSWER = 60.0
ADMINISTRATOR = """
    select exists (
      select from users
      where profile_id = 'administrator' and active and archived_at is null and password_hash is not null
    )
"""


@dataclass(frozen=True)
class Commands:
    """The commands of our own children. The API's gets the descriptor of its listening socket as last argument."""

    migrate: Sequence[str] = (sys.executable, "-m", "app.server.migrating")
    demo: Sequence[str] = (sys.executable, "-m", "app.server.demo")
    mailbox: Sequence[str] = (sys.executable, "-m", "app.server.mailbox")
    worker: Sequence[str] = (sys.executable, "-m", "app.jobs.worker")
    api: Sequence[str] = (sys.executable, "-m", "app.server.serving")


def up(host: str, port: int, commands: Commands = Commands(), *, demo: bool = False) -> int:
    """Run everything until somebody stops it, with the `demo` planted and its mail caught, or without.

    The exit status: 0 when stopped, 1 when it could not start.
    """
    _die_with_uv()
    with listening() as signals:
        try:
            # The stack undoes in reverse order: callers are refused, then the API ends, and PostgreSQL last.
            with ExitStack() as stack:
                services = _start_all(stack, signals, host, port, commands, demo)
                while True:
                    waits = [wait for service in services if (wait := service.tend()) is not None]
                    signals.wait(min(waits, default=None))
        except Stop:
            say("Stopped.")
            return 0
        except (CannotStart, OSError) as error:
            print(f"crm: {error}", file=sys.stderr)
            return 1


def _start_all(
    stack: ExitStack, signals: Signals, host: str, port: int, commands: Commands, demo: bool
) -> list[Service]:
    data_dir = settings().data_dir
    stack.callback(remove_temporary_socket_folder, data_dir)
    services: list[Service] = []
    servers, environment = _servers(stack, data_dir)
    listener = stack.enter_context(_listening_socket(host, port))
    if demo:
        environment["CRM_DEMO_PASSWORD"] = demo_password(data_dir)
        if not settings().smtp_url:
            caught = stack.enter_context(mailbox.listening())
            environment |= {"CRM_SMTP_URL": mailbox.smtp_url(caught), "CRM_MAIL_FROM": settings().mail_from or SENDER}
            services.append(_mailbox(stack, commands, caught, data_dir))
    for server in servers:
        ready = _heeding(signals, server)
        services.append(service := Service(server, start_and_await(ready), time.monotonic()))
        stack.callback(service.end)
    api = Program(
        "The API",
        [*commands.api, str(listener.fileno())],
        environment=environment,
        keep_open=[listener.fileno()],
        is_ready=lambda: _answers(listener),
    )
    services.append(serving := Service(api, start(api, held=True), time.monotonic()))
    stack.callback(serving.end)
    migration = Program("The migration", commands.migrate, environment=environment)
    _run(signals, migration, "the database could not be migrated")
    if demo:
        _run(signals, Program("The demo", commands.demo, environment=environment), "the demo could not be planted")
    worker = Program("The worker", commands.worker, environment=environment)
    services.append(working := Service(worker, start(worker), time.monotonic()))
    stack.callback(working.end)
    # It is ended before the worker, though it was started before.
    stack.callback(serving.end)
    assert serving.process.stdin is not None
    serving.process.stdin.close()
    await_ready(_heeding(signals, api), serving.process, FIRST_ANSWER)
    stack.callback(listener.close)
    _greet(listener, environment["CRM_DATABASE_URL"])
    if demo:
        tell_logins(environment["CRM_DEMO_PASSWORD"], caught="CRM_SMTP_URL" in environment)
    say("Ctrl-C stops everything.")
    return services


def _mailbox(stack: ExitStack, commands: Commands, caught: socket.socket, data_dir: Path) -> Service:
    program = Program(
        "The mailbox",
        [*commands.mailbox, str(caught.fileno()), str(mailbox.mail_folder(data_dir))],
        keep_open=[caught.fileno()],
    )
    service = Service(program, start(program), time.monotonic())
    stack.callback(service.end)
    return service


def _servers(stack: ExitStack, data_dir: Path) -> tuple[list[Program], dict[str, str]]:
    """The servers to start, claimed, and the environment that tells our own children of them or of the given ones."""
    servers = []
    environment = {"CRM_SECRET_KEY": ",".join(key.decode() for key in secret_keys())}
    if given := settings().database_url:
        environment["CRM_DATABASE_URL"] = given
    else:
        servers.append(stack.enter_context(claimed_postgres(data_dir)))
        environment["CRM_DATABASE_URL"] = database_url(data_dir)
    if given := settings().redis_url:
        environment["CRM_REDIS_URL"] = given
    else:
        servers.append(stack.enter_context(claimed_valkey(data_dir)))
        environment["CRM_REDIS_URL"] = redis_url(data_dir)
    return servers, environment


def _heeding(signals: Signals, program: Program) -> Program:
    """The same, and waiting for it ends when somebody asks to stop."""

    def is_ready() -> bool:
        signals.check()
        return program.is_ready()

    return replace(program, is_ready=is_ready)


def _listening_socket(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise CannotStart(f"CRM_HOST, CRM_PORT: cannot listen on {host}:{port}: {reason}") from None


def _run(signals: Signals, program: Program, failure: str) -> None:
    """Run what ends by itself; CannotStart, with the failure, when it does not end well."""
    process = start(program)
    try:
        while process.poll() is None:
            signals.wait(None)
    finally:
        stop(program, process)
    if process.returncode != 0:
        raise CannotStart(f"{failure} (status {process.returncode})")


def _answers(listener: socket.socket) -> bool:
    """Whether the API answers anything at all."""
    with suppress(OSError), socket.create_connection(listener.getsockname()[:2], timeout=0.5) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(5) == b"HTTP/"
    return False


def _greet(listener: socket.socket, database: str) -> None:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    say(f"Clientela answers at {address}; its documentation is at {address}/docs")
    if not asyncio.run(_has_administrator(database)):
        say("There is no administrator yet. Make the first one, in another terminal: ./crm user create")


async def _has_administrator(database: str) -> bool:
    import asyncpg

    connection = await asyncpg.connect(database.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        return bool(await connection.fetchval(ADMINISTRATOR))
    finally:
        await connection.close()


def _die_with_uv() -> None:
    """`uv run crm up` waits for us without passing on its own death."""
    with suppress(OSError):
        parent = Path("/proc/self/status").read_text().partition("\nPPid:")[2].split(maxsplit=1)[0]
        if Path(f"/proc/{parent}/comm").read_text().strip() == "uv":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
