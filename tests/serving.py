"""How does a test reach the API over a real socket, with a worker? Processes of their own, on this run's database."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.conftest import ROOT
from tests.telltale import overheard


@asynccontextmanager
async def api_running() -> AsyncIterator[str]:
    """Its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with _running("api", "--port", str(port)), httpx.AsyncClient() as client:
        for _ in range(300):
            try:
                await client.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        yield url


@asynccontextmanager
async def worker_running() -> AsyncIterator[Process]:
    """A worker, for as long."""
    async with _running("worker") as process:
        yield process


@asynccontextmanager
async def _running(*command: str) -> AsyncIterator[Process]:
    program = [sys.executable, "-m", "app.cli", *command]
    with overheard() as log:
        process = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
