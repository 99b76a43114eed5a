"""Access tokens: what we sign is read, and nothing else is."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import backends, jwk, jwt
from jose.backends.cryptography_backend import CryptographyHMACKey

from app import clock, settings
from app.errors import Unauthenticated
from app.policies import tokens

OLD, NEW = "o" * 32, "n" * 32
USER, SESSION = uuid4(), uuid4()


def secrets_are(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("CRM_SECRET_KEY", keys)
    forget_keys()


def forget_keys() -> None:
    for cached in (settings.settings, settings.derived_keys, tokens._keys, tokens._signed):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def one_secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    secrets_are(monkeypatch, OLD)
    yield
    monkeypatch.undo()
    forget_keys()


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: instant)


def b64(data: bytes | str | dict[str, Any]) -> str:
    if isinstance(data, dict):
        data = json.dumps(data)
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def header(**changes: Any) -> dict[str, Any]:
    kid, _ = next(iter(tokens._keys().items()))
    return {name: value for name, value in ({**tokens._header(kid), **changes}).items() if value is not None}


def claims(**changes: Any) -> dict[str, Any]:
    issued_at = int(clock.now().timestamp())
    good = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": str(USER),
        "sid": str(SESSION),
        "jti": "1",
        "use": "access",
        "iat": issued_at,
        "exp": issued_at + 900,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(
    head: dict[str, Any] | str, body: dict[str, Any] | str, key: bytes | None = None, digest: str = "sha256"
) -> str:
    """Signed with our own key, if no other is given: what a token says is judged even then."""
    given = f"{b64(head)}.{b64(body)}"
    our_key = settings.derived_keys("access token")[0]
    return f"{given}.{b64(hmac.digest(our_key if key is None else key, given.encode(), digest))}"


def public_key(encoding: serialization.Encoding, form: serialization.PublicFormat) -> bytes:
    return rsa.generate_private_key(65537, 2048).public_key().public_bytes(encoding, form)


def other_last_character(token: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def odd_tokens() -> dict[str, str]:
    good = signed(header(), claims())
    head, body, signature = good.split(".")
    now = int(clock.now().timestamp())
    pem = public_key(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public_key(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public_key(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    cursor_key = settings.derived_keys("cursor")[0]
    return {
        "empty": "",
        "one part": "token",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "five parts, as of JWE": f"{head}.{body}.{signature}.{body}.{signature}",
        "dots only": "..",
        "not ASCII": good[:-1] + "é",
        "lone surrogate": good[:-1] + "\ud800",
        "NUL": good + "\x00",
        "newline behind": good + "\n",
        "blank before": " " + good,
        "padded": good + "=",
        "strange character that decoders skip": good[:-3] + "!" + good[-3:],
        "unused bits of the last character set": other_last_character(good),
        "over 4 kB, well signed": signed(header(), claims(jti="j" * 4000)),
        "unsigned": f"{head}.{body}.",
        "another's signature": f"{head}.{body}.{signed(header(), claims(jti='2')).split('.')[2]}",
        "another's claims": f"{head}.{b64(claims(sub=str(uuid4())))}.{signature}",
        "signed with an empty key": signed(header(), claims(), b""),
        "signed with one character": signed(header(), claims(), b"x"),
        "signed with a guess": signed(header(), claims(), b"secret"),
        "signed with the secret itself": signed(header(), claims(), OLD.encode()),
        "signed with the key of another purpose": signed(header(), claims(), cursor_key),
        "signed with a public key, PEM": signed(header(), claims(), pem),
        "signed with a public key, DER": signed(header(), claims(), der),
        "signed with a public key, OpenSSH": signed(header(), claims(), ssh),
        "alg none": f"{b64(header(alg='none'))}.{body}.",
        "alg none with a signature": signed(header(alg="none"), claims()),
        "alg None in capitals": signed(header(alg="NONE"), claims()),
        "alg HS512 with our key": signed(header(alg="HS512"), claims(), digest="sha512"),
        "alg RS256": signed(header(alg="RS256"), claims()),
        "alg ES256": signed(header(alg="ES256"), claims()),
        "alg A256GCM": signed(header(alg="A256GCM"), claims()),
        "alg missing": signed(header(alg=None), claims()),
        "alg a list": signed(header(alg=["HS256"]), claims()),
        "typ JWT": signed(header(typ="JWT"), claims()),
        "typ missing": signed(header(typ=None), claims()),
        "kid unknown": signed(header(kid="0" * 16), claims()),
        "kid missing": signed(header(kid=None), claims()),
        "kid a list": signed(header(kid=["x"]), claims()),
        "kid a path": signed(header(kid="../../dev/null"), claims(), b""),
        "crit": signed(header(crit=["exp"]), claims()),
        "b64 false": signed(header(b64=False), claims()),
        "jku": signed(header(jku="https://example.com/keys"), claims()),
        "jwk": signed(header(jwk={"kty": "oct", "k": b64(b"x" * 32)}), claims(), b"x" * 32),
        "x5u": signed(header(x5u="https://example.com/x"), claims()),
        "zip": signed(header(zip="DEF"), claims()),
        "header a list": signed("[]", claims()),
        "header not JSON": signed("{", claims()),
        "header null": signed("null", claims()),
        "header not UTF-8": f"{b64(bytes([0xFF, 0xFE]))}.{body}.{signature}",
        "header of a thousand nested lists": signed("[" * 1400, claims()),
        "header a nested object": signed('{"a":' * 400 + "1" + "}" * 400, claims()),
        "claims a list": signed(header(), "[]"),
        "claims not JSON": signed(header(), "{"),
        "claims of a thousand nested lists": signed(header(), "[" * 1400),
        "claims null": signed(header(), "null"),
        "exp missing": signed(header(), claims(exp=None)),
        "exp a text": signed(header(), claims(exp=str(now + 900))),
        "exp a float": signed(header(), claims(exp=now + 0.5)),
        "exp infinite": signed(header(), claims(exp=float("inf"))),
        "exp not a number": signed(header(), claims(exp=float("nan"))),
        "exp true": signed(header(), claims(exp=True)),
        "exp a list": signed(header(), claims(exp=[now + 900])),
        "exp past": signed(header(), claims(iat=now - 901, exp=now - 1)),
        "exp now": signed(header(), claims(iat=now - 900, exp=now)),
        "exp a day off": signed(header(), claims(exp=now + 86400)),
        "exp before iat": signed(header(), claims(iat=now, exp=now - 5)),
        "exp of 400 digits": signed(header(), json.dumps(claims(exp=-7)).replace("-7", "9" * 400)),
        "exp of 2,500 digits": signed(header(), json.dumps(claims(exp=-7)).replace("-7", "9" * 2500)),
        "iat missing": signed(header(), claims(iat=None)),
        "iat a text": signed(header(), claims(iat=str(now))),
        "iat in a minute": signed(header(), claims(iat=now + 60, exp=now + 120)),
        "iat negative": signed(header(), claims(iat=-1)),
        "nbf": signed(header(), claims(nbf=now - 1)),
        "aud missing": signed(header(), claims(aud=None)),
        "aud another": signed(header(), claims(aud="other")),
        "aud a list": signed(header(), claims(aud=[tokens.AUDIENCE])),
        "iss missing": signed(header(), claims(iss=None)),
        "iss another": signed(header(), claims(iss="other")),
        "iss a list": signed(header(), claims(iss=[tokens.ISSUER])),
        "sub missing": signed(header(), claims(sub=None)),
        "sub a number": signed(header(), claims(sub=7)),
        "sub not an id": signed(header(), claims(sub="admin")),
        "sub in braces": signed(header(), claims(sub="{" + str(USER) + "}")),
        "sub in capitals": signed(header(), claims(sub="ABCDEF01-0000-7000-8000-000000000000")),
        "sid missing": signed(header(), claims(sid=None)),
        "sid an object": signed(header(), claims(sid={})),
        "jti missing": signed(header(), claims(jti=None)),
        "jti a number": signed(header(), claims(jti=1)),
        "use missing": signed(header(), claims(use=None)),
        "use refresh": signed(header(), claims(use="refresh")),
        "at_hash": signed(header(), claims(at_hash="x")),
        "one claim more": signed(header(), claims(admin=True)),
    }


def test_a_token_that_we_issued_says_whose_it_is() -> None:
    assert tokens.read_access_token(tokens.issue_access_token(USER, SESSION)) == tokens.Claims(USER, SESSION)


def test_the_forger_of_these_tests_makes_a_good_one_where_nothing_is_odd() -> None:
    assert tokens.read_access_token(signed(header(), claims())) == tokens.Claims(USER, SESSION)


def test_a_forged_or_odd_token_is_unauthenticated_and_never_another_error() -> None:
    odd = odd_tokens()
    assert len(odd) >= 30
    accepted = []
    for name, token in odd.items():
        try:
            tokens.read_access_token(token)
        except Unauthenticated:
            continue
        accepted.append(name)
    assert accepted == []


def test_a_value_that_is_no_text_is_unauthenticated() -> None:
    for value in (None, 7, b"token", ["token"], {}):
        with pytest.raises(Unauthenticated):
            tokens.read_access_token(value)  # type: ignore[arg-type]


def test_a_token_lasts_fifteen_minutes_by_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime.fromisoformat("2031-05-05T10:00:00+00:00")
    at(monkeypatch, start)
    token = tokens.issue_access_token(USER, SESSION)
    at(monkeypatch, start + timedelta(minutes=15, seconds=-1))
    assert tokens.read_access_token(token).user_id == USER
    at(monkeypatch, start + timedelta(minutes=15))
    with pytest.raises(Unauthenticated):
        tokens.read_access_token(token)


def test_a_machine_whose_clock_is_a_little_behind_reads_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime.fromisoformat("2031-05-05T10:00:00+00:00")
    at(monkeypatch, start)
    token = tokens.issue_access_token(USER, SESSION)
    at(monkeypatch, start - timedelta(seconds=10))
    assert tokens.read_access_token(token).session_id == SESSION
    at(monkeypatch, start - timedelta(seconds=11))
    with pytest.raises(Unauthenticated):
        tokens.read_access_token(token)


def test_keys_rotate_in_three_phases_without_ending_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    by_old = tokens.issue_access_token(USER, SESSION)
    secrets_are(monkeypatch, f"{OLD},{NEW}")
    assert jwt.get_unverified_header(tokens.issue_access_token(USER, SESSION)) == jwt.get_unverified_header(by_old)
    assert tokens.read_access_token(by_old).user_id == USER
    secrets_are(monkeypatch, f"{NEW},{OLD}")
    by_new = tokens.issue_access_token(USER, SESSION)
    assert jwt.get_unverified_header(by_new) != jwt.get_unverified_header(by_old)
    assert tokens.read_access_token(by_old) == tokens.read_access_token(by_new)
    secrets_are(monkeypatch, NEW)
    assert tokens.read_access_token(by_new).user_id == USER
    with pytest.raises(Unauthenticated):
        tokens.read_access_token(by_old)


def test_keys_of_two_purposes_have_nothing_in_common() -> None:
    assert settings.derived_keys("access token") != settings.derived_keys("cursor")
    assert [len(key) for key in settings.derived_keys("cursor")] == [32]


def test_two_tokens_of_one_session_differ() -> None:
    assert tokens.issue_access_token(USER, SESSION) != tokens.issue_access_token(USER, SESSION)
    assert isinstance(tokens.read_access_token(tokens.issue_access_token(USER, SESSION)).user_id, UUID)


def test_cryptography_computes_the_signatures() -> None:
    assert backends.HMACKey is CryptographyHMACKey
    assert all(isinstance(key, CryptographyHMACKey) for key in tokens._keys().values())
    assert issubclass(CryptographyHMACKey, jwk.Key)
