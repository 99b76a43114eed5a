"""Did our OpenID provider say this, to us, just now, about who is signing in here? ID tokens, verified by python-jose.

Only RS256 and ES256, each with keys of its own kind, and each key by its id: no key is ever tried that a token does not
name, and none is taken for the secret of another algorithm. Times are checked against our clock.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jose import jwk, jwt

from app import clock
from app.errors import Unauthenticated

LONGEST = 32_768
# How far the provider's clock and ours may be apart, in seconds, and how old a token may be that was made for us now.
LEEWAY = 60
OLDEST = 600
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# What would make a verifier look elsewhere for a key, or read the token in another way.
REFUSED_HEADERS = {"b64", "crit", "jku", "jwk", "x5u", "zip"}
# Kind of key → its algorithm, and what it consists of: nothing private, whatever a provider publishes.
KINDS = {"RSA": ("RS256", ("kty", "n", "e")), "EC": ("ES256", ("kty", "crv", "x", "y"))}
SMALLEST_RSA = 2048
CHECKS = {
    **{f"require_{name}": True for name in ("aud", "iat", "iss", "sub")},
    # jose would read the system's clock, and would ask for the access token.
    **{f"verify_{name}": False for name in ("exp", "nbf", "at_hash")},
}

Keys = Mapping[str, tuple[str, jwk.Key]]


def signing_keys(published: Iterable[Any]) -> Keys:
    """Key id → algorithm and key, of those of a provider's published keys (JWKS) that may sign an ID token."""
    found = {}
    for each in published:
        if isinstance(each, dict) and isinstance(each.get("kid"), str) and each.get("use", "sig") == "sig":
            algorithm, names = KINDS.get(str(each.get("kty")), ("", ()))
            if algorithm and each.get("alg", algorithm) == algorithm and (key := _key(each, algorithm, names)):
                found[each["kid"]] = (algorithm, key)
    return found


def _key(published: Mapping[str, Any], algorithm: str, names: Iterable[str]) -> jwk.Key | None:
    """The key, constructed from PEM; none if it is broken or too weak."""
    try:
        pem = jwk.construct({name: published[name] for name in names}, algorithm).to_pem()
        key = jwk.construct(pem.decode(), algorithm)
        weak = algorithm == "RS256" and key.prepared_key.key_size < SMALLEST_RSA
        return None if weak else key
    except Exception:
        # Whatever jose and cryptography raise for what is no key.
        return None


def key_id(token: str) -> str:
    """The id of the key that a token says it is signed with; it may be empty. Raises `Unauthenticated`."""
    try:
        _demand(len(token) <= LONGEST and FORM.fullmatch(token) is not None)
        kid = jwt.get_unverified_header(token).get("kid", "")
        _demand(isinstance(kid, str))
        return str(kid)
    except Exception:
        raise _invalid() from None


def read_id_token(token: str, keys: Keys, *, issuer: str, client_id: str, nonce: str) -> Mapping[str, Any]:
    """Its claims. Raises `Unauthenticated` for whatever is not the provider's, not for us or not in force."""
    try:
        algorithm, key = keys[key_id(token)]
        header = jwt.get_unverified_header(token)
        _demand(header["alg"] == algorithm and not header.keys() & REFUSED_HEADERS)
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], audience=client_id, issuer=issuer, options=CHECKS
        )
        audience = claims["aud"]
        _demand(audience in (client_id, [client_id]) or claims.get("azp") == client_id)
        _demand(claims.get("azp", client_id) == client_id)
        now, issued_at, expires_at = clock.now().timestamp(), claims["iat"], claims["exp"]
        # `type`, since a bool is an int too, and texts and infinities are numbers to jose.
        _demand(type(issued_at) is int and type(expires_at) is int)
        _demand(now - OLDEST <= issued_at <= now + LEEWAY and now - LEEWAY < expires_at)
        not_before = claims.get("nbf", 0)
        _demand(type(not_before) is int and not_before <= now + LEEWAY)
        _demand(isinstance(claims["nonce"], str) and hmac.compare_digest(claims["nonce"].encode(), nonce.encode()))
        _demand(isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255 and claims["sub"].isprintable())
        return claims
    except Exception:
        # Not only jose's errors: some tokens make it overflow or recurse too deeply, before a signature is compared.
        raise _invalid() from None


def _demand(condition: bool) -> None:
    if not condition:
        raise ValueError("not a token of the provider for us")


def _invalid() -> Unauthenticated:
    return Unauthenticated("What the OpenID provider answered is not valid", code="openid_invalid")
