"""Are bad settings refused at start, by name, in one line, and is the secret made once?"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain import openid_provider
from app.domain.entities import profiles
from app.settings import MailServer, allowed_origins, mail_server, secret_keys, settings

KEY = "k" * 32


def started_with(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    command = [sys.executable, "-c", "from app.settings import settings; print(settings().data_dir)"]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The settings are read anew, and name a data directory of this test."""
    for name in ("CRM_DATABASE_URL", "CRM_REDIS_URL", "CRM_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield tmp_path / "data"
    settings.cache_clear()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CRM_PORT": "many"}, "CRM_PORT: input should be a valid integer, unable to parse string as an integer"),
        ({"CRM_PORT": "70000"}, "CRM_PORT: input should be less than or equal to 65535"),
        ({"CRM_REDIS_URL": "localhost"}, "CRM_REDIS_URL: must begin with redis://, rediss:// or unix://"),
        ({"CRM_DATABASE_URL": "mysql://x", "CRM_SECRET_KEY": KEY}, "CRM_DATABASE_URL: must begin with postgresql://"),
        (
            {"CRM_DATABASE_URL": "postgresql://x"},
            "CRM_SECRET_KEY: required with CRM_DATABASE_URL; make one with `openssl rand -hex 32`",
        ),
        ({"CRM_SECRET_KEY": f"{KEY},short"}, "CRM_SECRET_KEY: each key must have 32 bytes or more"),
        ({"CRM_SECRET_KEY": " , "}, "CRM_SECRET_KEY: each key must have 32 bytes or more"),
        (
            {"CRM_SMTP_URL": "mail.acme.example:25", "CRM_MAIL_FROM": "a@b.example"},
            "CRM_SMTP_URL: must be smtp://host or smtps://host, with user:password@ before and :port after it",
        ),
        (
            {"CRM_SMTP_URL": "smtp://ana:a#b@mail.acme.example", "CRM_MAIL_FROM": "a@b.example"},
            "CRM_SMTP_URL: nothing may follow the port; write special characters of a password as %..",
        ),
        (
            {"CRM_SMTP_URL": "smtps://mail.acme.example:99999", "CRM_MAIL_FROM": "a@b.example"},
            "CRM_SMTP_URL: the port must be a number from 1 to 65535",
        ),
        (
            {"CRM_SMTP_URL": "smtp://mail.acme.example"},
            "CRM_MAIL_FROM: required with CRM_SMTP_URL; the address that mail goes out under",
        ),
        (
            {"CRM_MAIL_FROM": "Acme <hello at acme.example>"},
            "CRM_MAIL_FROM: must be an address, such as hello@acme.example or Acme <hello@acme.example>",
        ),
        (
            {"CRM_APP_URL": "crm.acme.example"},
            "CRM_APP_URL: must be an address such as https://crm.acme.example, without ? and #",
        ),
        (
            {"CRM_APP_URL": "https://crm.acme.example/#app"},
            "CRM_APP_URL: must be an address such as https://crm.acme.example, without ? and #",
        ),
        (
            {"CRM_ORIGINS": "https://crm.acme.example, https://b.example/x"},
            "CRM_ORIGINS: must be sites as browsers write them, such as https://crm.acme.example, with commas",
        ),
        (
            {"CRM_OIDC_ISSUER": "https://login.acme.example", "CRM_OIDC_CLIENT_ID": "crm"},
            "CRM_OIDC_CLIENT_SECRET, CRM_OIDC_CALLBACK, CRM_OIDC_PROFILE_CLAIM, CRM_OIDC_PROFILES: required with the"
            " other CRM_OIDC_ settings",
        ),
        (
            {"CRM_OIDC_ISSUER": "http://login.acme.example"},
            "CRM_OIDC_ISSUER: must be https://…, or http://localhost while trying it out, without ? and #",
        ),
        (
            {"CRM_OIDC_CALLBACK": "https://crm.acme.example@evil.example/callback"},
            "CRM_OIDC_CALLBACK: must be https://…, or http://localhost while trying it out, without ? and #",
        ),
        (
            {"CRM_OIDC_PROFILES": "crm-sales=Sales Team"},
            "CRM_OIDC_PROFILES: must be groups and profiles, such as crm-admin=administrator,crm-sales=sales",
        ),
        ({"CRM_DATBASE_URL": "postgresql://x"}, "CRM_DATBASE_URL: no such setting; is it CRM_DATABASE_URL?"),
        (
            {"CRM_PORT": "0", "CRM_REDIS_URL": "x"},
            "CRM_REDIS_URL: must begin with redis://, rediss:// or unix://;"
            " CRM_PORT: input should be greater than or equal to 1",
        ),
    ],
)
def test_bad_settings_are_refused_by_name(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    message: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        settings()
    assert refused.value.code == 2
    assert capsys.readouterr().err == f"crm: {message}\n"


@pytest.mark.parametrize("key", ["sales", "2nd-line", "7", "a_b", "k" * 50, "k" * 51, "-a", "_a", "Sales", "", "a.b"])
def test_every_key_that_a_profile_may_have_is_named_for_a_group_and_no_other(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("CRM_OIDC_PROFILES", f"crm-admin=administrator, second line={key}")
    for name in ("ISSUER", "CALLBACK"):
        monkeypatch.setenv(f"CRM_OIDC_{name}", "https://login.acme.example")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "PROFILE_CLAIM"):
        monkeypatch.setenv(f"CRM_OIDC_{name}", "crm")
    if not re.search(profiles.KEY, key):
        with pytest.raises(SystemExit):
            settings()
        return
    client = openid_provider.client()
    assert client is not None
    assert client.profiles == {"crm-admin": "administrator", "second line": key}


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", ("localhost", 25, False, None, None)),
        ("smtps://ana:a%40b@mail.acme.example", ("mail.acme.example", 465, True, "ana", "a@b")),
        ("smtp://mail.acme.example:587", ("mail.acme.example", 587, False, None, None)),
    ],
)
def test_the_mail_server_is_told_by_one_address(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, url: str, server: tuple[object, ...]
) -> None:
    assert mail_server() is None
    settings.cache_clear()
    monkeypatch.setenv("CRM_SMTP_URL", url)
    monkeypatch.setenv("CRM_MAIL_FROM", "Acme <hello@acme.example>")
    assert mail_server() == MailServer(*server, "Acme <hello@acme.example>")  # type: ignore[arg-type]


def test_pages_of_the_application_and_of_the_named_sites_may_call(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allowed_origins() == frozenset()
    settings.cache_clear()
    monkeypatch.setenv("CRM_APP_URL", "https://CRM.acme.example:8443/app/")
    monkeypatch.setenv("CRM_ORIGINS", "http://localhost:5173, https://b.example")
    assert settings().app_url == "https://CRM.acme.example:8443/app"
    assert allowed_origins() == {"https://crm.acme.example:8443", "http://localhost:5173", "https://b.example"}


def test_a_start_with_bad_settings_ends_without_a_traceback() -> None:
    refused = started_with(CRM_PORT="0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "crm: CRM_PORT: input should be greater than or equal to 1\n"


def test_empty_and_foreign_variables_are_no_settings() -> None:
    started = started_with(CRM_PORT="", CRM_URL="http://localhost", CRM_TEST_DATABASE_URL="postgresql://x")
    assert (started.returncode, started.stderr) == (0, "")


def test_the_data_lie_in_the_project_wherever_one_stands_unless_moved() -> None:
    assert started_with().stdout == f"{Path(__file__).parents[2] / '.data'}\n"
    assert started_with(CRM_DATA_DIR="here").stdout == f"{Path.cwd() / 'here'}\n"


def test_the_secret_is_made_once_by_whoever_is_first(data_dir: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: tuple(secret_keys()), range(32)))
    assert len(set(found)) == 1
    assert len(found[0][0]) == 64
    assert (data_dir / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data_dir.iterdir()] == ["secret"]


def test_several_keys_come_newest_first(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET_KEY", f"new{KEY}, old{KEY}")
    assert secret_keys() == [f"new{KEY}".encode(), f"old{KEY}".encode()]
    assert not data_dir.exists()


def test_a_spoilt_secret_is_refused_by_name(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir.mkdir()
    (data_dir / "secret").write_text("short")
    with pytest.raises(SystemExit) as refused:
        secret_keys()
    assert refused.value.code == 2
    assert capsys.readouterr().err == f"crm: CRM_DATA_DIR: {data_dir}/secret must hold 32 bytes or more\n"
