"""Sends files in as a client would, and does the jobs that follow, as the worker would."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from tests.conftest import Client

Answer = dict[str, Any]


async def send(
    client: Client,
    entity: str,
    content: str | bytes,
    mapping: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """The answer to a file that is sent in."""
    data = {"entity": entity, "mapping": json.dumps(mapping), "options": json.dumps(options or {})}
    body = content.encode() if isinstance(content, str) else content
    return await client.post("/v1/imports", data=data, files={"file": ("file.csv", body, "text/csv")})


async def work() -> None:
    """Do every job that is due."""
    from app.db import jobs
    from app.db.session import transaction
    from app.jobs.handlers import GIVEN_UP, HANDLERS
    from app.jobs.job import attempt

    while True:
        async with transaction("system") as session:
            claimed = await jobs.claim(session, HANDLERS, 10)
        if not claimed:
            return
        for job in claimed:
            await attempt(job, HANDLERS[job.kind], GIVEN_UP.get(job.kind))


async def loaded(
    client: Client,
    entity: str,
    content: str | bytes,
    mapping: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> Answer:
    """The import, once it is done."""
    sent = await send(client, entity, content, mapping, options)
    assert sent.status_code == 202, sent.text
    await work()
    done: Answer = (await client.get(sent.headers["location"])).json()
    assert done["state"] in ("done", "checked"), done
    return done


async def errors_of(client: Client, done: Answer, limit: int = 200) -> list[Answer]:
    """All errors of an import, page by page."""
    found: list[Answer] = []
    params: dict[str, Any] = {"limit": limit}
    while True:
        answer = await client.get(f"/v1/imports/{done['id']}/errors", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def everything(client: Client, path: str, **params: Any) -> list[Answer]:
    """All items of a list, page by page, of 200 unless `limit` says otherwise."""
    found: list[Answer] = []
    params.setdefault("limit", 200)
    while True:
        answer = await client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def total(client: Client, path: str, **params: Any) -> int:
    """How many there are in a list."""
    answer = await client.get(path, params={**params, "count": "exact", "limit": 1})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])
