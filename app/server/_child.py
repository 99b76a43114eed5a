"""How does a child begin? Becomes another program that dies with its parent, under another account where asked.

Run as `python -I -S _child.py ACCOUNT DEATH_SIGNAL PARENT_PID COMMAND…`; imports nothing of ours and is replaced by the
command. ACCOUNT is `same`, `namespace` (nobody inside a user namespace, still the caller outside: PostgreSQL refuses
root, and this needs no account, no chown and no open parent folder) or `UID:GID`.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
NOBODY = 65534


def enter_namespace(libc: ctypes.CDLL) -> None:
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are refused here")
    maps = {"uid_map": f"{NOBODY} {uid} 1", "setgroups": "deny", "gid_map": f"{NOBODY} {gid} 1"}
    for name, content in maps.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def become(account: str) -> None:
    uid, gid = map(int, account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main() -> None:
    account, death_signal, parent, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if account == "namespace":
        enter_namespace(libc)
    elif account != "same":
        become(account)
    if sys.platform == "linux":
        # After the change of account, which clears it. The parent may have died before: then nothing would come.
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            os.kill(os.getpid(), signal.SIGKILL)
    os.umask(0o077)
    # Python ignores SIGPIPE and SIGXFSZ, and ignored signals pass through exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
