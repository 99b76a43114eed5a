"""The process that checks files: a file's rows in, what is to be copied into `import_rows` out.

Run as `python -m app.domain.checking DESCRIPTOR`, a socket on which a worker hands over one `Task` after the other,
with a descriptor for each part of the rows as PostgreSQL's COPY text. To import what checking needs takes longer than
to check a short file, so that is done once; each part of a file is checked by a process that is forked from this one.
It reads from people's files: it may take a certain time and memory and no more, and has no way to the database. When
the worker closes the socket, all end without a word.
"""

import gc
import os
import pickle
import resource
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zlib import crc32

import orjson
from uuid_utils import uuid7

from app.domain.entities.csv_files import rows_of
from app.domain.entities.incoming import Rows
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.merging import Draft, Errors, combined
from app.domain.entities.targets import check_columns, importable
from app.domain.entities.vocabulary import Vocabulary
from app.errors import Invalid

MOST_MEMORY, MOST_SECONDS = 768 * 1024 * 1024, 120
# The status that says that the file is at fault; why is on standard error.
REFUSED = 3
# A file of so many bytes is worth more than one process.
_LARGE = 100_000
MOST_PARTS = 4
_BUFFER = 1 << 18
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Task:
    import_id: UUID
    entity: str
    mapping: Mapping
    options: ImportOptions
    vocabulary: Vocabulary
    now: datetime
    content: bytes
    # Of several children each takes a part of the rows; those with one key are in one part.
    part: int = 0
    parts: int = 1


def lines(task: Task) -> Iterator[bytes]:
    """The rows as COPY takes them: import_id, row, record_id (of a new record), data, changes, errors.

    Raises `Invalid` for the file as a whole.
    """
    prefix = str(task.import_id).encode()
    for number, data, errors in checked(task):
        id = str(uuid7()).encode() if data and "values" in data else b"\\N"
        changes = _json(data.pop("changes"))[1:-1] if data and "changes" in data else b"\\N"
        yield b"\t".join((prefix, str(number).encode(), id, _json(data), changes, _json(errors))) + b"\n"


def checked(task: Task) -> Iterator[tuple[int, Any, Errors | None]]:
    """Each row: its number, its data if it is good, its errors if not."""
    entity = importable(task.entity)
    reading = rows_of(task.content, task.options)
    _, header = next(reading)
    check_columns(task.mapping, header)
    rows = Rows(entity, task.mapping, task.options, header, task.vocabulary, task.now)
    # The header is no row, though what it says may be the key of one.
    keys = {number: rows.key_in(cells) for number, cells in islice(rows_of(task.content, task.options), 1, None)}
    left = Counter(key for key in keys.values() if key)
    begun: dict[str, tuple[Draft, list[str], list[int]]] = {}
    for number, cells in reading:
        key = keys[number]
        if task.parts > 1 and crc32((key or str(number)).encode()) % task.parts != task.part:
            continue
        draft = rows.draft(number, cells, key)
        if isinstance(draft, list):
            yield number, None, draft
        elif key is None or (left[key] == 1 and key not in begun):
            yield from _finished(rows, draft, cells, [])
        elif key in begun:
            first, first_cells, others = begun[key]
            others.append(number)
            # What is refused anyway grows no longer: to look through it takes the square of the rows.
            if not rows.too_long(first, first_cells):
                begun[key] = combined(first, draft), first_cells, others
        else:
            begun[key] = draft, cells, []
        if key is not None:
            left[key] -= 1
            if left[key] == 0 and key in begun:
                yield from _finished(rows, *begun.pop(key))
    assert not begun, "every row is told of"


def _finished(
    rows: Rows, draft: Draft, cells: list[str], others: list[int]
) -> Iterator[tuple[int, Any, Errors | None]]:
    data = (others and rows.too_long(draft, cells)) or rows.finished(draft, cells)
    if isinstance(data, list):
        for number in (draft.row, *others):
            yield number, None, [each | {"row": number} for each in data]
        return
    yield draft.row, data, None
    for number in others:
        yield number, {"same_as": draft.row}, None


def _json(value: Any) -> bytes:
    if value is None:
        return b"\\N"
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).replace(b"\\", b"\\\\")


def serve(control: socket.socket) -> None:
    """Check one task after the other until the socket is closed.

    Each is its length in eight bytes, which the descriptors come with, and the pickled task. The answer is a line: 0;
    REFUSED, after a line with the code and the detail; or another number, if a process came to a bad end.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # What is there now stays, and what a process makes that ends with its file is not worth collecting.
    gc.freeze()
    gc.disable()
    while True:
        length, descriptors, *_ = socket.recv_fds(control, _LENGTH, MOST_PARTS)
        if not length:
            return
        # Nothing of the file stays here when it is done.
        control.sendall(b"%d\n" % _checked_apart(control, int.from_bytes(length), descriptors))


def _checked_apart(control: socket.socket, length: int, descriptors: list[int]) -> int:
    """Have the task that comes next checked, each part by a process of its own. 0, or how one of them ended."""
    task: Task = pickle.loads(_received(control, length))
    parts = len(descriptors) if len(task.content) > _LARGE else 1
    running = []
    try:
        for part in range(parts):
            running.append(_begin(replace(task, part=part, parts=parts), control, descriptors[part]))
        for descriptor in descriptors:
            os.close(descriptor)
        ends = []
        while running:
            _, status = os.waitpid(running[-1], 0)
            running.pop()
            ends.append(os.waitstatus_to_exitcode(status))
    finally:
        for each in running:
            os.kill(each, signal.SIGKILL)
            os.waitpid(each, 0)
    return next((end for end in ends if end != 0), 0)


def _received(control: socket.socket, length: int) -> bytearray:
    received = bytearray()
    while len(received) < length:
        piece = control.recv(min(length - len(received), _BUFFER))
        if not piece:
            sys.exit()
        received += piece
    return received


def _begin(task: Task, control: socket.socket, descriptor: int) -> int:
    """Check a part of the file in a process of its own; its number."""
    number = os.fork()
    if number == 0:
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            status = _check(task, control, descriptor)
        finally:
            os._exit(status)
    return number


def _check(task: Task, control: socket.socket, descriptor: int) -> int:
    try:
        with open(descriptor, "wb", buffering=_BUFFER) as out:
            out.writelines(lines(task))
    except Invalid as error:
        if task.part == 0:
            control.sendall(orjson.dumps([error.code, error.detail]) + b"\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
