"""Records made over HTTP for the tests to work on."""

import asyncio
from typing import Any

import httpx

from tests.conftest import Client


async def make(client: Client, entity: str, /, **values: Any) -> dict[str, Any]:
    """Create a record and answer it as the API did."""
    answer = await client.post(f"/v1/{entity}", json=values)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def found(client: Client, entity: str, **parameters: Any) -> list[str]:
    """The names that a list answers, in its order."""
    answer = await client.get(f"/v1/{entity}", params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def at_once(*requests: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


def problems(answer: httpx.Response, status: int = 422) -> set[tuple[str, str]]:
    """The (pointer, code) pairs of a refusal."""
    assert answer.status_code == status, answer.text
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}
