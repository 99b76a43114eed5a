"""Has somebody asked us to stop? Sleeping until a signal comes, a child ends or the time is over."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop(Exception):
    """Ctrl-C, SIGTERM or a closed terminal; raised by `Signals.check` only, never in the middle of something."""


class Signals:
    """The signals of this process, from `listening`."""

    def __init__(self, awake: int) -> None:
        self._awake = awake
        self._stop = False

    def check(self) -> None:
        """Stop when somebody asked for it."""
        if self._stop:
            raise Stop

    def wait(self, seconds: float | None) -> None:
        """Sleep until a signal comes (SIGCHLD among them), at most `seconds`."""
        self.check()
        if select.select([self._awake], [], [], seconds)[0]:
            os.read(self._awake, 4096)
        self.check()

    def request_stop(self, number: int, frame: FrameType | None) -> None:
        """The handler; further signals change nothing."""
        self._stop = True


@contextmanager
def listening() -> Iterator[Signals]:
    """Catch SIGINT, SIGTERM, SIGHUP and SIGCHLD for the duration; from the main thread."""
    awake, bell = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(bell, False)
    signals = Signals(awake)
    previous = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda number, frame: None)}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What nohup, or a shell in the background, has us ignore stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, signals.request_stop)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(awake)
        os.close(bell)
