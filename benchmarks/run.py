"""How near the floor are we? Both services on the same rows, in blocks of seconds that take turns; needs Linux."""

import argparse
import asyncio
import json
import random
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import uvloop

from app.policies.tokens import issue_access_token
from app.server.processes import Program, start_and_await, stop
from benchmarks import access, data, floor, load, processes
from benchmarks.operations import ListCustomers, MoveOpportunity

PEOPLE, CONNECTIONS, WARM_UP = 16, 16, 1.0
STATEMENTS = """
select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid
where d.datname = $1
"""
COLUMNS = ("requests_per_second", "p50_ms", "p99_ms", "server_cpu_ms", "postgres_cpu_ms", "statements")
OPEN_OPPORTUNITIES = """
select id, owner_id, stage, version from opportunities where owner_id = any($1) and stage_kind = 'open' order by id
"""


@dataclass(frozen=True)
class Service:
    """One of the two that are measured."""

    name: str
    database: str
    address: str
    port: int
    pid: int


@dataclass
class Measured:
    """One service in one operation: per round the requests in a second and, for one request, milliseconds of processor
    and statements; the latencies of one client alone, in seconds."""

    rates: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    postgres_ms: list[float] = field(default_factory=list)
    statements: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(prog="crm bench", description="Measure the API against the floor.")
    parser.add_argument("--size", type=int, default=1, help="how many times data set D (100,000 customers)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each service has its turn")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn is")
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

    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder, databases(Path(folder), asked.size) as address:
        say(f"Data set D, size {asked.size}, made in {perf_counter() - began:.0f} s.")
        postmaster = int((Path(folder) / "pg18" / "postmaster.pid").read_text().split()[0])
        with (
            service("ours", address, "postgres", Path(folder)) as ours,
            service("floor", address, "floor", Path(folder)) as bare,
        ):
            found = uvloop.run(measure([ours, bare], address, postmaster, asked.rounds, asked.seconds))
            memory = {each.name: processes.resident_megabytes(each.pid) for each in (ours, bare)}
    answer: dict[str, Any] = {"operations": [summary(name, of["ours"], of["floor"]) for name, of in found.items()]}
    answer |= {"rss_mb": round(memory["ours"], 1), "floor_rss_mb": round(memory["floor"], 1)}
    print(json.dumps(answer) if asked.json else table(answer))


@contextmanager
def databases(folder: Path, size: int) -> Iterator[str]:
    """PostgreSQL and Valkey with D in `postgres` and, for the floor, in `floor`; the environment names the first."""
    with data.planted(folder, size) as address:
        asyncio.run(floor.make_database(address, "floor", template="postgres"))
        yield address


@contextmanager
def service(name: str, address: str, database: str, folder: Path) -> Iterator[Service]:
    """One of the two in one process of its own, on a port of its own."""
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
    process = start_and_await(program)
    try:
        yield Service(name, database, address, port, process.pid)
    finally:
        stop(program, process)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def measure(
    services: list[Service], address: str, postmaster: int, rounds: int, seconds: float
) -> dict[str, dict[str, Measured]]:
    """Every operation, the services in turn: operation → service → what was measured."""
    counters = await asyncpg.connect(address)
    await counters.execute("create extension if not exists pg_stat_statements")
    found: dict[str, dict[str, Measured]] = {}
    for operation in (ListCustomers, MoveOpportunity):
        asked = {each.name: await prepared(operation, each) for each in services}
        of = found.setdefault(operation.name, {each.name: Measured() for each in services})
        for each in services:
            await load.run(each.port, asked[each.name], CONNECTIONS, WARM_UP)
        for number in range(rounds):
            # The first of a round pays for what the one before left to be written: they take turns in that too.
            for each in services if number % 2 else reversed(services):
                await turn(each, asked[each.name], of[each.name], counters, postmaster, seconds)
    await counters.close()
    return found


async def prepared(kind: type[ListCustomers] | type[MoveOpportunity], service: Service) -> load.Operation:
    """The operation for 16 owners, from the rows as they are now."""
    connection = await asyncpg.connect(service.address)
    owners = [
        row["id"] for row in await connection.fetch("select id from users where profile_id = 'sales' order by id")
    ]
    people = random.Random(16).sample(owners, PEOPLE)
    tokens = {owner: issue_access_token(owner, owner) for owner in people}
    opportunities = await connection.fetch(OPEN_OPPORTUNITIES, people)
    await connection.close()
    return ListCustomers(tokens) if kind is ListCustomers else MoveOpportunity(tokens, opportunities)


async def turn(
    service: Service,
    operation: load.Operation,
    measured: Measured,
    counters: asyncpg.Connection,
    postmaster: int,
    seconds: float,
) -> None:
    """One service's turn: all connections, then one alone for half as long."""

    async def taken() -> tuple[float, float, int]:
        statements = await counters.fetchval(STATEMENTS, service.database)
        return (
            processes.processor_seconds(service.pid),
            processes.processor_seconds_with_children(postmaster),
            statements,
        )

    before = await taken()
    block = await load.run(service.port, operation, CONNECTIONS, seconds)
    after = await taken()
    server, postgres, statements = (
        (now - then) / len(block.latencies) for now, then in zip(after, before, strict=True)
    )
    measured.rates.append(block.rate)
    measured.server_ms.append(server * 1000)
    measured.postgres_ms.append(postgres * 1000)
    measured.statements.append(statements)
    measured.alone += (await load.run(service.port, operation, 1, seconds / 2)).latencies


def summary(name: str, ours: Measured, bare: Measured) -> dict[str, Any]:
    """An operation's figures; `ratio` is the median of the rounds'."""
    figures: dict[str, Any] = {
        "operation": name,
        "ratio": round(median(one / other for one, other in zip(ours.rates, bare.rates, strict=True)), 3),
    }
    for prefix, of in (("", ours), ("floor_", bare)):
        server, postgres = median(of.server_ms), median(of.postgres_ms)
        figures |= {
            f"{prefix}requests_per_second": round(median(of.rates)),
            f"{prefix}p50_ms": round(load.percentile(of.alone, 0.50), 2),
            f"{prefix}p99_ms": round(load.percentile(of.alone, 0.99), 2),
            f"{prefix}cpu_ms": round(server + postgres, 3),
            f"{prefix}server_cpu_ms": round(server, 3),
            f"{prefix}postgres_cpu_ms": round(postgres, 3),
            f"{prefix}statements": round(median(of.statements), 2),
        }
    return figures


def table(answer: dict[str, Any]) -> str:
    lines = ["", "              requests/s   p50 ms   p99 ms   server ms   PostgreSQL ms   statements   ratio"]
    for figures in answer["operations"]:
        for label, prefix in ((figures["operation"], ""), ("floor", "floor_")):
            row = [figures[prefix + key] for key in COLUMNS]
            lines.append("{:<10}{:>14}{:>9}{:>9}{:>12}{:>16}{:>13}".format(f"{label}", *row))
            if not prefix:
                lines[-1] += f"{figures['ratio']:>8}"
    lines += ["", f"Memory: {answer['rss_mb']} MB, the floor {answer['floor_rss_mb']} MB."]
    lines.append(
        f"Requests per second at {CONNECTIONS} connections; p50 and p99 of one client; the rest for one request."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
