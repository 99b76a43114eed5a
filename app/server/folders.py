"""Where do the embedded servers keep their files and sockets, and where do their programs lie?"""

import hashlib
import os
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from app.server.accounts import give
from app.server.processes import CannotStart

# A socket's path has at most 108 bytes on Linux and 104 on macOS; the longest name of ours in the folder has 15.
LONGEST_SOCKET_FOLDER = 85


def socket_folder(data_dir: Path) -> Path:
    """`run` below the data; when that is too long for a socket, or would not stand in a URL as it is (arq does not
    decode one), a folder of its own below the system's temporary one."""
    folder = str(data_dir.absolute() / "run")
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER and quote(folder) == folder:
        return Path(folder)
    return Path(tempfile.gettempdir()) / f"crm-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"


def make_data_folder(data_dir: Path, account: str) -> None:
    """Make it for its owner alone; another account that the servers run as may pass through."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if ":" in account:
            data_dir.chmod(0o711)
    except OSError as error:
        raise CannotStart(f"CRM_DATA_DIR: {error}") from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise CannotStart(f"CRM_DATA_DIR: this user may not write in {data_dir}")


def make_socket_folder(data_dir: Path, account: str) -> Path:
    """Make the folder of the sockets, which only its owner may enter; CannotStart when somebody else's is there."""
    folder = socket_folder(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    owners = {os.geteuid(), *([int(account.partition(":")[0])] if ":" in account else [])}
    if folder.is_symlink() or found.st_uid not in owners or found.st_mode & 0o077:
        raise CannotStart(f"{folder} belongs to somebody else or is open to others: remove it")
    give(folder, account)
    return folder


def remove_temporary_socket_folder(data_dir: Path) -> None:
    """Leave nothing in the system's temporary folder; the other server's socket may still be there."""
    if (folder := socket_folder(data_dir)) != data_dir / "run":
        with suppress(OSError):
            folder.rmdir()


def programs_of(package: str, folder: str) -> Path:
    """The folder of a wheel's programs. Importing the package would run its own, unsafe supervision."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(f"{package} is not installed: set CRM_DATABASE_URL and CRM_REDIS_URL")
    return Path(found.submodule_search_locations[0]) / folder
