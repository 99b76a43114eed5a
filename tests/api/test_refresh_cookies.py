"""Browsers: the refresh token in a cookie that no script reads, for pages of the sites in the settings alone."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from app.settings import settings
from tests.api.routes import operations
from tests.api.signing_in import PASSWORD, bearer, is_in_force, problem, refresh, tokens_of

SITE = "https://crm.acme.example"
LOCAL = "http://localhost:5173"
NAME = "clientela_refresh"
# All that the contract names.
HEADERS = {
    each["name"].lower()
    for _, _, operation in operations()
    for each in operation.get("parameters", ())
    if each["in"] == "header"
}


@pytest.fixture(autouse=True)
def sites(monkeypatch: pytest.MonkeyPatch, price: Any) -> Iterator[None]:
    monkeypatch.setenv("CRM_APP_URL", f"{SITE}/app")
    monkeypatch.setenv("CRM_ORIGINS", f"{LOCAL}, https://other.acme.example")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


async def sign_in(client: httpx.AsyncClient, origin: str | None = SITE) -> httpx.Response:
    form = {"username": "ana", "password": PASSWORD, "session": "cookie"}
    answer = await client.post("/v1/auth/token", data=form, headers={"Origin": origin} if origin else {})
    client.cookies.clear()  # sent by hand, so that it is seen when
    return answer


def cookie(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["set-cookie"])[NAME]


async def by_cookie(
    client: httpx.AsyncClient, token: str, what: str = "refresh", origin: str | None = SITE
) -> httpx.Response:
    headers = {"Cookie": f"{NAME}={token}"} | ({"Origin": origin} if origin else {})
    answer = await client.post(f"/v1/auth/{what}", headers=headers)
    client.cookies.clear()
    return answer


async def test_a_browser_never_sees_its_refresh_token(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    answer = await sign_in(client)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    given = cookie(answer)
    assert given.value not in answer.text
    said = {name: given[name] for name in ("path", "httponly", "secure", "samesite", "max-age", "domain")}
    assert said == {
        "path": "/v1/auth",
        "httponly": True,
        "secure": True,
        "samesite": "strict",
        "max-age": str(30 * 86400),
        "domain": "",
    }
    second = await by_cookie(client, given.value)
    assert (second.status_code, second.json()["refresh_token"]) == (200, None)
    assert second.headers["cache-control"] == "no-store"
    assert cookie(second).value != given.value
    assert (await client.get("/v1/me", headers=bearer(second.json()))).status_code == 200
    raced = await by_cookie(client, given.value)
    assert (raced.status_code, problem(raced)["code"]) == (401, "refresh_raced")
    assert "set-cookie" not in raced.headers, "the browser keeps the one that the other tab was given"
    assert (await by_cookie(client, cookie(second).value)).status_code == 200


async def test_a_cookie_is_given_to_and_taken_from_pages_of_known_sites_alone(
    client: httpx.AsyncClient, make_user: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    strange = (None, "null", "https://evil.example", f"{SITE}.evil.example", f"{SITE}:444", "http://crm.acme.example")
    for origin in strange:
        answer = await sign_in(client, origin)
        assert (answer.status_code, problem(answer)["code"]) == (403, "origin_not_allowed"), origin
        assert "set-cookie" not in answer.headers
    for origin in (SITE, "https://other.acme.example"):
        assert cookie(await sign_in(client, origin))["secure"] is True
    signed_in = await sign_in(client, LOCAL)
    assert not cookie(signed_in)["secure"], "a developer's own machine has no TLS"
    token = cookie(signed_in).value
    for origin in strange:
        for what in ("refresh", "logout"):
            answer = await by_cookie(client, token, what, origin)
            assert (answer.status_code, problem(answer)["code"]) == (403, "origin_not_allowed"), (what, origin)
    assert (await by_cookie(client, token)).status_code == 200


async def test_signing_out_by_cookie_needs_no_access_token(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    signed_in = await sign_in(client)
    out = await by_cookie(client, cookie(signed_in).value, "logout")
    assert (out.status_code, cookie(out).value, cookie(out)["max-age"], cookie(out)["path"]) == (
        204,
        "",
        "0",
        "/v1/auth",
    )
    assert (await client.get("/v1/me", headers=bearer(signed_in.json()))).status_code == 401
    assert (await by_cookie(client, cookie(signed_in).value)).status_code == 401
    assert (await by_cookie(client, "none", "logout")).status_code == 204, "signed out is signed out"
    assert (await by_cookie(client, "none")).status_code == 401
    assert (await client.post("/v1/auth/refresh", headers={"Origin": SITE})).status_code == 401


async def test_who_sends_the_token_in_a_body_gets_the_next_in_one(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    tokens = await tokens_of(client)
    client.headers["Origin"] = "https://evil.example"
    answer = await refresh(client, tokens["refresh_token"])
    assert answer.status_code == 200
    assert answer.json()["refresh_token"]
    assert "set-cookie" not in answer.headers
    assert await is_in_force(client, answer.json())


async def test_scripts_of_known_sites_read_the_answers_and_no_others(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    token = bearer(await tokens_of(client))
    asks = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    allowed = await client.options("/v1/me", headers=asks | {"Origin": SITE})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SITE
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in allowed.headers["access-control-allow-methods"]
    named = {each.strip().lower() for each in allowed.headers["access-control-allow-headers"].split(",")}
    assert named >= HEADERS
    strange = await client.options("/v1/me", headers=asks | {"Origin": "https://evil.example"})
    assert not [name for name in strange.headers if name.startswith("access-control")]
    for path, status in (("/v1/me", 200), ("/v1/settings", 403), ("/v1/nothing", 404)):
        answer = await client.get(path, headers=token | {"Origin": SITE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == SITE
        assert "Origin" in answer.headers["vary"]
        assert "ETag" in answer.headers["access-control-expose-headers"]
        answer = await client.get(path, headers=token | {"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
