"""Signing in through a company's OpenID provider, which runs beside the tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from app import clock
from app.domain import openid_provider
from app.settings import settings
from tests.api import openid_provider as fake
from tests.api.openid_provider import CLIENT, SECRET, OpenIdProvider, provider_running, signing_key
from tests.conftest import Client, People
from tests.contracts import worlds

SITE = "http://localhost:5173"
BACK = f"{SITE}/app?tab=1"
CALLBACK = "https://crm.test/v1/auth/openid/callback"
ANA = {"sub": "ana-1", "email": "Ana@acero.es", "email_verified": True, "name": "Ana Gil", "groups": ["crm-sales"]}


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[OpenIdProvider]:
    async with provider_running() as made:
        yield made


@pytest.fixture
def provider(running: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenIdProvider]:
    """As it should be, and we have not asked it anything yet."""
    running.__dict__.update(OpenIdProvider(running.issuer, person=dict(ANA)).__dict__)
    given = {
        "CRM_OIDC_ISSUER": running.issuer,
        "CRM_OIDC_CLIENT_ID": CLIENT,
        "CRM_OIDC_CLIENT_SECRET": SECRET,
        "CRM_OIDC_CALLBACK": CALLBACK,
        "CRM_OIDC_PROFILE_CLAIM": "groups",
        "CRM_OIDC_PROFILES": "crm-admin=administrator, crm-sales=sales,crm-old=gone",
        "CRM_ORIGINS": f"{SITE},https://crm.acme.example",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    openid_provider._known.clear()
    yield running
    monkeypatch.undo()
    settings.cache_clear()


@dataclass
class Browser:
    """Follows where it is sent."""

    client: httpx.AsyncClient

    async def start(self, return_to: str = BACK) -> httpx.Response:
        answer = await self.client.get("/v1/auth/openid/start", params={"return_to": return_to})
        assert answer.status_code == 303, answer.text
        return answer

    async def visit(self, start: httpx.Response) -> str:
        """Where the provider sends it back to."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as outside:
            answer = await outside.get(start.headers["location"])
        assert answer.status_code == 303
        return str(answer.headers["location"])

    async def sign_in(self) -> httpx.Response:
        answer = await self.client.get(await self.visit(await self.start()))
        assert answer.status_code == 303, answer.text
        return answer

    async def error(self) -> str:
        """The code with which it comes back, signed in by nobody."""
        answer = await self.sign_in()
        assert "clientela_refresh" not in answer.headers.get("set-cookie", "")
        location = answer.headers["location"]
        assert location.startswith(f"{BACK}&error="), location
        return str(location.partition("error=")[2])

    async def access(self) -> dict[str, str]:
        """What the page gets for the cookie."""
        answer = await self.client.post("/v1/auth/refresh", headers={"Origin": SITE})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def me(self) -> dict[str, Any]:
        answer = await self.client.get("/v1/me", headers=await self.access())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
async def browser(client: httpx.AsyncClient, provider: OpenIdProvider) -> Browser:
    return Browser(client)


@pytest.fixture
async def ana(people: People) -> UUID:
    return await people.user("sales", "Ana", username="ana@acero.es")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_somebody_signs_in_with_a_code_and_pkce(
    browser: Browser, provider: OpenIdProvider, ana: UUID, algorithm: str
) -> None:
    provider.key = signing_key(algorithm, algorithm)
    provider.published = [signing_key("other").published(), provider.key.published()]
    start = await browser.start()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(start.headers["location"]).query).items()}
    assert asked.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method",
    }  # fmt: skip
    assert (asked["redirect_uri"], asked["scope"]) == (CALLBACK, "openid email profile groups")
    cookie = start.headers["set-cookie"]
    for said in ("HttpOnly", "SameSite=lax", "Path=/v1/auth/openid", "Max-Age=600"):
        assert said in cookie
    back = await browser.client.get(await browser.visit(start))
    assert (back.status_code, back.headers["location"]) == (303, BACK)
    assert "refresh" not in back.headers["location"]
    assert "clientela_openid" not in browser.client.cookies
    assert (await browser.me())["id"] == str(ana)
    # From now on it is the provider's name for them that counts.
    provider.person |= {"email": "ana.gil@acero.es", "email_verified": False}
    await browser.sign_in()
    assert (await browser.me())["id"] == str(ana)


async def test_the_cookies_are_of_tls_where_the_site_is(browser: Browser) -> None:
    start = await browser.start("https://crm.acme.example/")
    assert "Secure" in start.headers["set-cookie"]
    name, _, value = start.headers["set-cookie"].partition(";")[0].partition("=")
    back = await browser.client.get(await browser.visit(start), headers={"Cookie": f"{name}={value}"})
    assert back.headers["location"] == "https://crm.acme.example/?error=openid_no_account" or "Secure" in ";".join(
        each for each in back.headers.get_list("set-cookie") if "refresh" in each
    )


async def test_who_is_new_gets_the_first_profile_that_fits(browser: Browser, provider: OpenIdProvider) -> None:
    provider.person["groups"] = ["other", "crm-sales", "crm-admin"]
    await browser.sign_in()
    me = await browser.me()
    assert {name: me[name] for name in ("name", "username", "email", "profile_id", "active", "service")} == {
        "name": "Ana Gil",
        "username": "Ana@acero.es",
        "email": "Ana@acero.es",
        "profile_id": "administrator",
        "active": True,
        "service": False,
    }
    provider.person = {"sub": "eva", "email": "eva@acero.es", "email_verified": True, "groups": "crm-sales"}
    await browser.sign_in()
    me = await browser.me()
    assert (me["name"], me["profile_id"]) == ("eva@acero.es", "sales")


async def test_the_profile_follows_the_provider_at_each_sign_in(
    browser: Browser, provider: OpenIdProvider, ana: UUID, people: People
) -> None:
    await people.user("administrator")
    await browser.sign_in()
    before = await browser.access()
    assert (await browser.client.get("/v1/settings", headers=before)).status_code == 403
    await browser.sign_in()
    assert (await browser.client.get("/v1/me", headers=before)).status_code == 200
    provider.person["groups"] = ["crm-admin"]
    await browser.sign_in()
    # Sessions of the old profile have ended.
    assert (await browser.client.get("/v1/me", headers=before)).json()["code"] == "session_ended"
    assert (await browser.client.get("/v1/settings", headers=await browser.access())).status_code == 200
    (told,) = await worlds.fetch("select changes::text from events where record_id = $1", ana)
    assert told[0] == '{"profile_id": ["sales", "administrator"]}'


async def test_the_profile_follows_the_provider_though_it_does_not_read_their_work(
    browser: Browser, provider: OpenIdProvider, ana: UUID, people: People
) -> None:
    seller = await people.client(ana)
    assert (await seller.post("/v1/leads", json={"company_name": "Acero"})).status_code == 201
    await worlds.execute("delete from policies where subject = 'profile:sales' and section = 'leads'")
    await worlds.execute("update users set profile_id = 'administrator' where id = $1", ana)
    await people.user("administrator")
    await browser.sign_in()
    assert (await browser.client.get("/v1/me", headers=await browser.access())).json()["profile_id"] == "sales"


async def test_the_last_administrator_stays_one(browser: Browser, provider: OpenIdProvider, people: People) -> None:
    ana = await people.user("administrator", "Ana", username="ana@acero.es")
    assert await browser.error() == "last_administrator"
    assert [row[0] for row in await worlds.fetch("select profile_id from users where id = $1", ana)] == [
        "administrator"
    ]
    assert await worlds.fetch("select * from identities") == []


Prepare = Callable[[People, OpenIdProvider], Awaitable[Any]]


async def deactivated(people: People, _: OpenIdProvider) -> None:
    await people.user("sales", username="ana@acero.es", active=False)


async def archived(people: People, _: OpenIdProvider) -> None:
    await people.user("sales", email="ANA@acero.es", archived_at=clock.now())


async def two_of_them(people: People, _: OpenIdProvider) -> None:
    await people.user("sales", username="ana@acero.es")
    await people.user("sales", email="ana@acero.es")


async def known_by_another_subject(people: People, provider: OpenIdProvider) -> None:
    user_id = await people.user("sales", username="ana@acero.es")
    insert = "insert into identities (issuer, subject, user_id, created_at) values ($1, 'somebody', $2, now())"
    await worlds.execute(insert, provider.issuer, user_id)


async def unverified(people: People, provider: OpenIdProvider) -> None:
    provider.person["email_verified"] = False


async def verified_in_words(people: People, provider: OpenIdProvider) -> None:
    provider.person["email_verified"] = "true"


async def not_said_to_be_verified(people: People, provider: OpenIdProvider) -> None:
    del provider.person["email_verified"]


async def without_an_address(people: People, provider: OpenIdProvider) -> None:
    provider.person["email"] = ["ana@acero.es"]


async def without_a_group(people: People, provider: OpenIdProvider) -> None:
    del provider.person["groups"]


async def with_unknown_groups(people: People, provider: OpenIdProvider) -> None:
    provider.person["groups"] = ["crm-sales ", "CRM-ADMIN", {"crm-admin": 1}, None, 7]


async def with_a_group_whose_profile_is_gone(people: People, provider: OpenIdProvider) -> None:
    provider.person["groups"] = ["crm-old"]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (deactivated, "openid_no_account"),
        (archived, "openid_no_account"),
        (two_of_them, "openid_no_account"),
        (known_by_another_subject, "openid_no_account"),
        (unverified, "openid_no_account"),
        (verified_in_words, "openid_no_account"),
        (not_said_to_be_verified, "openid_no_account"),
        (without_an_address, "openid_no_account"),
        (without_a_group, "openid_no_profile"),
        (with_unknown_groups, "openid_no_profile"),
        (with_a_group_whose_profile_is_gone, "openid_no_profile"),
    ],
)
async def test_who_is_not_told_apart_or_has_no_profile_is_refused_and_nothing_changes(
    browser: Browser, provider: OpenIdProvider, people: People, prepare: Prepare, code: str
) -> None:
    await prepare(people, provider)
    before = await worlds.fingerprint(set())
    assert await browser.error() == code
    assert await worlds.fingerprint(set()) == before


async def test_who_was_deactivated_since_is_refused(
    browser: Browser, provider: OpenIdProvider, ana: UUID, administrator: Client
) -> None:
    await browser.sign_in()
    access = await browser.access()
    assert (await administrator.patch(f"/v1/users/{ana}", json={"active": False})).status_code == 200
    assert (await browser.client.get("/v1/me", headers=access)).status_code == 401
    assert await browser.error() == "openid_no_account"


async def test_a_second_factor_is_left_to_the_provider(browser: Browser, ana: UUID, people: People) -> None:
    await worlds.execute("update profiles set second_factor_required = true where id = 'sales'")
    await worlds.execute("update versions set xid = pg_current_xact_id()")
    await browser.sign_in()
    assert (await browser.client.get("/v1/customers", headers=await browser.access())).status_code == 200
    # Else it is asked for.
    refused = await (await people.client(ana)).get("/v1/customers")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_enrolment_required")


async def test_a_sign_in_that_was_not_begun_here_is_refused(
    browser: Browser, client: httpx.AsyncClient, ana: UUID, later: Callable[..., None]
) -> None:
    async def refused(address: str) -> None:
        answer = await client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (401, "openid_state"), answer.headers

    back = await browser.visit(await browser.start())
    await refused(back + "x")
    await refused(back.partition("&state")[0])
    await refused("/v1/auth/openid/callback")
    kept = client.cookies.get("clientela_openid")
    assert kept
    client.cookies.clear()
    await refused(back)
    payload, _, signature = kept.partition(".")
    forged = {
        payload,
        f"{payload}.",
        f".{signature}",
        f"{payload[:-4]}AAAA.{signature}",
        f"{kept}.{kept}",
        "é",
        "e30.e30",
    }
    for cookie in forged:
        answer = await client.get(back, headers={"Cookie": f"clientela_openid={cookie}".encode()})  # type: ignore[arg-type]
        assert answer.json()["code"] == "openid_state"
    # Another browser's way back does not sign this one in.
    await browser.start()
    await refused(back)
    back = await browser.visit(await browser.start())
    later(minutes=10, seconds=1)
    await refused(back)
    assert await worlds.fetch("select * from sessions where user_id = $1", ana) == []


async def test_a_code_is_good_once(browser: Browser, client: httpx.AsyncClient, ana: UUID) -> None:
    back = await browser.visit(await browser.start())
    kept = {"Cookie": f"clientela_openid={client.cookies.get('clientela_openid')}"}
    assert (await client.get(back, headers=kept)).headers["location"] == BACK
    assert (await client.get(back, headers=kept)).headers["location"] == f"{BACK}&error=openid_invalid"


async def test_who_says_no_at_the_provider_comes_back_with_an_error(browser: Browser, provider: OpenIdProvider) -> None:
    provider.refusal = "access_denied"
    assert await browser.error() == "openid_denied"


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/",
        "http://localhost:5174/",
        "https://localhost:5173/",
        "http://localhost:5173@evil.example/",
        "http://localhost:5173.evil.example/",
        "http://evil.example\\@localhost:5173/",
        "http://localhost:5173\\.evil.example/",
        "//localhost:5173/",
        "/app",
        "javascript:alert(1)",
        "http://localhost:5173/\r\nSet-Cookie: a=b",
        "http://localhost:5173/ñ",
        "http://[localhost:5173/",
        "",
    ],
)
async def test_one_comes_back_to_the_configured_sites_only(
    client: httpx.AsyncClient, provider: OpenIdProvider, return_to: str
) -> None:
    answer = await client.get("/v1/auth/openid/start", params={"return_to": return_to})
    assert (answer.status_code, answer.json()["code"]) == (422, "return_to_not_allowed")
    assert provider.asked["description"] == 0


async def test_where_no_provider_is_set_up_there_is_no_such_way(client: httpx.AsyncClient) -> None:
    for path in ("start?return_to=x", "callback"):
        assert (await client.get(f"/v1/auth/openid/{path}")).status_code == 404


async def test_the_provider_is_asked_once_an_hour_and_for_unknown_keys_once_a_minute(
    browser: Browser, provider: OpenIdProvider, ana: UUID, later: Callable[..., None]
) -> None:
    await browser.sign_in()
    await browser.sign_in()
    assert (provider.asked["description"], provider.asked["keys"]) == (1, 1)
    # It signs with a new key, which it published, before we think of asking.
    provider.key = signing_key("second")
    provider.published.append(provider.key.published())
    assert await browser.error() == "openid_invalid"
    assert provider.asked["keys"] == 1
    later(seconds=61)
    await browser.sign_in()
    assert (await browser.me())["id"] == str(ana)
    assert (provider.asked["description"], provider.asked["keys"]) == (1, 2)
    # A key that it withdrew is good for as long as we do not ask.
    provider.published.pop()
    await browser.sign_in()
    later(hours=1)
    assert await browser.error() == "openid_invalid"
    assert (provider.asked["description"], provider.asked["keys"]) == (2, 3)


async def test_a_secret_is_sent_in_the_way_that_the_provider_takes(
    browser: Browser, provider: OpenIdProvider, ana: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.description["token_endpoint_auth_methods_supported"] = ["client_secret_post", "private_key_jwt"]
    assert (await browser.sign_in()).headers["location"] == BACK
    monkeypatch.setenv("CRM_OIDC_CLIENT_SECRET", "another")
    settings.cache_clear()
    assert await browser.error() == "openid_invalid"


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "http://127.0.0.1/other"},
        {"issuer": None},
        {"token_endpoint": "http://provider.example/token"},
        {"token_endpoint": "//provider.example/token"},
        {"jwks_uri": ["http://127.0.0.1/keys"]},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "http://127.0.0.1:1/keys"},
        {"padding": "x" * 1_100_000},
    ],
)
async def test_a_provider_that_is_away_or_describes_itself_wrongly_is_unavailable(
    client: httpx.AsyncClient, provider: OpenIdProvider, description: dict[str, Any]
) -> None:
    provider.description = description
    answer = await client.get("/v1/auth/openid/start", params={"return_to": BACK})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert openid_provider._known == {}
    provider.description = {}
    assert (await client.get("/v1/auth/openid/start", params={"return_to": BACK})).status_code == 303


async def test_a_provider_that_goes_away_meanwhile_sends_one_back_with_an_error(
    browser: Browser, provider: OpenIdProvider
) -> None:
    provider.token = lambda _: fake.Response("down", 502)
    assert await browser.error() == "unavailable"
    provider.token = lambda _: fake.RedirectResponse(f"{provider.issuer}/keys", 307)
    assert await browser.error() == "openid_invalid"


async def test_an_attempt_is_kept_ten_minutes_by_our_clock(
    browser: Browser, ana: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await browser.visit(await browser.start())
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=9, seconds=50))
    assert (await browser.client.get(back)).headers["location"] == BACK
