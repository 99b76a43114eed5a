"""What does the company's OpenID provider say of itself, and whom does a code that it gave out stand for?

Its description and its keys are kept for an hour. A key that is not known yet is asked for, at most once a minute.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote_plus, urlsplit

import orjson

from app import clock
from app.errors import Unauthenticated, Unavailable
from app.policies.id_tokens import Keys, key_id, read_id_token, signing_keys
from app.settings import settings

KEPT = timedelta(hours=1)
# However many tokens name keys that nobody knows.
ASKED_AGAIN = timedelta(minutes=1)
TIMEOUT = 5.0
MOST_BYTES = 1_000_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to a provider, as the settings say. profiles: group → profile, in the order in which they count."""

    issuer: str
    id: str
    secret: str
    callback: str
    profile_claim: str
    profiles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Provider:
    """What we know of a provider: its addresses, how it wants to be asked, its keys, and since when."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    scopes: frozenset[str]
    secret_in_body: bool
    described_at: datetime
    keys: Keys
    keys_at: datetime


_known: dict[str, Provider] = {}
_asking = asyncio.Lock()


def client() -> Client | None:
    """None where nobody signs in by a provider."""
    found = settings()
    if found.oidc_issuer is None or found.oidc_client_secret is None:
        return None
    pairs = (each.rpartition("=") for each in (found.oidc_profiles or "").split(","))
    return Client(
        issuer=found.oidc_issuer,
        id=found.oidc_client_id or "",
        secret=found.oidc_client_secret.get_secret_value(),
        callback=found.oidc_callback or "",
        profile_claim=found.oidc_profile_claim or "",
        profiles={group.strip(): profile.strip() for group, _, profile in pairs},
    )


async def describe(issuer: str, *, for_key: str = "") -> Provider:
    """The provider, as it described itself within the hour; asked again if it is not known to have the key.

    Raises `Unavailable` if it does not answer, or nothing of use.
    """
    async with _asking:
        known, now = _known.get(issuer), clock.now()
        if known is None or not now - KEPT < known.described_at <= now:
            known = _known[issuer] = await _described(issuer, now)
        elif for_key and for_key not in known.keys and not now - ASKED_AGAIN < known.keys_at <= now:
            keys = await _keys_of(known.jwks_uri)
            known = _known[issuer] = replace(known, keys=keys, keys_at=now)
        return known


async def exchange(client: Client, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
    """What the provider says of whom the code stands for: the claims of the ID token.

    Raises `Unauthenticated`, code `openid_invalid`, for a code or a token that is not valid, `Unavailable`.
    """
    provider = await describe(client.issuer)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.callback}
    form["code_verifier"] = verifier
    auth = None
    if provider.secret_in_body:
        form |= {"client_id": client.id, "client_secret": client.secret}
    else:
        auth = quote_plus(client.id), quote_plus(client.secret)
    status, answer = await _ask("POST", provider.token_endpoint, data=form, auth=auth)
    if status >= 500:
        raise _silent()
    token = answer.get("id_token")
    if status != 200 or not isinstance(token, str):
        raise Unauthenticated("The OpenID provider did not take the code", code="openid_invalid")
    provider = await describe(client.issuer, for_key=key_id(token))
    return read_id_token(token, provider.keys, issuer=client.issuer, client_id=client.id, nonce=nonce)


async def _described(issuer: str, now: datetime) -> Provider:
    status, said = await _ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    addresses: dict[str, Any] = {name: said.get(name) for name in ENDPOINTS}
    if status != 200 or said.get("issuer") != issuer or not all(_is_safe(each, issuer) for each in addresses.values()):
        raise _silent()
    scopes, ways = (said.get(name) for name in ("scopes_supported", "token_endpoint_auth_methods_supported"))
    return Provider(
        issuer=issuer,
        **addresses,
        scopes=frozenset(each for each in scopes if isinstance(each, str)) if isinstance(scopes, list) else frozenset(),
        secret_in_body=isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways,
        described_at=now,
        keys=await _keys_of(addresses["jwks_uri"]),
        keys_at=now,
    )


async def _keys_of(address: str) -> Keys:
    status, said = await _ask("GET", address)
    published = said.get("keys")
    if status != 200 or not isinstance(published, list):
        raise _silent()
    return signing_keys(published)


def _is_safe(address: Any, issuer: str) -> bool:
    """Whether a secret may go there: by TLS, or to this machine where the provider is on it."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK and urlsplit(issuer).scheme == "http"
    return bool(parts.hostname) and (parts.scheme == "https" or plain)


async def _ask(method: str, address: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object, empty if it is none. Redirects are not followed: what is asked may be a secret."""
    # Only where there is a provider: it takes 4 MB of every process, and a tenth of a second of its start.
    import httpx

    try:
        async with (
            asyncio.timeout(10),
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False, verify=_tls()) as client,
            client.stream(method, address, headers={"Accept": "application/json"}, **more) as answer,
        ):
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise _silent()
            said = orjson.loads(body) if answer.status_code < 500 else {}
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
        raise _silent() from None
    except orjson.JSONDecodeError:
        return answer.status_code, {}
    return answer.status_code, said if isinstance(said, dict) else {}


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading whom to trust takes longer than asking."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _silent() -> Unavailable:
    return Unavailable("The OpenID provider does not answer as it should; try again later")
