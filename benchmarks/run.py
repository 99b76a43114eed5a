"""How near the floor are we? Both services on the same rows, in blocks of seconds that take turns; needs Linux."""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import asyncpg
import uvloop

from app.policies.tokens import issue_access_token
from app.server.processes import Program, start_and_await, stop
from benchmarks import access, data, figures, floor, importing, load, operations, processes, writing
from benchmarks.figures import Measured
from benchmarks.operations import PEOPLE, Company

CONNECTIONS, WARM_UP = 16, 1.0
STATEMENTS = """
select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid
where d.datname = $1
"""
# What only reads comes first: what is written grows the tables.
OPERATIONS = (
    operations.ListCustomers,
    operations.CustomerPage,
    operations.SearchCustomers,
    operations.WonAmounts,
    operations.Timeline,
    operations.LaterTimeline,
    operations.FirstPage,
    operations.LaterPage,
    writing.CreateCustomer,
    writing.MoveOpportunity,
)
IMPORT = "O5"


@dataclass
class Service:
    """One of the two that are measured. workers: processes that work for it beside the one that answers."""

    name: str
    database: str
    address: str
    port: int
    pid: int
    workers: list[int] = field(default_factory=list)

    def processor_seconds(self) -> float:
        beside = sum(map(processes.processor_seconds_with_children, self.workers))
        return processes.processor_seconds(self.pid) + beside


@dataclass
class Bench:
    """What measures: PostgreSQL's counters and its first process, and how long a turn is."""

    counters: asyncpg.Connection
    postmaster: int
    rounds: int
    seconds: float
    files: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="crm bench", description="Measure the API against the floor.")
    parser.add_argument("--size", type=int, default=1, help="how many times data set D (100,000 customers)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each service has its turn")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn is")
    parser.add_argument("--only", default="", help="these operations, such as O1,O4")
    parser.add_argument("--data", type=Path, help="keep data set D in this folder, and use it as the last run left it")
    parser.add_argument("--access", action="store_true", help="measure what access costs instead")
    parser.add_argument("--json", action="store_true", help="print only the figures, as JSON")
    asked = parser.parse_args()
    if asked.access:
        access.main(asked.size, asked.json)
        return
    began = perf_counter()

    def say(text: str) -> None:
        if not asked.json:
            print(text, flush=True)

    only = set(filter(None, asked.only.split(",")))
    with folder_of(asked.data) as folder, databases(folder, asked.size) as address:
        say(f"Data set D, size {asked.size}, ready in {perf_counter() - began:.0f} s.")
        postmaster = int((folder / "pg18" / "postmaster.pid").read_text().split()[0])
        with (
            service("ours", address, "postgres", folder) as ours,
            service("floor", address, "floor", folder) as bare,
        ):
            found = uvloop.run(measure([ours, bare], address, postmaster, asked.rounds, asked.seconds, only))
            memory = {each.name: processes.resident_megabytes(each.pid) for each in (ours, bare)}
    answer = figures.answer(found, memory)
    print(json.dumps(answer) if asked.json else figures.table(answer, CONNECTIONS))


@contextmanager
def folder_of(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        yield Path(folder)


@contextmanager
def databases(folder: Path, size: int) -> Iterator[str]:
    """PostgreSQL and Valkey with D in `postgres` and, for the floor, in `floor`; the environment names the first."""
    with data.planted(folder, size) as address:
        asyncio.run(floor.make_database(address, "floor", template="postgres"))
        yield address


@contextmanager
def service(name: str, address: str, database: str, folder: Path) -> Iterator[Service]:
    """One of the two in one process of its own, on a port of its own; beside ours a worker."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    address = address.replace("/postgres?", f"/{database}?")
    command = {"ours": ["app.cli", "api", "--port"], "floor": ["benchmarks.floor"]}[name]
    program = Program(
        name,
        [sys.executable, "-m", *command, str(port)],
        environment={"FLOOR_DATABASE_URL": address},
        log=folder / f"{name}.log",
        is_ready=lambda: listens(port),
    )
    worker = Program("worker", [sys.executable, "-m", "app.cli", "worker"], log=folder / "worker.log")
    process = start_and_await(program)
    working = start_and_await(worker) if name == "ours" else None
    try:
        yield Service(name, database, address, port, process.pid, [working.pid] if working else [])
    finally:
        stop(program, process)
        if working:
            stop(worker, working)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def measure(
    services: list[Service], address: str, postmaster: int, rounds: int, seconds: float, only: set[str]
) -> dict[str, dict[str, Measured]]:
    """Every operation, the services in turn: operation → service → what was measured."""
    counters = await asyncpg.connect(address)
    await counters.execute("create extension if not exists pg_stat_statements")
    # Files that were loaded into kept data are not sent in again.
    files = 100 * await counters.fetchval("select count(*) from imports")
    bench = Bench(counters, postmaster, rounds, seconds, files)
    found: dict[str, dict[str, Measured]] = {}
    companies = {each.name: await company_of(each) for each in services}
    for operation in OPERATIONS:
        if only and operation.name.partition(",")[0] not in only:
            continue
        asked = {each.name: await operation.prepared(companies[each.name]) for each in services}
        of = found.setdefault(operation.name, {each.name: Measured() for each in services})
        for each in services:
            await load.run(each.port, asked[each.name], CONNECTIONS, WARM_UP)
        for each in turns(services, rounds):
            await turn(bench, each, asked[each.name], of[each.name])
    if not only or IMPORT in only:
        of = found.setdefault(IMPORT, {each.name: Measured() for each in services})
        for each in services:
            await load_file(bench, each, companies[each.name], Measured())
        for each in turns(services, rounds):
            await load_file(bench, each, companies[each.name], of[each.name])
    for company in companies.values():
        await company.connection.close()
    await counters.close()
    return found


def turns(services: list[Service], rounds: int) -> Iterator[Service]:
    """The first of a round pays for what the one before left to be written: they take turns in that too."""
    for number in range(rounds):
        yield from services if number % 2 else reversed(services)


async def company_of(service: Service) -> Company:
    """Sixteen people of each kind: those who own customers, those above them, those of marketing."""
    connection = await asyncpg.connect(service.address)
    tokens = []
    for people in (data.owners(), data.directors(), data.marketers()):
        tokens.append({id: issue_access_token(id, id) for id in people[:PEOPLE]})
    return Company(service.port, connection, *tokens)


async def turn(bench: Bench, service: Service, operation: load.Operation, measured: Measured) -> None:
    """One service's turn: all connections, then one alone for half as long."""
    before = await taken(bench, service)
    block = await load.run(service.port, operation, CONNECTIONS, bench.seconds)
    measured.note(block.rate, len(block.latencies), before, await taken(bench, service))
    measured.alone += (await load.run(service.port, operation, 1, bench.seconds / 2)).latencies


async def load_file(bench: Bench, service: Service, company: Company, measured: Measured) -> None:
    """One service's turn with a file of its own, as one request of 10,000 rows."""
    bench.files += 1
    content = importing.file(bench.files)
    before = await taken(bench, service)
    loaded = importing.into_ours if service.name == "ours" else importing.into_floor
    seconds = await loaded(company, content)
    measured.note(importing.ROWS / seconds, 1, before, await taken(bench, service))
    measured.alone.append(seconds)


async def taken(bench: Bench, service: Service) -> tuple[float, float, int]:
    """Processor seconds of the service and of PostgreSQL, and statements, since their start."""
    return (
        service.processor_seconds(),
        processes.processor_seconds_with_children(bench.postmaster),
        await bench.counters.fetchval(STATEMENTS, service.database),
    )


if __name__ == "__main__":
    main()
