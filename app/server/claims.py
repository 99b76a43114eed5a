"""Who uses a data directory? One at a time: a second is refused, and one that died is waited for."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.server.processes import CannotStart


class InUse(CannotStart):
    """Another process of this project has the data directory."""


@contextmanager
def claim(path: Path, seconds: float = 30.0) -> Iterator[int]:
    """Hold `path`, or InUse at once. Yields a descriptor that the servers on this data keep open.

    There are two locks. `.owner` is ours alone: it tells at once whether somebody is there, and unlike a process number
    it cannot be stale. `.lock` is passed on to the servers, so it is free only when the last of them has ended: after a
    `kill -9` of their parent they need a moment, and a new server beside an ending one would spoil its files.
    """
    with _locked(path.with_suffix(".owner"), inheritable=False, seconds=0.0) as owner:
        os.truncate(owner, 0)
        os.pwrite(owner, str(os.getpid()).encode(), 0)
        with _locked(path.with_suffix(".lock"), inheritable=True, seconds=seconds) as descriptor:
            yield descriptor


def is_claimed(path: Path) -> bool:
    """Whether some process holds `path` now."""
    if not path.with_suffix(".owner").exists():
        return False
    try:
        with _locked(path.with_suffix(".owner"), inheritable=False, seconds=0.0):
            return False
    except InUse:
        return True


@contextmanager
def _locked(path: Path, *, inheritable: bool, seconds: float) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.set_inheritable(descriptor, inheritable)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    process = os.pread(descriptor, 20, 0).decode() or "a server that is still ending"
                    raise InUse(f"{path.parent} is in use by another `crm` (process {process})") from None
                time.sleep(0.05)
        yield descriptor
    finally:
        os.close(descriptor)
