"""Do the commands of README and tutorial work as they stand, and print what the documents say?"""

import re
from pathlib import Path

import pytest
import typer

from tests.docs.running import ROOT, blocks, crm_up, run

COMMAND = re.compile(r"\./crm ((?:[a-z]+ ?)*)(--[a-z]+)?")


def test_the_readme_and_then_the_tutorial_do_what_they_say(tmp_path: Path) -> None:
    script = [*blocks("README.md"), *blocks("docs/tutorial.md")]
    with crm_up(tmp_path) as url:
        printed = run(script, url, tmp_path)
    assert len(printed) == len(script) > 15
    for block, output in zip(script, printed, strict=True):
        assert block.prints(output), f"{block.document}:\n{block.commands}\nprinted:\n{output}"


@pytest.mark.parametrize(
    "document", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
)
def test_every_crm_command_that_a_document_names_exists(document: str) -> None:
    from app.cli import commands

    known = _commands(typer.main.get_command(commands))
    for words, option in COMMAND.findall((ROOT / document).read_text()):
        named = tuple(words.split())
        name = next((named[:length] for length in (2, 1) if named[:length] in known), None)
        assert name or option == "--help", f"./crm {words}"
        assert not name or not option or option in known[name], f"./crm {words}{option}"


def _commands(command: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """The options of every command, by the words that it is called with."""
    found = {path: {"--help", *(each for option in getattr(command, "params", ()) for each in option.opts)}}
    for name, inner in getattr(command, "commands", {}).items():
        found |= _commands(inner, (*path, name))
    return found
