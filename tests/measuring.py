"""How is coverage measured at half the price? What is known of a greenlet is found in a plain dictionary.

At every call and return coverage.py asks which greenlet runs, since SQLAlchemy makes one for each of its calls, and
finds its stack in a `WeakKeyDictionary`, which is written in Python: that was most of what measuring cost.
"""

import weakref
from typing import Any

from coverage.collector import Collector
from greenlet import greenlet

FOUND_SLOWLY = weakref.WeakKeyDictionary


class Stacks(dict[greenlet, int]):
    """The number of each greenlet's stack. That of one which has ended is empty, and another's from then on."""

    def __missing__(self, begun: greenlet) -> int:
        for each in self:
            if each.dead:
                self[begun] = self.pop(each)
                return self[begun]
        raise KeyError(begun)


def coverage_init(*_: Any) -> None:
    """What coverage.py calls as it begins. A tracer makes its dictionary with the first event, the end of its start."""
    start = Collector._start_tracer

    def start_tracer(collector: Collector) -> Any:
        weakref.WeakKeyDictionary = Stacks
        try:
            return start(collector)
        finally:
            weakref.WeakKeyDictionary = FOUND_SLOWLY

    Collector._start_tracer = start_tracer
