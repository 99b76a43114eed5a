"""An OpenID provider on loopback, for the tests: it does as it should, or as a test tells it."""

import asyncio
import secrets
import socket
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app import clock

CLIENT, SECRET = "crm of acme", "s+cret/&="
Claims = dict[str, Any]


@dataclass(frozen=True)
class SigningKey:
    """A key pair and what it is called."""

    kid: str
    algorithm: str
    private: Any

    @property
    def pem(self) -> bytes:
        return bytes(self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def public(self, encoding: Encoding = Encoding.PEM) -> bytes:
        return bytes(self.private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))

    def published(self) -> Claims:
        key = jwk.construct(self.public().decode(), self.algorithm)
        return {**key.to_dict(), "kid": self.kid, "alg": self.algorithm, "use": "sig"}


@cache
def signing_key(kid: str, algorithm: str = "RS256", bits: int = 2048) -> SigningKey:
    private: Any = rsa.generate_private_key(65537, bits)
    return SigningKey(kid, algorithm, private if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1()))


def signed(claims: Claims, key: SigningKey, **headers: Any) -> str:
    token: str = jwt.encode(claims, key.pem.decode(), key.algorithm, headers={"kid": key.kid} | headers)
    return token


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class OpenIdProvider:
    """Who signs in there, with which keys, and how it goes wrong if it does."""

    issuer: str
    key: SigningKey = field(default_factory=lambda: signing_key("first"))
    published: list[Claims] = field(default_factory=list)
    # Of whoever signs in next.
    person: Claims = field(default_factory=dict)
    description: Claims = field(default_factory=dict)
    # Makes of the right claims what the token endpoint answers.
    token: Callable[[Claims], Any] | None = None
    refusal: str | None = None
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.published = self.published or [self.key.published()]

    async def describe(self, _: Request) -> Response:
        self.asked["description"] += 1
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "scopes_supported": ["openid", "email", "profile", "groups"],
        }
        return JSONResponse(said | self.description)

    async def keys(self, _: Request) -> Response:
        self.asked["keys"] += 1
        return JSONResponse({"keys": self.published})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        if self.refusal:
            said = {"error": self.refusal, "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(12)
            self.codes[code] = asked
            said = {"code": code, "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(said)}", 303)

    async def exchange(self, request: Request) -> Response:
        self.asked["token"] += 1
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            given = [unquote_plus(part) for part in b64decode(credentials).decode().split(":")]
        else:
            given = [form["client_id"], form["client_secret"]]
        asked = self.codes.pop(form["code"], None)
        if given != [CLIENT, SECRET]:
            return JSONResponse({"error": "invalid_client"}, 401)
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or b64(sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.person
        answer = self.token(claims) if self.token else signed(claims, self.key)
        if isinstance(answer, Response):
            return answer
        return JSONResponse({"access_token": "not used", "token_type": "Bearer", "id_token": answer})


@asynccontextmanager
async def provider_running() -> AsyncIterator[OpenIdProvider]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        provider = OpenIdProvider(f"http://127.0.0.1:{listening.getsockname()[1]}")
        routes = [
            Route("/.well-known/openid-configuration", provider.describe),
            Route("/keys", provider.keys),
            Route("/authorize", provider.authorize),
            Route("/token", provider.exchange, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        yield provider
        server.should_exit = True
        await serving
