"""An authenticator, and enrolling with one over HTTP, for the tests."""

from typing import Any

import httpx
import pyotp

from app import clock
from tests.api.signing_in import PASSWORD, bearer


class Authenticator:
    """What a telephone shows."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        """Of now, or so many half minutes later."""
        return pyotp.TOTP(self.secret).generate_otp(int(clock.now().timestamp()) // 30 + steps)


async def begin(client: httpx.AsyncClient, tokens: dict[str, Any], password: str | None = PASSWORD) -> httpx.Response:
    return await client.post("/v1/auth/second-factor", json={"current_password": password}, headers=bearer(tokens))


async def confirm(client: httpx.AsyncClient, tokens: dict[str, Any], code: str) -> httpx.Response:
    return await client.post("/v1/auth/second-factor/confirm", json={"code": code}, headers=bearer(tokens))


async def enrolled(client: httpx.AsyncClient, tokens: dict[str, Any]) -> tuple[Authenticator, list[str]]:
    """Who has the tokens has a second factor now; and their recovery codes."""
    begun = await begin(client, tokens)
    assert begun.status_code == 201, begun.text
    authenticator = Authenticator(begun.json()["secret"])
    confirmed = await confirm(client, tokens, authenticator.code())
    assert confirmed.status_code == 200, confirmed.text
    return authenticator, list(confirmed.json()["recovery_codes"])


async def sign_in(
    client: httpx.AsyncClient, username: str, code: str | None, password: str = PASSWORD
) -> httpx.Response:
    form = {"username": username, "password": password} | ({"code": code} if code is not None else {})
    return await client.post("/v1/auth/token", data=form)


async def switch_off(client: httpx.AsyncClient, tokens: dict[str, Any], code: str, password: str) -> httpx.Response:
    body = {"current_password": password, "code": code}
    return await client.request("DELETE", "/v1/auth/second-factor", json=body, headers=bearer(tokens))
