"""Making API keys over HTTP, and clients that come with them, for the tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from app import clock
from tests.contracts.contract import hold


def body(user_id: UUID | str, *scopes: str, **more: Any) -> dict[str, Any]:
    expires_at = (clock.now() + timedelta(days=30)).isoformat()
    return {"name": "Web shop", "user_id": str(user_id), "scopes": list(scopes), "expires_at": expires_at} | more


async def make_key(maker: httpx.AsyncClient, user_id: UUID | str, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await maker.post("/v1/api-keys", json=body(user_id, *scopes, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@asynccontextmanager
async def coming_with(key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose every request has the key."""
    from app.main import app

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://crm.test",
        headers={"Authorization": f"Bearer {key}"},
        event_hooks={"response": [hold]},
    ) as client:
        yield client
