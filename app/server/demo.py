"""What does `crm up --demo` do beside the rest? Plants the demo once, and says who signs in to it with what."""

import asyncio
import os
import secrets
import sys
from pathlib import Path

from app.demo.accounts import DOMAIN, PRINTED
from app.server.processes import CannotStart
from app.server.services import say
from app.settings import settings

SENDER = f"Clientela <crm@{DOMAIN}>"


def demo_password(data_dir: Path) -> str:
    """With what everybody signs in to the demo: CRM_DEMO_PASSWORD, or what was made at its first start and is kept."""
    if given := settings().demo_password:
        return given.get_secret_value()
    path = data_dir / "demo-password"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or not path.read_text().strip():
            beside = path.with_name("demo-password.new")
            with open(beside, "w", opener=_for_its_owner) as file:
                file.write(secrets.token_urlsafe(12))
            beside.replace(path)
        return path.read_text().strip()
    except OSError as error:
        raise CannotStart(f"CRM_DATA_DIR: {error}") from None


def tell_logins(password: str, *, caught: bool) -> None:
    """Say who may sign in. caught: whether the mail that goes out is kept here."""
    say(f"The demo's users, all with the password {password}")
    for name in PRINTED:
        say(f"  {name}@{DOMAIN}")
    say("Mail is caught, and nobody gets it; read it with ./crm mail" if caught else "Mail goes out by CRM_SMTP_URL.")


def main() -> int:
    """Plant the demo in the database that the environment names. The exit status."""
    from app.db import session
    from app.demo import planting
    from app.errors import Invalid

    given = settings().demo_password
    assert given is not None

    async def plant() -> None:
        try:
            await planting.plant(given.get_secret_value())
        finally:
            await session.close()

    try:
        asyncio.run(plant())
    except planting.NotEmpty:
        problem = "the database has other data: the demo goes into an empty one; set CRM_DATA_DIR to a new folder"
    except Invalid as error:
        problem = f"CRM_DEMO_PASSWORD: {error.errors[0].message if error.errors else error.detail}"
    else:
        return 0
    print(f"crm: {problem}", file=sys.stderr)
    return 1


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    sys.exit(main())
