"""What an OpenID provider, or somebody in its place, may answer instead of a good ID token signs nobody in."""

import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from tests.api.openid_provider import CLIENT, Claims, OpenIdProvider, Response, b64, signed, signing_key
from tests.api.test_openid import BACK, Browser, ana, browser, provider, running  # noqa: F401
from tests.contracts import worlds

Token = Callable[[Claims], Any]


def with_claims(provider: OpenIdProvider, **changes: Any) -> Token:  # noqa: F811
    def token(claims: Claims) -> str:
        return signed({name: value for name, value in (claims | changes).items() if value is not None}, provider.key)

    return token


def by_hand(header: Claims, secret: bytes | None, digest: str = "sha256") -> Token:
    """A token as no library makes it."""

    def token(claims: Claims) -> str:
        body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{body}.{b64(hmac.digest(secret, body.encode(), digest)) if secret is not None else ''}"

    return token


def odd_tokens(provider: OpenIdProvider) -> dict[str, Token]:  # noqa: F811
    key, stranger, elliptic = provider.key, signing_key("first, of others"), signing_key("elliptic", "ES256")
    weak, encrypting, short = signing_key("weak", bits=1024), signing_key("encrypting"), signing_key("of RS512")
    provider.published += [elliptic.published(), weak.published(), encrypting.published() | {"use": "enc"}]
    provider.published += [short.published() | {"alg": "RS512"}]
    provider.published += [{"kid": "broken", "kty": "RSA", "n": "!", "e": "AQAB"}, {"kid": ["list"]}, "text", None]
    provider.published += [{"kid": "secret", "kty": "oct", "k": b64(b"x" * 32)}]
    now_signed = lambda **headers: lambda claims: signed(claims, key, **headers)
    hs = {"alg": "HS256", "kid": key.kid}
    return {
        "another nonce": with_claims(provider, nonce="another"),
        "no nonce": with_claims(provider, nonce=None),
        "a nonce that is no text": with_claims(provider, nonce=7),
        "for another": with_claims(provider, aud="another"),
        "for nobody": with_claims(provider, aud=None),
        "for us among others, and given to none of them": with_claims(provider, aud=[CLIENT, "another"]),
        "for us, and given to another": with_claims(provider, azp="another"),
        "for us among others, and given to another": with_claims(provider, aud=[CLIENT, "another"], azp="another"),
        "audience an object": with_claims(provider, aud={CLIENT: 1}),
        "of another issuer": with_claims(provider, iss="https://evil.example"),
        "of the issuer with a slash": with_claims(provider, iss=f"{provider.issuer}/"),
        "of no issuer": with_claims(provider, iss=None),
        "expired": lambda claims: signed(claims | {"iat": claims["iat"] - 400, "exp": claims["iat"] - 61}, key),
        "never expiring": with_claims(provider, exp=None),
        "expiry a text": lambda claims: signed(claims | {"exp": str(claims["exp"])}, key),
        "expiry true": with_claims(provider, exp=True),
        "expiry infinite": with_claims(provider, exp=float("inf")),
        "made a day ago": lambda claims: signed(claims | {"iat": claims["iat"] - 86400}, key),
        "made in an hour": lambda claims: signed(claims | {"iat": claims["iat"] + 3600}, key),
        "made at no time": with_claims(provider, iat=None),
        "not good before an hour": lambda claims: signed(claims | {"nbf": claims["iat"] + 3600}, key),
        "of nobody": with_claims(provider, sub=None),
        "of a subject that is empty": with_claims(provider, sub=""),
        "of a subject that is a number": with_claims(provider, sub=7),
        "of a subject with a null character": with_claims(provider, sub="ana-1\0"),
        "of a subject of 300 characters": with_claims(provider, sub="a" * 300),
        "alg none": by_hand({"alg": "none", "kid": key.kid}, None),
        "alg None in capitals": by_hand({"alg": "NONE", "kid": key.kid}, b""),
        "unsigned": by_hand({"alg": "RS256", "kid": key.kid}, None),
        "HS256 with the public key, PEM": by_hand(hs, key.public()),
        "HS256 with the public key, DER": by_hand(hs, key.public(Encoding.DER)),
        "HS256 with the client's secret": by_hand(hs, b"s+cret/&="),
        "HS256 with a published secret": by_hand({"alg": "HS256", "kid": "secret"}, b"x" * 32),
        "HS512 with the public key": by_hand(hs | {"alg": "HS512"}, key.public(), "sha512"),
        "signed by a stranger": lambda claims: signed(claims, stranger),
        "signed by a stranger under our key's name": lambda claims: signed(claims, stranger, kid=key.kid),
        "signed by another kind of key": lambda claims: signed(claims, elliptic, kid=key.kid),
        "under the name of another kind of key": lambda claims: signed(claims, key, kid="elliptic"),
        "signed by a key that is too short": lambda claims: signed(claims, weak),
        "signed by a key that is for secrets": lambda claims: signed(claims, encrypting),
        "signed by a key of another algorithm": lambda claims: signed(claims, short),
        "signed by a broken key": lambda claims: signed(claims, key, kid="broken"),
        "without a key's name": now_signed(kid=None),
        "a key's name a list": now_signed(kid=["first"]),
        "crit": now_signed(crit=["exp"]),
        "jku": now_signed(jku=f"{provider.issuer}/keys"),
        "jwk": now_signed(jwk=key.published()),
        "x5u": now_signed(x5u="https://evil.example"),
        "b64 false": now_signed(b64=False),
        "another's claims": lambda claims: _spliced(signed(claims | {"nonce": "x"}, key), signed(claims, key)),
        "five parts, as of JWE": lambda claims: ".".join(["e30"] * 5),
        "no token": lambda _: None,
        "a number": lambda _: 7,
        "an empty text": lambda _: "",
        "not a token": lambda _: "id_token",
        "40 kB": lambda claims: signed(claims | {"more": "x" * 40_000}, key),
        "a header of a thousand lists": lambda _: f"{b64(b'[' * 1400)}.e30.e30",
        "a list": lambda _: ["a"],
        "no JSON": lambda _: Response("<html>", 200),
        "a JSON list": lambda _: Response("[]", 200, media_type="application/json"),
        "an error": lambda _: Response('{"error": "invalid_grant"}', 400, media_type="application/json"),
    }


def _spliced(one: str, other: str) -> str:
    header, claims, _ = other.split(".")
    return f"{header}.{claims}.{one.split('.')[2]}"


async def test_what_is_no_good_id_token_signs_nobody_in(browser: Browser, provider: OpenIdProvider) -> None:  # noqa: F811
    odd = odd_tokens(provider)
    assert len(odd) >= 30
    before = await worlds.fingerprint(set())
    accepted = {}
    for name, token in odd.items():
        provider.token = token
        try:
            code = await browser.error()
        except Exception as error:
            code = repr(error)
        if code != "openid_invalid":
            accepted[name] = code
    assert accepted == {}
    assert await worlds.fingerprint(set()) == before
    # The forger of these tests makes a good one where nothing is odd.
    for good in (with_claims(provider), with_claims(provider, aud=[CLIENT]), with_claims(provider, azp=CLIENT)):
        provider.token = good
        assert (await browser.sign_in()).headers["location"] == BACK
    elliptic = signing_key("elliptic", "ES256")
    provider.token = lambda claims: signed(claims, elliptic)
    assert (await browser.sign_in()).headers["location"] == BACK
