"""How does a file get to the child process that checks it, and its rows from there?

A worker keeps one child ready for a while after a file: to begin takes longer than to check a short file, and files
seldom come alone.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from app.domain.checking import REFUSED, Task
from app.errors import Invalid
from app.settings import environment_without_settings

MOST_PARTS = 4
_PIECE, _BUFFER = 1 << 18, 1 << 25


@dataclass(slots=True)
class Child:
    """A process that waits for a task. made: what it makes of each part of the rows."""

    process: Process
    made: list[asyncio.StreamReader]
    transports: list[asyncio.ReadTransport]


class Ready:
    """The child that is kept ready, in a process that wants one. seconds: for how long, after each file."""

    seconds = 0.0
    child: Child | None = None
    until: asyncio.TimerHandle | None = None


async def checked_lines(task: Task) -> AsyncIterator[bytes]:
    """The rows of a file as a child process makes them, for COPY.

    Raises `Invalid` for the file as a whole.
    """
    child, Ready.child = Ready.child, None
    if child is None or child.process.returncode is not None:
        child = await _begin()
    try:
        await _hand_over(task, child.process)
        async for lines in _as_they_come(child.made):
            yield lines
        await _end(child.process)
    finally:
        await _let_go(child)
    if Ready.seconds:
        await _make_ready()


async def _as_they_come(parts: list[asyncio.StreamReader]) -> AsyncIterator[bytes]:
    """Whole lines of all parts, whichever has some."""
    begun = dict.fromkeys(parts, b"")
    reading = {asyncio.create_task(part.read(_PIECE)): part for part in parts}
    try:
        while reading:
            done, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                part = reading.pop(task)
                if piece := task.result():
                    lines, end, begun[part] = (begun[part] + piece).rpartition(b"\n")
                    reading[asyncio.create_task(part.read(_PIECE))] = part
                    yield lines + end
    finally:
        for task in reading:
            task.cancel()


async def close() -> None:
    """Let go of the child that is kept ready, and keep none any more."""
    Ready.seconds = 0.0
    if Ready.until is not None:
        Ready.until.cancel()
    child, Ready.child = Ready.child, None
    if child is not None:
        await _let_go(child)


async def _make_ready() -> None:
    loop = asyncio.get_running_loop()
    if Ready.until is not None:
        Ready.until.cancel()
    if Ready.child is None:
        Ready.child = await _begin()
    Ready.until = loop.call_later(Ready.seconds, _dismiss)


def _dismiss() -> None:
    child, Ready.child = Ready.child, None
    if child is not None and child.process.stdin is not None:
        # Without a task it ends by itself, and with it what it would have written to.
        child.process.stdin.close()


async def _begin() -> Child:
    pipes = [os.pipe() for _ in range(min(os.cpu_count() or 1, MOST_PARTS))]
    theirs = [end for _, end in pipes]
    command = [sys.executable, "-m", "app.domain.checking", *map(str, theirs)]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            pass_fds=theirs,
            env=environment_without_settings(),
        )
    finally:
        for end in theirs:
            os.close(end)
    child = Child(process, [], [])
    for end, _ in pipes:
        part = asyncio.StreamReader(limit=_BUFFER)
        protocol = asyncio.StreamReaderProtocol(part)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda protocol=protocol: protocol,  # type: ignore[misc]
            os.fdopen(end, "rb", buffering=0),
        )
        child.made.append(part)
        child.transports.append(transport)
    return child


async def _hand_over(task: Task, process: Process) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):  # the child is gone; its status says why
        process.stdin.write(pickle.dumps(task))
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process) -> None:
    assert process.stderr is not None
    complaint, status = await process.stderr.read(), await process.wait()
    if status == REFUSED:
        code, detail = orjson.loads(complaint)
        raise Invalid(detail, code=code)
    if status != 0:
        raise Invalid("Reading the file took more time or memory than there is for it", code="too_demanding")


async def _let_go(child: Child) -> None:
    for transport in child.transports:
        transport.close()
    if child.process.returncode is None:
        child.process.kill()
    await child.process.communicate()
