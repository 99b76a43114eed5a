"""Where things may be done, read from the source: queries, commits, tables, errors, and how long a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

from app.db.base import Base, Internal, Record
from app.db.models import RECORDS
from app.db.models.users import Policy, Profile
from app.domain.entities.catalog import ENTITIES

APP = Path(__file__).parent.parent.parent / "app"
FILES = sorted(APP.rglob("*.py"))
LONGEST = 300
# What begins a query or a write, and what a session does with an object that access did not give out.
BEGINNINGS = {"select", "text", "insert", "update", "delete", "union", "union_all", "table", "exists"}
PAST_ACCESS = {"get", "get_one", "merge", "add", "add_all", "delete", "query", "connection", "refresh"}
# Where they may: the database's own layer, access, and the processes that look after it.
FREE = ("db", "policies", "server")


def within(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(APP / folder) for folder in folders)


def past_access(path: Path) -> Iterator[str]:
    """Where a file begins a query, or touches a session's objects, other than by `access`."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in ("sqlalchemy", "asyncpg"):
                yield from (f"{path.name} imports {each.name}" for each in names if each.name in BEGINNINGS)
            case ast.Import(names=names):
                yield from (f"{path.name} imports {each.name}" for each in names if each.name == "sqlalchemy")
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="__table__"), attr=attribute)):
                yield f"{path.name} calls __table__.{attribute}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="session"), attr=attribute)) if attribute in PAST_ACCESS:
                yield f"{path.name} calls session.{attribute}"


def test_a_query_begins_with_access_or_in_db() -> None:
    assert [each for path in FILES if not within(path, *FREE) for each in past_access(path)] == []


def test_a_query_that_begins_elsewhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.py"
    path.write_text("from sqlalchemy import select, text\nimport sqlalchemy\nsession.get(M, 1)\nM.__table__.select()\n")
    assert [each.rpartition(" ")[2] for each in past_access(path)] == [
        "select", "text", "sqlalchemy", "session.get", "__table__.select",
    ]  # fmt: skip


def test_only_the_session_module_commits() -> None:
    found = [
        path.relative_to(APP)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert [str(path) for path in found if path != Path("db/session.py") and not within(APP / path, "server")] == []


def test_errors_say_what_they_mean_and_not_which_status_they_have() -> None:
    found = [
        path.relative_to(APP)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise)
        and any(isinstance(part, ast.Name) and part.id == "HTTPException" for part in ast.walk(node))
    ]
    assert found == []


def test_a_file_is_short_and_begins_with_what_it_is_about() -> None:
    sources = {path.relative_to(APP): path.read_text() for path in FILES}
    assert {str(path): n for path, source in sources.items() if (n := source.count("\n")) >= LONGEST} == {}
    assert [str(path) for path, source in sources.items() if source and not ast.get_docstring(ast.parse(source))] == []


def test_every_table_is_a_kind_of_record_or_internal() -> None:
    """A class between the two would be written by anybody and read by everybody."""
    mapped = {mapper.class_ for mapper in Base.registry.mappers}
    assert {each for each in mapped if not issubclass(each, Record | Internal)} == {Profile, Policy}
    assert {each.__tablename__ for each in mapped if issubclass(each, Record)} == set(RECORDS) == set(ENTITIES)
