"""How fast does a service answer? Callers on keep-alive connections, each with its next request when one is answered.

As little as possible happens here for a request: the machine's processors are shared with what is measured.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol, cast


class WrongAnswer(Exception):
    """A service answered something else than it must; the bench ends."""


class Operation(Protocol):
    """What is asked of a service."""

    def begin(self) -> tuple[bytes, object]:
        """The next request, whole, and whatever `end` needs to judge its answer."""

    def end(self, expected: object, status: int, body: bytes) -> None:
        """Raise `WrongAnswer` unless this answers the request."""


@dataclass(slots=True)
class Block:
    """What came of some seconds: how long each answer took, in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def percentile(latencies: Iterable[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(latencies)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at most."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(b"\r\n\r\n")
        if head < 0 or self.answer is None:
            return
        headers = bytes(self.received[:head]).lower()
        length = int(headers.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        if len(self.received) < head + 4 + length:
            return
        body = bytes(self.received[head + 4 :])
        self.received.clear()
        self.answer.set_result((int(headers[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or WrongAnswer("the connection was closed"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[tuple[int, bytes]]]]:
    """One connection: asks a request and answers status and body."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    try:
        yield connection.ask
    finally:
        connection.transport.close()


async def run(port: int, operation: Operation, connections: int, seconds: float) -> Block:
    """Ask for that long over that many connections at once."""
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(connections)]
    block, began = Block(), perf_counter()

    async def caller(connection: Connection) -> None:
        while (asked := perf_counter()) < began + seconds:
            request, expected = operation.begin()
            status, body = await connection.ask(request)
            block.latencies.append(perf_counter() - asked)
            operation.end(expected, status, body)

    try:
        async with asyncio.timeout(seconds + 30):
            await asyncio.gather(*map(caller, opened))
    finally:
        for connection in opened:
            connection.transport.close()
    block.seconds = perf_counter() - began
    return block
