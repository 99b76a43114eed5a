"""How does a test reach the API over a real socket? A process of its own serves it, on this run's database."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.conftest import ROOT


@asynccontextmanager
async def api_running() -> AsyncIterator[str]:
    """Its address. It is not measured for coverage: what it runs, other tests do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "app.cli", "api", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(300):
                try:
                    await client.get(f"{url}/healthz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield url
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
