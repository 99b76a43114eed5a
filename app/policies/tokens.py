"""What does an access token say, and is it one of ours? HS256 with keys derived from the secret, by python-jose.

jose is the only one that signs and compares; what it leaves open is closed here: the token's form and header must be
exactly what we write, so the algorithm is never the token's choice, and times are checked against our clock.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from hashlib import sha256
from uuid import UUID, uuid4

from jose import jwk, jwt

from app import clock
from app.errors import Unauthenticated
from app.settings import derived_keys

LIFETIME = timedelta(minutes=15)
LONGEST = 4096
ISSUER = "clientela"
AUDIENCE = "clientela-api"
ALGORITHM = "HS256"
# How far the clocks of two of our machines may be apart.
LEEWAY = 10
NAMES = {"iss", "aud", "sub", "sid", "jti", "use", "iat", "exp"}
# Three parts without padding; a signature of 32 bytes, whose last character has two bits that must be zero: jose's
# decoder would skip strange characters and ignore those bits, and one token would have many spellings.
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
CHECKS = {
    **{f"require_{name}": True for name in ("aud", "iat", "iss", "jti", "sub")},
    # jose would read the system's clock, and `verify_exp` counts for nothing while `require_exp` is on.
    **{f"{check}_{name}": False for check in ("require", "verify") for name in ("exp", "nbf")},
}


@dataclass(frozen=True, slots=True)
class Claims:
    """Whose token it is, and in which session it was given out; whether that is in force, the database knows."""

    user_id: UUID
    session_id: UUID


def issue_access_token(user_id: UUID, session_id: UUID) -> str:
    """A token that says so for 15 minutes, signed with the newest key."""
    issued_at = int(clock.now().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "jti": str(uuid4()),
        "use": "access",
        "iat": issued_at,
        "exp": issued_at + int(LIFETIME.total_seconds()),
    }
    kid, key = next(iter(_keys().items()))
    token: str = jwt.encode(claims, key, algorithm=ALGORITHM, headers=_header(kid))
    return token


def read_access_token(token: str) -> Claims:
    """What the token says. Raises `Unauthenticated` for whatever is not in force or not ours, and nothing else."""
    try:
        claims, issued_at, expires_at = _signed(token)
        _demand(issued_at - LEEWAY <= clock.now().timestamp() < expires_at)
        return claims
    except Exception:
        # Not only jose's errors: some tokens make it overflow or recurse too deeply, before any signature is compared.
        raise Unauthenticated("The access token is not valid or has expired", code="invalid_token") from None


# A caller sends the same token for 15 minutes, and jose takes 0.1 ms each time. Failures are not remembered.
@lru_cache(maxsize=2048)
def _signed(token: str) -> tuple[Claims, int, int]:
    """What does not depend on when one asks: the claims of a token that we signed, from when and until when."""
    _demand(len(token) <= LONGEST and FORM.fullmatch(token) is not None)
    header = jwt.get_unverified_header(token)
    key = _keys()[header["kid"]]
    _demand(header == _header(header["kid"]))
    claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options=CHECKS)
    _demand(claims.keys() == NAMES and claims["use"] == "access" and claims["aud"] == AUDIENCE)
    issued_at, expires_at = claims["iat"], claims["exp"]
    # `type`, since a bool is an int too, and texts and infinities are numbers to jose.
    _demand(type(issued_at) is int and type(expires_at) is int)
    _demand(0 < expires_at - issued_at <= LIFETIME.total_seconds())
    return Claims(_uuid(claims["sub"]), _uuid(claims["sid"])), issued_at, expires_at


def _uuid(value: str) -> UUID:
    read = UUID(value)
    _demand(str(read) == value)
    return read


def _demand(condition: bool) -> None:
    if not condition:
        raise ValueError("not a token of ours")


def _header(kid: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "typ": "at+jwt", "kid": kid}


@cache
def _keys() -> dict[str, jwk.Key]:
    """The keys by their ids, newest first. Constructed once: jose would guess the kind of a bare text or mapping."""
    return {sha256(key).hexdigest()[:16]: jwk.construct(key, ALGORITHM) for key in derived_keys("access token")}
