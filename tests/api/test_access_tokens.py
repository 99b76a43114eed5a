"""Access tokens as clients meet them: forged ones, and those that a key signed which goes."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.policies.test_tokens import NEW, OLD, odd_tokens

pytestmark = pytest.mark.usefixtures("price")


async def test_a_forged_or_odd_token_is_401_and_a_problem(client: httpx.AsyncClient) -> None:
    asked = 0
    for name, token in odd_tokens().items():
        try:
            sent = f"Bearer {token}".encode("latin-1")
        except UnicodeEncodeError:  # no client can send it
            continue
        if token != token.strip() or "\0" in token:  # nor these; blanks around it do not count in a header
            continue
        answer = await client.get("/v1/me", headers=[(b"Authorization", sent)])
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer", name
        assert answer.json()["code"] in ("invalid_token", "unauthenticated"), name
        asked += 1
    assert asked >= 30
    for scheme in ("Basic YTpi", "Bearer", "bearer  x", "Bearer a b", "Token x"):
        answer = await client.get("/v1/customers", headers={"Authorization": scheme})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), scheme


async def test_keys_rotate_in_three_steps_and_nobody_is_signed_out(
    keys_are: Callable[[str], None], client: httpx.AsyncClient, make_user: Callable[..., Awaitable[UUID]]
) -> None:
    """As clients meet it: the access token that the old key signed lives its 15 minutes, the session goes on."""
    keys_are(OLD)
    await make_user(username="ana", profile="sales", password="el perro come uvas")

    async def status(token: str) -> int:
        return (await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code

    async def refreshed(held: dict[str, Any]) -> dict[str, Any]:
        answer = await client.post("/v1/auth/refresh", json={"refresh_token": held["refresh_token"]})
        assert answer.status_code == 200
        return dict(answer.json())

    form = {"username": "ana", "password": "el perro come uvas"}
    before = dict((await client.post("/v1/auth/token", data=form)).json())
    keys_are(f"{OLD},{NEW}")
    published = await refreshed(before)
    assert [await status(each["access_token"]) for each in (before, published)] == [200, 200]
    keys_are(f"{NEW},{OLD}")
    signed_anew = await refreshed(published)
    assert [await status(each["access_token"]) for each in (before, published, signed_anew)] == [200, 200, 200]
    keys_are(NEW)
    dropped = await refreshed(signed_anew)
    statuses = [await status(each["access_token"]) for each in (before, published, signed_anew, dropped)]
    assert statuses == [401, 401, 200, 200]
