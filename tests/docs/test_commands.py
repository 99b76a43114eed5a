"""Do the commands of README and tutorial work as they stand, and print what the documents say?"""

import re
from pathlib import Path

import pytest
import typer

from tests.docs.running import ROOT, blocks, crm_up, run

ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE)\s(/[a-z][\w/{}.-]*)")
COMMAND = re.compile(r"\./crm ((?:[a-z]+ ?)*)(--[a-z-]+)?")
# What the README says that the demo prints when it has started.
PRINTED = re.compile(r"^```\n(Clientela answers.*?\n)```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]


def test_the_readme_and_then_the_tutorial_do_what_they_say(tmp_path: Path) -> None:
    with crm_up(tmp_path, "--demo") as url:
        do_what_they_say(["README.md", "docs/tutorial.md"], url, tmp_path)
        told = (tmp_path / "log").read_text()
    [promised] = PRINTED.findall((ROOT / "README.md").read_text())
    password = (tmp_path / "data" / "demo-password").read_text()
    assert told == promised.replace("http://127.0.0.1:8000", url).replace("…", password)


def test_the_tutorial_on_a_companys_files_does_what_it_says(tmp_path: Path) -> None:
    with crm_up(tmp_path) as url:
        do_what_they_say(["docs/tutorial-real-input.md"], url, tmp_path)


def do_what_they_say(documents: list[str], url: str, folder: Path) -> None:
    script = [block for document in documents for block in blocks(document)]
    printed = run(script, url, folder)
    assert len(printed) == len(script) > 15
    for block, output in zip(script, printed, strict=True):
        assert block.prints(output), f"{block.document}:\n{block.commands}\nprinted:\n{output}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_crm_command_that_a_document_names_exists(document: str) -> None:
    from app.cli import commands

    known = _commands(typer.main.get_command(commands))
    for words, option in COMMAND.findall((ROOT / document).read_text()):
        named = tuple(words.split())
        name = next((named[:length] for length in (2, 1) if named[:length] in known), None)
        assert name or option == "--help", f"./crm {words}"
        assert not name or not option or option in known[name], f"./crm {words}{option}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_route_that_a_document_names_exists(document: str) -> None:
    from app.main import app

    known = {
        (method.upper(), re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    for method, path in ROUTE.findall((ROOT / document).read_text()):
        found = any(method == its and pattern.fullmatch(path.rstrip(".")) for its, pattern in known)
        assert found, f"{method} {path}"


def _commands(command: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """The options of every command, by the words that it is called with."""
    found = {path: {"--help", *(each for option in getattr(command, "params", ()) for each in option.opts)}}
    for name, inner in getattr(command, "commands", {}).items():
        found |= _commands(inner, (*path, name))
    return found
