"""What stands in for the API, the worker and the migration in tests of the supervisor.

`python stand_ins.py up FOLDER` is a supervisor whose children are this file too. Each child notes its start and its end
in FOLDER/notes, with its process number.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

ME = [sys.executable, str(Path(__file__))]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"


def note(folder: str, text: str) -> None:
    with (Path(folder) / "notes").open("a") as notes:
        notes.write(f"{text} {os.getpid()}\n")


async def migrate(folder: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(os.environ["CRM_DATABASE_URL"])
    await connection.execute(
        "create table if not exists users"
        " (profile_id text, active boolean, archived_at timestamptz, password_hash text);"
        "create table if not exists rows (number int)"
    )
    await connection.close()
    note(folder, "migrated")


def worker(folder: str) -> None:
    def end(*_: object) -> None:
        note(folder, "worker ends")
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    note(folder, "worker starts")
    if (Path(folder) / "worker-fails").exists():
        sys.exit(3)
    while True:
        time.sleep(60)


def api(folder: str, descriptor: int) -> None:
    """Answers its process number, or, on a path, how many rows there are when it has added that one."""

    def end(*_: object) -> None:
        note(folder, "API ends")
        sys.exit()

    sys.stdin.read()
    signal.signal(signal.SIGTERM, end)
    note(folder, "API starts")
    with socket.socket(fileno=descriptor) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                number = connection.recv(1000).split()[1].decode().strip("/")
                answer = asyncio.run(add(int(number))) if number.isdigit() else os.getpid()
                connection.sendall(ANSWER % (len(str(answer)), str(answer).encode()))


async def add(number: int) -> int:
    import asyncpg

    connection = await asyncpg.connect(os.environ["CRM_DATABASE_URL"])
    await connection.execute("insert into rows values ($1)", number)
    count: int = await connection.fetchval("select count(*) from rows")
    await connection.close()
    return count


def up(folder: str) -> None:
    from app.server import supervisor

    commands = supervisor.Commands(
        migrate=[*ME, "migrate", folder], worker=[*ME, "worker", folder], api=[*ME, "api", folder]
    )
    sys.exit(supervisor.up("127.0.0.1", 0, commands))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["up", folder]:
            up(folder)
        case ["migrate", folder]:
            if seconds := os.environ.get("STAND_IN_MIGRATION_SECONDS"):
                note(folder, "migration begins")
                time.sleep(float(seconds))
            asyncio.run(migrate(folder))
        case ["worker", folder]:
            worker(folder)
        case ["api", folder, descriptor]:
            api(folder, int(descriptor))
