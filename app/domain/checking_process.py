"""How does a file get to the process that checks it, and its rows from there?

A worker keeps that process ready for a while after a file: files seldom come alone.
"""

import asyncio
import fcntl
import os
import pickle
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import orjson

from app.domain.checking import MOST_PARTS, Task
from app.errors import Invalid
from app.settings import environment_without_settings

_PIECE, _BUFFER, _ROOM = 1 << 18, 1 << 25, 1 << 20


@dataclass(slots=True)
class Checker:
    """A process that waits for tasks, and the socket on which it gets and answers them."""

    process: Process
    control: socket.socket
    answers: asyncio.StreamReader
    tasks: asyncio.StreamWriter


class Ready:
    """The process that is kept ready, where one is wanted. seconds: for how long, after each file."""

    seconds = 0.0
    checker: Checker | None = None
    until: asyncio.TimerHandle | None = None


async def checked_lines(task: Task) -> AsyncIterator[bytes]:
    """The rows of a file as they are checked, for COPY.

    Raises `Invalid` for the file as a whole.
    """
    checker, Ready.checker = Ready.checker, None
    if checker is not None and checker.process.returncode is not None:
        await _end(checker)
        checker = None
    checker = checker or await _begin()
    transports: list[asyncio.ReadTransport] = []
    try:
        made = await _hand_over(checker, task, transports)
        async for lines in _as_they_come(made):
            yield lines
        failure = await _failure(checker)
    except BaseException:
        await _end(checker)
        raise
    finally:
        for transport in transports:
            transport.close()
    await _keep(checker)
    if failure is not None:
        raise failure


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
    """Let the process that is kept ready end, and keep none any more."""
    Ready.seconds = 0.0
    if Ready.until is not None:
        Ready.until.cancel()
    checker, Ready.checker = Ready.checker, None
    if checker is not None:
        await _end(checker)


async def _keep(checker: Checker) -> None:
    if not Ready.seconds or Ready.checker is not None:
        await _end(checker)
        return
    Ready.checker = checker
    if Ready.until is not None:
        Ready.until.cancel()
    Ready.until = asyncio.get_running_loop().call_later(Ready.seconds, _dismiss)


def _dismiss() -> None:
    checker, Ready.checker = Ready.checker, None
    if checker is not None:
        # It ends by itself when nobody is there to give it tasks.
        checker.tasks.close()
        checker.control.close()


async def _begin() -> Checker:
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.domain.checking", str(theirs.fileno())),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment_without_settings(),
        )
    answers, tasks = await asyncio.open_connection(sock=ours.dup())
    return Checker(process, ours, answers, tasks)


async def _hand_over(
    checker: Checker, task: Task, transports: list[asyncio.ReadTransport]
) -> list[asyncio.StreamReader]:
    """Where the parts of the rows come out. transports: gets what is to be closed."""
    pipes = [_roomy_pipe() for _ in range(min(os.cpu_count() or 1, MOST_PARTS))]
    made = []
    try:
        for end, _ in pipes:
            part = asyncio.StreamReader(limit=_BUFFER)
            protocol = asyncio.StreamReaderProtocol(part)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda protocol=protocol: protocol,  # type: ignore[misc]
                os.fdopen(end, "rb", buffering=0),
            )
            transports.append(transport)
            made.append(part)
        content = pickle.dumps(task)
        socket.send_fds(checker.control, [len(content).to_bytes(8)], [end for _, end in pipes])
    finally:
        for _, end in pipes:
            os.close(end)
    checker.tasks.write(content)
    await checker.tasks.drain()
    return made


def _roomy_pipe() -> tuple[int, int]:
    """A pipe that a process need not wait for while the rows before are on their way, where the system has such."""
    ends = os.pipe()
    with suppress(AttributeError, OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _ROOM)
    return ends


async def _failure(checker: Checker) -> Invalid | None:
    """What is wrong with the file, if anything. Raises `ConnectionError` if the process is gone."""
    failure = Invalid("Reading the file took more time or memory than there is for it", code="too_demanding")
    while line := await checker.answers.readline():
        said = orjson.loads(line)
        if said == 0:
            return None
        if isinstance(said, int):
            return failure
        code, detail = said
        failure = Invalid(detail, code=code)
    raise ConnectionError("The process that checks files is gone")


async def _end(checker: Checker) -> None:
    checker.tasks.close()
    checker.control.close()
    if checker.process.returncode is None:
        checker.process.terminate()
    await checker.process.wait()
