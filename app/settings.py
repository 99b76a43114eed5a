"""The only reader of the environment: every setting of the process, checked at start and refused by name."""

import hmac
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).parents[1]
SHORTEST_KEY = 32


class Settings(BaseSettings):
    """Settings from the environment, each `CRM_` and its name in capitals (`CRM_DATABASE_URL`)."""

    model_config = SettingsConfigDict(env_prefix="CRM_", env_ignore_empty=True)

    data_dir: Path = Field(PROJECT / ".data", description="Where the embedded servers and the secret keep their files.")
    database_url: str | None = Field(None, description="postgresql://… of your own PostgreSQL 15 to 18.")
    redis_url: str | None = Field(None, description="redis://, rediss:// or unix:// of your own Valkey or Redis.")
    secret_key: SecretStr | None = Field(
        None,
        description="32 bytes or more, needed with CRM_DATABASE_URL; to rotate, several with commas, newest first.",
    )
    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port that the API listens on.")

    app_url: str | None = Field(
        None,
        description="https://… of the application that people use in their browsers; links in mails lead there.",
    )
    origins: str | None = Field(
        None,
        description="Sites whose pages may call the API, https://…, with commas; that of CRM_APP_URL may anyway.",
    )

    smtp_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:587 or smtps://…: by which server mail goes out. Without it none does.",
    )
    mail_from: str | None = Field(
        None, description="Under which address mail goes out, needed with CRM_SMTP_URL: Acme <hello@acme.example>."
    )

    oidc_issuer: str | None = Field(
        None, description="https://… of an OpenID provider that people may sign in with; all of CRM_OIDC_… or none."
    )
    oidc_client_id: str | None = Field(None, description="As what the provider knows us.")
    oidc_client_secret: SecretStr | None = Field(None, description="By what the provider knows that it is us.")
    oidc_callback: str | None = Field(
        None, description="https://…/v1/auth/openid/callback of this API, as the provider knows it."
    )
    oidc_profile_claim: str | None = Field(None, description="What of the ID token says the groups, such as groups.")
    oidc_profiles: str | None = Field(
        None, description="Whose profile is which, the first that fits: crm-admin=administrator,crm-sales=sales."
    )

    demo_password: SecretStr | None = Field(
        None, description="With what everybody signs in to the demo of `crm up --demo`. Left out: one is made and told."
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value and not value.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value and _too_short(value.get_secret_value()):
            raise ValueError(f"each key must have {SHORTEST_KEY} bytes or more")
        return value

    @field_validator("app_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("must be an address such as https://crm.acme.example, without ? and #")
        return value.rstrip("/") if value else value

    @field_validator("origins")
    @classmethod
    def _sites(cls, value: str | None) -> str | None:
        if value and not all(re.fullmatch(r"https?://[^\s/?#@A-Z]+", each.strip()) for each in value.split(",")):
            raise ValueError("must be sites as browsers write them, such as https://crm.acme.example, with commas")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
                raise ValueError("must be smtp://host or smtps://host, with user:password@ before and :port after it")
            if parts.path.strip("/") or parts.query or parts.fragment:
                raise ValueError("nothing may follow the port; write special characters of a password as %..")
            if _port_of(parts) is None:
                raise ValueError("the port must be a number from 1 to 65535")
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value and not (value.isprintable() and re.fullmatch(r"[^\s@<>,]+@[^\s@<>,]+", parseaddr(value)[1])):
            raise ValueError("must be an address, such as hello@acme.example or Acme <hello@acme.example>")
        return value

    @field_validator("oidc_issuer", "oidc_callback")
    @classmethod
    def _by_tls(cls, value: str | None) -> str | None:
        site = r"(https://[^\s/?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)"
        if value and not re.fullmatch(rf"{site}(/[^\s?#]*)?", value):
            raise ValueError("must be https://…, or http://localhost while trying it out, without ? and #")
        return value

    @field_validator("oidc_profiles")
    @classmethod
    def _groups(cls, value: str | None) -> str | None:
        # Profiles as `KEY` of entities/profiles.py has them.
        pair = r"\s*[^=,\s][^=,]*=[a-z0-9][a-z0-9_-]{0,49}\s*"
        if value and not re.fullmatch(f"{pair}(,{pair})*", value):
            raise ValueError("must be groups and profiles, such as crm-admin=administrator,crm-sales=sales")
        return value

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        named = [name for name in type(self).model_fields if name.startswith("oidc_")]
        missing = [f"CRM_{name.upper()}" for name in named if not getattr(self, name)]
        if 0 < len(missing) < len(named):
            raise ValueError(f"{', '.join(missing)}: required with the other CRM_OIDC_ settings")
        return self

    @model_validator(mode="after")
    def _address_with_server(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("CRM_MAIL_FROM: required with CRM_SMTP_URL; the address that mail goes out under")
        return self

    @model_validator(mode="after")
    def _own_key_with_own_database(self) -> Self:
        if self.database_url and not self.secret_key:
            raise ValueError("CRM_SECRET_KEY: required with CRM_DATABASE_URL; make one with `openssl rand -hex 32`")
        return self


@cache
def settings() -> Settings:
    """The settings of this process, read once. Bad ones end it with status 2 and one line that names them."""
    try:
        found = Settings()
    except ValidationError as error:
        problems = [_problem(str(part["loc"][0]) if part["loc"] else "", part["msg"]) for part in error.errors()]
    else:
        problems = _misspelt(os.environ)
        if not problems:
            return found
    print(f"crm: {'; '.join(problems)}", file=sys.stderr)
    raise SystemExit(2)


@dataclass(frozen=True, slots=True)
class MailServer:
    """tls: from the first byte; else it is asked for where the server offers it, and insisted on before a password."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    sender: str


def mail_server() -> MailServer | None:
    """The server that takes our mail, if there is one."""
    found = settings()
    if found.smtp_url is None or found.mail_from is None:
        return None
    parts = urlsplit(found.smtp_url.get_secret_value())
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return MailServer(
        parts.hostname or "", _port_of(parts) or 0, parts.scheme == "smtps", user, password, found.mail_from
    )


def _port_of(parts: SplitResult) -> int | None:
    try:
        return parts.port if parts.port is not None else {"smtp": 25, "smtps": 465}[parts.scheme]
    except ValueError:
        return None


def allowed_origins() -> frozenset[str]:
    """The sites whose pages may call the API as their users, as browsers write them in `Origin`."""
    found = settings()
    sites = {each.strip() for each in (found.origins or "").split(",") if each.strip()}
    if found.app_url:
        parts = urlsplit(found.app_url)
        sites.add(f"{parts.scheme}://{parts.netloc.lower()}")
    return frozenset(sites)


def environment_without_settings() -> dict[str, str]:
    """What a child process gets that must know neither the database nor the secret."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}


def secret_keys() -> list[bytes]:
    """The keys that tokens, cursors and form stamps are derived from, newest first: sign with the first, accept all.

    From `CRM_SECRET_KEY`, else from the file `secret` below `CRM_DATA_DIR`, made at its first use.
    """
    given = settings().secret_key
    return _split(given.get_secret_value()) if given else _split(_secret_of(settings().data_dir))


@cache
def derived_keys(purpose: str) -> list[bytes]:
    """Keys of 32 bytes for one purpose ("access token"), one of each secret key and in their order.

    Whoever learns one of them has neither the secret nor the key of another purpose.
    """
    return [hmac.digest(key, f"clientela {purpose}".encode(), "sha256") for key in secret_keys()]


def _secret_of(data_dir: Path) -> str:
    path = data_dir / "secret"
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=data_dir)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SHORTEST_KEY))
        try:
            # Of several processes at once, one makes the secret of all, and none reads half of it.
            os.link(unfinished, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(unfinished)
    secret = path.read_text()
    if _too_short(secret):
        print(f"crm: CRM_DATA_DIR: {path} must hold {SHORTEST_KEY} bytes or more", file=sys.stderr)
        raise SystemExit(2)
    return secret


def _too_short(secret: str) -> bool:
    return min(map(len, _split(secret)), default=0) < SHORTEST_KEY


def _split(keys: str) -> list[bytes]:
    return [key.strip().encode() for key in keys.split(",") if key.strip()]


def _problem(name: str, message: str) -> str:
    """What is wrong, without the value, which may be a secret."""
    message = message.removeprefix("Value error, ")
    return f"CRM_{name.upper()}: {message[0].lower()}{message[1:]}" if name else message


def _misspelt(names: Iterable[str]) -> list[str]:
    """A setting that is nearly one of ours would be ignored in silence, and another database written to."""
    known = [f"CRM_{name.upper()}" for name in Settings.model_fields]
    return [
        f"{name}: no such setting; is it {nearest[0]}?"
        for name in names
        if name.startswith("CRM_") and name not in known and (nearest := get_close_matches(name, known, 1, 0.9))
    ]
