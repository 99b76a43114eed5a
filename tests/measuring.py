"""Which lines and branches of the product do the tests run? `python -m tests.measuring` runs pytest and says.

The product's code is made to note itself what it comes by. To be told of each line, as coverage.py is, makes all else
slower too, the libraries and the tests: it took as long as the tests themselves. What a test starts as a process of
its own does not count.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from slipcover import FileMatcher, ImportManager, Slipcover

FOLDER = "TESTS_MEASURED_IN"
LEAST = 90
SOURCE = ["app"]
# Runs without site-packages.
OMITTED = ["app/server/_child.py"]


class Measured:
    """What this process measures with."""

    slipcover: Slipcover | None = None


def begin() -> None:
    """Measure what a worker of pytest imports from here on."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        Measured.slipcover = Slipcover(branch=True, source=SOURCE, omit=OMITTED, d_miss_threshold=sys.maxsize)
        ImportManager(Measured.slipcover, FileMatcher(SOURCE, OMITTED)).__enter__()


def pytest_sessionfinish() -> None:
    if Measured.slipcover is not None:
        told = Path(os.environ[FOLDER], os.environ["PYTEST_XDIST_WORKER"]).with_suffix(".json")
        told.write_text(json.dumps(Measured.slipcover.get_coverage()))


def main(arguments: list[str]) -> int:
    """Run pytest in workers, then print what they measured. The exit status: not 0 either if that is too little."""
    with TemporaryDirectory(prefix="crm-") as folder:
        command = [sys.executable, "-m", "pytest", *arguments]
        failed = subprocess.run(command, env=os.environ | {FOLDER: folder}, check=False).returncode
        parts = sorted(map(str, Path(folder).glob("*.json")))
        command = [sys.executable, "-m", "slipcover", "--branch", "--skip-covered", "--fail-under", str(LEAST)]
        report = [*command, "--out", str(Path(folder, "all")), "--merge", *parts]
        return failed or subprocess.run(report, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
