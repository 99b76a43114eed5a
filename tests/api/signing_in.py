"""Signing in, refreshing and setting passwords over HTTP, for the tests."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from app.db.session import transaction
from app.domain.entities.users import username_key

PASSWORD = "el perro come uvas"
OTHER = "la gata bebe leche"


async def sign_in(client: httpx.AsyncClient, username: str = "ana", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/auth/token", data={"username": username, "password": password})


async def tokens_of(client: httpx.AsyncClient, username: str = "ana", password: str = PASSWORD) -> dict[str, Any]:
    answer = await sign_in(client, username, password)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/refresh", json={"refresh_token": token})


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def set_password(client: httpx.AsyncClient, tokens: dict[str, Any], id: UUID, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/users/{id}/password", json=body, headers=bearer(tokens))


async def is_in_force(client: httpx.AsyncClient, tokens: dict[str, Any]) -> bool:
    """Asked of a route that changes nothing: one's own password with a wrong current one is 422, not 401."""
    id = UUID(
        await value(
            "select user_id::text from refresh_tokens t join sessions s on s.id = t.session_id where hash = :hash",
            hash=sha256(tokens["refresh_token"].encode()).digest(),
        )
    )
    answer = await set_password(client, tokens, id, password=OTHER, current_password="wrong")
    assert answer.status_code in (401, 422), answer.text
    return answer.status_code == 422


async def value(query: str, **values: Any) -> Any:
    async with transaction() as session:
        return (await session.execute(text(query), values)).scalar()


async def run(statement: str, **values: Any) -> None:
    async with transaction() as session:
        await session.execute(text(statement), values)


async def id_of(username: str) -> UUID:
    return UUID(str(await value("select id from users where username_key = :key", key=username_key(username))))


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The answer without what tells one request from another."""
    assert answer.headers["content-type"].startswith("application/problem+json")
    return {name: said for name, said in answer.json().items() if name not in ("request_id", "instance")}
