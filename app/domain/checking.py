"""The child process that checks a file: its rows in, what is to be copied into `import_rows` out.

It reads from people's files, so it may take a certain time and memory and no more, and has no way to the database.
Run as `python -m app.domain.checking DESCRIPTOR…`: standard input is a pickled `Task`, each descriptor gets a part of
the rows as PostgreSQL's COPY text; each part of a large file is checked by a process of its own. If no task comes it
ends without a word.
"""

import gc
import os
import pickle
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
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
_BUFFER = 1 << 18


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
    """The rows as COPY takes them: import_id, row, record_id (of a new record), data, outcome, errors.

    Raises `Invalid` for the file as a whole.
    """
    prefix = str(task.import_id).encode()
    for number, data, outcome, errors in checked(task):
        id = str(uuid7()).encode() if data and "values" in data else b"\\N"
        yield b"\t".join((prefix, str(number).encode(), id, _json(data), outcome, _json(errors))) + b"\n"


def checked(task: Task) -> Iterator[tuple[int, Any, bytes, Errors | None]]:
    """Each row: its number, its data if it is good, its outcome if that is known already, its errors."""
    entity = importable(task.entity)
    reading = rows_of(task.content, task.options)
    _, header = next(reading)
    check_columns(task.mapping, header)
    rows = Rows(entity, task.mapping, task.options, header, task.vocabulary, task.now)
    keys = {number: rows.key_in(cells) for number, cells in rows_of(task.content, task.options)}
    left = Counter(key for key in keys.values() if key)
    begun: dict[str, tuple[Draft, list[str], list[int]]] = {}
    for number, cells in reading:
        key = keys[number]
        if task.parts > 1 and crc32((key or str(number)).encode()) % task.parts != task.part:
            continue
        draft = rows.draft(number, cells, key)
        if isinstance(draft, list):
            yield number, None, b"refused", draft
        elif key is None or (left[key] == 1 and key not in begun):
            yield from _finished(rows, draft, cells, [])
        elif key in begun:
            first, first_cells, others = begun[key]
            begun[key] = combined(first, draft), first_cells, [*others, number]
        else:
            begun[key] = draft, cells, []
        if key is not None:
            left[key] -= 1
            if left[key] == 0 and key in begun:
                yield from _finished(rows, *begun.pop(key))


def _finished(
    rows: Rows, draft: Draft, cells: list[str], others: list[int]
) -> Iterator[tuple[int, Any, bytes, Errors | None]]:
    data = rows.finished(draft, cells)
    if isinstance(data, list):
        for number in (draft.row, *others):
            yield number, None, b"refused", [each | {"row": number} for each in data]
        return
    yield draft.row, data, b"\\N", None
    for number in others:
        yield number, {"same_as": draft.row}, b"\\N", None


def _json(value: Any) -> bytes:
    if value is None:
        return b"\\N"
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).replace(b"\\", b"\\\\")


def main(descriptors: list[int]) -> int:
    """Check the task on standard input; 0, or REFUSED with why on standard error."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    if not content:
        return 0
    task: Task = pickle.loads(content)
    # What a process makes that ends with its file is not worth collecting.
    gc.disable()
    parts = len(descriptors) if len(task.content) > _LARGE else 1
    others = [_begin(replace(task, part=part, parts=parts), descriptors[part]) for part in range(1, parts)]
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    status = _check(replace(task, parts=parts), descriptors[0])
    ends = (os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) for other in others)
    return next((end for end in (status, *ends) if end != 0), 0)


def _begin(task: Task, descriptor: int) -> int:
    """Check a part of the file in a process of its own; its number."""
    number = os.fork()
    if number == 0:
        status = 1
        try:
            status = _check(task, descriptor)
        finally:
            os._exit(status)
    return number


def _check(task: Task, descriptor: int) -> int:
    try:
        with open(descriptor, "wb", buffering=_BUFFER) as out:
            out.writelines(lines(task))
    except Invalid as error:
        if task.part == 0:
            os.write(sys.stderr.fileno(), orjson.dumps([error.code, error.detail]))
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main([int(each) for each in sys.argv[1:]]))
