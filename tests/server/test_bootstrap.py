"""Does ./crm install what is locked, once, and say what is missing, on a machine with nothing but Python?"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
STAND_IN_UV = """#!/bin/sh
echo "$@" >> {folder}/uv-calls
mkdir -p {folder}/.venv/bin
ln -sf {python} {folder}/.venv/bin/python
printf '#!/bin/sh\\necho "crm in $PWD: $*"\\n' > {folder}/.venv/bin/crm
chmod +x {folder}/.venv/bin/crm
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is not installed yet, and in `bin` a uv that only notes how it was called."""
    for name in ("crm", "uv.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(STAND_IN_UV.format(folder=tmp_path, python=sys.executable))
    (tmp_path / "bin" / "uv").chmod(0o755)
    return tmp_path


def crm(project: Path, *arguments: str, path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(project / "crm"), *arguments],
        cwd="/",
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(project: Path) -> list[str]:
    return (project / "uv-calls").read_text().splitlines()


def test_it_installs_once_and_again_when_the_lock_changes(project: Path) -> None:
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    for _ in range(2):
        ran = crm(project, "up", "--port", "9", path=path)
        assert (ran.returncode, ran.stdout) == (0, "crm in /: up --port 9\n")
    assert calls(project) == [f"sync --frozen --quiet --project {project} --compile-bytecode --python {sys.executable}"]
    with (project / "uv.lock").open("a") as lock:
        lock.write("\n")
    crm(project, path=path)
    assert calls(project)[1:] == [f"sync --frozen --quiet --project {project}"]


def test_it_repairs_an_environment_whose_python_is_gone(project: Path) -> None:
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    crm(project, path=path)
    (project / ".venv" / "bin" / "python").unlink()
    (project / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    assert crm(project, path=path).returncode == 0
    assert len(calls(project)) == 2


def test_a_failed_installation_is_not_taken_for_one(project: Path) -> None:
    (project / "bin" / "uv").write_text("#!/bin/sh\nexit 1\n")
    for _ in range(2):
        failed = crm(project, path=f"{project / 'bin'}:{os.environ['PATH']}")
        assert failed.returncode == 1
        assert failed.stderr.endswith("crm: the installation failed, see above\n")


def test_without_uv_and_venv_it_says_what_to_install(project: Path) -> None:
    """Debian's python3 without python3-venv: the module `venv` is there, `ensurepip` is not."""
    (project / "ensurepip.py").write_text("raise ImportError")
    failed = crm(project, path="/nowhere", PYTHONPATH=str(project))
    assert failed.returncode == 1
    assert "Python's venv is missing: apt install python3-venv" in failed.stderr
    assert not (project / ".venv-boot").exists()


def test_an_old_python_is_told_so() -> None:
    ast.parse((PROJECT / "crm").read_text(), feature_version=(3, 7))
    program = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path(sys.argv[1], run_name='__main__')"
    failed = subprocess.run(
        [sys.executable, "-c", program, str(PROJECT / "crm")], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith("crm: Python 3.11 or newer is needed; ")


def test_it_needs_the_standard_library_only() -> None:
    tree = ast.parse((PROJECT / "crm").read_text())
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert names
    assert names <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
