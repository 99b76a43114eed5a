"""Connections to PostgreSQL that are kept open, each lent to one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

# Seconds for which a connection is kept that nobody needs.
KEPT = 600.0


class Pool:
    """Up to `size` connections, opened as they are needed. Nothing in them is reset: no statement may leave anything.

    asyncpg has a pool that can do more, and took a tenth of each request: it runs a task to take a connection back.
    """

    def __init__(self, size: int, **settings: Any) -> None:
        """settings: as `asyncpg.connect` takes them."""
        self._settings = settings
        self._free = asyncio.Semaphore(size)
        self._idle: list[tuple[asyncpg.Connection, float]] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Lend a connection, the one that came back last: those that are not needed grow old."""
        async with self._free:
            connection = self._kept() or await asyncpg.connect(**self._settings)
            try:
                yield connection
            except (asyncio.CancelledError, TimeoutError):
                connection.terminate()  # its statement may still run
                raise
            finally:
                self._idle.append((connection, asyncio.get_running_loop().time()))

    def _kept(self) -> asyncpg.Connection | None:
        if self._idle and self._idle[0][1] < asyncio.get_running_loop().time() - KEPT:
            self._idle.pop(0)[0].terminate()
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def close(self) -> None:
        """Let go of those that are not lent."""
        while self._idle:
            await self._idle.pop()[0].close()
