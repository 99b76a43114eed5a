"""Where do the tools come from that generate, check and run clients? Environments made from lock files, kept between
runs outside the tree: nothing of the machine's is used but uv."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PINS = ("pyproject.toml", "uv.lock", "package.json", "package-lock.json")


def made(language: str) -> Path:
    """The environment of the clients in a language: `.venv`, and `node_modules` where npm packages are locked."""
    pins = [path for name in PINS if (path := FOLDER / language / name).exists()]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in pins)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clientela"
    place = cache / f"{language}-{digest}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            for path in pins:
                shutil.copy(path, place)
            run(place, [uv(), "sync", "--frozen", "--quiet", "--project", str(place)])
            if (place / "package.json").exists():
                run(place, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], place)
            (place / "complete").touch()
    return place


def uv() -> str:
    """uv as `./crm` finds it: the machine's, or the one that it installed."""
    found = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv-boot" / "bin"))
    assert found, "the tests of the clients need uv: pip install uv"
    return found


def run(environment: Path, command: list[str], folder: Path | None = None, **variables: str) -> str:
    """Run a command with the environment's programs first, in a folder. What it printed; AssertionError if it fails."""
    programs = f"{environment}/.venv/bin:{environment}/node_modules/.bin"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "COV", "UV_PROJECT"))}
    kept.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        command,
        cwd=folder or environment,
        env={**kept, **variables, "PATH": f"{programs}:{kept['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
