"""As whom do the embedded servers run? PostgreSQL refuses root: then in a user namespace, or as another account."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

from app.server.processes import CannotStart, shim


def account_for(data_dir: Path, program: Path) -> str:
    """`same`, `namespace` or `UID:GID`: how to run `program` on what is below `data_dir`, which may not exist yet.

    Data of another account go on under that account. CannotStart names what to change when no way is open.
    """
    if os.geteuid() != 0:
        return "same"
    for folder in (data_dir / "pg18", data_dir / "valkey"):
        if folder.exists() and (owner := folder.stat()).st_uid != 0:
            return _reachable(f"{owner.st_uid}:{owner.st_gid}", data_dir, program)
    if sys.platform == "linux" and namespaces_work(program):
        return "namespace"
    return _reachable(_unprivileged_account(), data_dir, program)


def give(path: Path, account: str) -> None:
    """Make `path`, and all below it, belong to `account`."""
    if ":" not in account:
        return
    uid, gid = map(int, account.split(":"))
    os.chown(path, uid, gid)
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            os.chown(Path(folder) / name, uid, gid, follow_symlinks=False)


def namespaces_work(program: Path) -> bool:
    """Whether a user namespace can be made; containers often refuse it."""
    tried = subprocess.run(shim("namespace", [str(program), "--version"]), capture_output=True, check=False)
    return tried.returncode == 0


def _unprivileged_account() -> str:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return f"{entry.pw_uid}:{entry.pw_gid}"
    raise CannotStart("PostgreSQL refuses to run as root, and there is no account postgres or nobody to run it as")


def _reachable(account: str, data_dir: Path, program: Path) -> str:
    uid = int(account.partition(":")[0])
    for path, remedy in (
        (data_dir, "set CRM_DATA_DIR to a folder such as /var/lib/clientela"),
        (program, "move the project to a folder such as /opt"),
    ):
        for folder in path.parents:
            if folder.exists() and (found := folder.stat()).st_uid != uid and not found.st_mode & 0o001:
                raise CannotStart(
                    f"PostgreSQL refuses to run as root, and account {uid} may not enter {folder}:"
                    f" {remedy}, or run this as another user"
                )
    return account
