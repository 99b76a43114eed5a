"""Asking a database by its address, from tests that run no loop."""

import asyncio
from typing import Any

import asyncpg


def first_column(url: str, query: str) -> list[Any]:
    """The first column of what a query finds."""

    async def found() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(found())
