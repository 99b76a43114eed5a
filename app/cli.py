"""Which commands does the project have? `crm --help` is the list; what they need is imported when they run."""

import os
import secrets
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from app.server.processes import CannotStart
from app.settings import PROJECT, settings

commands = typer.Typer(
    help="Clientela, a headless CRM.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
users = typer.Typer(help="The people who sign in.", no_args_is_help=True)
commands.add_typer(users, name="user")
profiles = typer.Typer(help="What people may do.", no_args_is_help=True)
commands.add_typer(profiles, name="profile")

Host = Annotated[str | None, typer.Option(help="Address to listen on; CRM_HOST, 127.0.0.1 if not given.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; CRM_PORT, 8000 if not given.", min=1, max=65535)]
Password = Annotated[
    str | None, typer.Option(envvar="CRM_PASSWORD", help="Others can see it here; better in the environment.")
]
OPENAPI = PROJECT / "openapi" / "openapi.json"


def main() -> None:
    """Run the command that the arguments name; what it cannot do is said in one line, with status 1."""
    try:
        settings()
        commands()
    except CannotStart as error:
        print(f"crm: {error}", file=sys.stderr)
        raise SystemExit(1) from None


@commands.command()
def up(
    host: Host = None,
    port: Port = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="With a company's made-up data, the first time, and with its mail caught.")
    ] = False,
) -> None:
    """Start everything: PostgreSQL, Valkey, the worker and the API. Ctrl-C stops it."""
    from app.server import supervisor

    raise typer.Exit(supervisor.up(host or settings().host, port or settings().port, demo=demo))


@commands.command()
def mail(
    number: Annotated[int | None, typer.Argument(help="Which one to show; 1 is the newest.", min=1)] = None,
) -> None:
    """The mail that `crm up --demo` caught, the newest first; with a number, that one."""
    from app.server import mailbox

    kept = mailbox.newest(mailbox.mail_folder(settings().data_dir))
    if number is None:
        print("\n".join(f"{at:3}  {mailbox.line(path)}" for at, path in enumerate(kept, 1)) or "No mail yet.")
    elif number > len(kept):
        raise CannotStart(f"there is no mail {number}: of {len(kept)} the newest is 1")
    else:
        print(mailbox.text(kept[number - 1]))


@commands.command()
def api(host: Host = None, port: Port = None) -> None:
    """Serve the API alone, beside a running `crm up` or on your own servers."""
    from app.server.reaching import reached_servers
    from app.server.serving import serve

    with reached_servers():
        serve(host or settings().host, port or settings().port)


@commands.command()
def worker() -> None:
    """Run one more worker, beside a running `crm up` or on your own servers."""
    from app.server.reaching import reached_servers

    with reached_servers():
        os.execv(sys.executable, [sys.executable, "-m", "app.jobs.worker"])


@commands.command()
def migrate() -> None:
    """Bring the database to the newest migration, and plant the seeds that are missing."""
    from app.server import migrating
    from app.server.reaching import reached_database

    with reached_database():
        migrating.migrate()


@commands.command()
def backup(
    file: Annotated[
        str | None, typer.Argument(help="Where to; - is the standard output. A name with the time if not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write all that the database holds into one file, while everything runs or while it does not."""
    from app.server import backups

    print(backups.backup(file, replace=force), file=sys.stderr if file == backups.STREAM else sys.stdout)


@commands.command()
def restore(file: Annotated[str, typer.Argument(help="A file of `crm backup`; - is the standard input.")]) -> None:
    """Bring a backup into an empty database, and that to the newest migration."""
    from app.server import backups

    print(backups.restore(file))


@commands.command()
def migration(
    text: Annotated[str, typer.Argument(help="What it does, in a few words.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only compare the tables of the code with them.")] = False,
) -> None:
    """Write the migration that leads from the newest one to the tables of the code."""
    from app.server.checking import alembic_on_empty_database, has_single_head

    if not text and not check:
        raise typer.BadParameter("say in a few words what it does")
    if not has_single_head():
        raise CannotStart("the migrations have more than one head: rebase the newer one")
    raise typer.Exit(alembic_on_empty_database(*(["check"] if check else ["revision", "--autogenerate", "-m", text])))


@commands.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Only compare the file with the code.")] = False,
) -> None:
    """Write openapi/openapi.json from the code."""
    import json

    from app.main import app

    text = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if not check:
        OPENAPI.parent.mkdir(exist_ok=True)
        OPENAPI.write_text(text)
    elif not OPENAPI.exists() or OPENAPI.read_text() != text:
        raise CannotStart(f"{OPENAPI.relative_to(PROJECT)} is not what the code says: run ./crm openapi")


@commands.command()
def check() -> None:
    """Everything that must hold before a change lands; the same runs in CI."""
    from app.server.checking import check_all

    raise typer.Exit(min(check_all(), 1))


@commands.command(
    "test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
)
def run_tests(
    arguments: typer.Context,
    long: Annotated[
        bool, typer.Option("--long", help="Those that take longer, which `crm check` runs as well.")
    ] = False,
) -> None:
    """The tests, in less than five minutes; further arguments, such as files, go to pytest."""
    from app.server.checking import LONG, PYTEST, SUITE

    os.chdir(PROJECT)
    os.execv(sys.executable, [*PYTEST, *(LONG if long else () if arguments.args else SUITE), *arguments.args])


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def bench(arguments: typer.Context) -> None:
    """How near the API is to the floor; `--help` names the arguments."""
    os.chdir(PROJECT)
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks.run", *arguments.args])


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def fuzz(arguments: typer.Context) -> None:
    """Generated requests as each profile, and whether they tell what is hidden, for an hour; arguments go to pytest."""
    from app.server.checking import NIGHTLY

    os.chdir(PROJECT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *NIGHTLY, *arguments.args])


@users.command()
def create(
    username: Annotated[str, typer.Option(prompt="Username", help="What the person signs in with.")],
    name: Annotated[str, typer.Option(prompt="Name")],
    profile: Annotated[
        str, typer.Option(help="administrator, manager, sales, marketing or support.")
    ] = "administrator",
    email: Annotated[str | None, typer.Option()] = None,
    password: Password = None,
) -> None:
    """Make a user. Without a password one is asked for; an empty answer, or no terminal, makes one and prints it."""
    from app.domain.users import create_from_command_line

    with _password_for(username, password) as chosen:
        _in_database(lambda: create_from_command_line(username, name, profile, email, chosen))


@users.command("password")
def change_password(
    username: Annotated[str, typer.Option(prompt="Username", help="What the person signs in with.")],
    password: Password = None,
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="Take their second factor away: it was lost.")
    ] = False,
) -> None:
    """Give a user a new password, and end their sessions. The password as in `create`."""
    from app.domain.users import set_password_from_command_line

    with _password_for(username, password) as chosen:
        _in_database(lambda: set_password_from_command_line(username, chosen, without_second_factor))


@profiles.callback()
def _profiles() -> None:
    """What people may do."""


@profiles.command()
def reset(
    profile: Annotated[str, typer.Argument(help="administrator, manager, sales, marketing or support.")],
) -> None:
    """Give a profile the policies it was shipped with: the way back when nobody may do it over the API any more."""
    from app.domain.profiles import reset_from_command_line

    _in_database(lambda: reset_from_command_line(profile))
    print(f"{profile} may do again what it was shipped with.")


def _in_database(use_case: Callable[[], Coroutine[Any, Any, object]]) -> None:
    import asyncio

    from sqlalchemy.exc import IntegrityError

    from app.errors import AppError
    from app.server.reaching import reached_database

    with reached_database():
        try:
            asyncio.run(use_case())
        except AppError as error:
            problems = [f"{field.pointer.lstrip('/')}: {field.message}" for field in error.errors]
            raise CannotStart("; ".join(problems) or error.detail) from None
        except IntegrityError as error:
            if "users_username_key" not in str(error.orig):
                raise
            raise CannotStart("username: another user has it") from None


@contextmanager
def _password_for(username: str, given: str | None) -> Iterator[str]:
    """The password given, asked for or made. One that was made is printed when the user has it, and nowhere kept."""
    asked = given
    if not asked and sys.stdin.isatty():
        text = "Password (empty: one is made)"
        asked = typer.prompt(text, default="", show_default=False, hide_input=True, confirmation_prompt=True)
    yield (chosen := asked or secrets.token_urlsafe(12))
    print(f"{username} can sign in." if asked else f"{username} can sign in. The password, shown only now: {chosen}")


if __name__ == "__main__":
    main()
