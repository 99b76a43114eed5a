"""Where things may be done, read from the source: queries, commits, tables, errors, and how long a file may be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.base import Base, Internal, Record
from app.db.models import RECORDS
from app.db.models.users import Policy, Profile
from app.domain.entities.catalog import ENTITIES

APP = Path(__file__).parent.parent.parent / "app"
FILES = sorted(APP.rglob("*.py"))
LONGEST = 300
# What may be had of the libraries elsewhere: nothing that begins a query or a write, or reaches past a session.
NAMES = {"AsyncSession", "inspect", "or_"}
# What hands out tables, whose rows nobody has looked at.
TABLES = {"metadata", "table_of"}
# What a session does with an object that access did not give out, and with anything at all behind its back.
PAST_ACCESS = {"get", "add", "delete", "refresh", "connection", "begin", "begin_nested"}
PAST_SESSION = {"get_one", "merge", "add_all", "query", "run_sync"}
BULK = {"bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}
# What brings other rows into a query than those with which access began it.
WIDENING = {"get", "join", "outerjoin", "select_from", "union", "union_all", "from_statement"}
SQL = r"\s*(select\s|insert into\s|delete from\s|update \S+ set\s|with (recursive )?\w+ as\s)"
# Where they may: the database's own layer, access, and the processes that look after it.
FREE = ("db", "policies", "server")


def within(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(APP / folder) for folder in folders)


def past_access(path: Path) -> Iterator[str]:
    """Where a file begins a query, or touches a session's objects, other than by `access`."""
    tree = ast.parse(path.read_text())
    models = {
        each.asname or each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.db")
        for each in node.names
        if each.name[0].isupper()
    } | {"RECORDS", "model"}
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in ("sqlalchemy", "asyncpg"):
                exceptions = module.startswith("asyncpg") or module == "sqlalchemy.exc"
                allowed = {each.name for each in names if each.name[0].isupper()} if exceptions else NAMES
                yield from (f"imports {each.name}" for each in names if each.name not in allowed)
            case ast.ImportFrom(module="app.db.models", names=names):
                yield from (f"imports {each.name}" for each in names if each.name in TABLES)
            case ast.Import(names=names):
                told = [each.name for each in names]
                yield from (f"imports {name}" for name in told if name in ("sqlalchemy", "sqlalchemy.orm", "importlib"))
            case ast.Attribute(value=ast.Name(id="sqlalchemy"), attr=attribute) if attribute != "exc":
                yield f"uses sqlalchemy.{attribute}"
            case ast.Attribute(value=ast.Name(id="asyncpg"), attr=attribute) if attribute[0].islower():
                yield f"uses asyncpg.{attribute}"
            case ast.Attribute(attr="sync_session" | "sync_connection" as attribute):
                yield f"uses {attribute}"
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="__table__"), attr=attribute)):
                yield f"calls __table__.{attribute}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if (
                attribute in PAST_ACCESS and name.endswith("session")
            ):
                yield f"calls {name}.{attribute}"
            case ast.Call(func=ast.Attribute(attr=attribute)) if attribute in PAST_SESSION | BULK:
                yield f"calls {attribute}"
            case ast.Call(func=ast.Attribute(attr=attribute), args=[of, *_]) if attribute in WIDENING and any(
                isinstance(part, ast.Name) and part.id in models for part in ast.walk(of)
            ):
                yield f"calls {attribute} with a model"
            case ast.Constant(value=str(text)) if id(node) not in documentation and is_sql(text):
                yield "writes SQL"
            case ast.JoinedStr(values=parts):
                if is_sql("".join(part.value if isinstance(part, ast.Constant) else "_" for part in parts)):
                    yield "writes SQL"


def is_sql(text: str) -> bool:
    """In small letters or in capitals: a sentence that people read begins with one capital."""
    return bool(re.match(SQL, text) or re.match(SQL, text.swapcase()))


def test_a_query_begins_with_access_or_in_db() -> None:
    found = [f"{path.name} {each}" for path in FILES if not within(path, *FREE) for each in past_access(path)]
    assert found == []


@pytest.mark.parametrize(
    ("written", "noticed"),
    [
        ("from sqlalchemy import select", "imports select"),
        ("from sqlalchemy import select as begin", "imports select"),
        ("from sqlalchemy import text", "imports text"),
        ("from sqlalchemy import literal_column", "imports literal_column"),
        ("from sqlalchemy import *", "imports *"),
        ("from sqlalchemy.future import select", "imports select"),
        ("from sqlalchemy.orm import Query", "imports Query"),
        ("from sqlalchemy.orm import aliased", "imports aliased"),
        ("from sqlalchemy.dialects.postgresql import insert", "imports insert"),
        ("from sqlalchemy.ext.asyncio import create_async_engine", "imports create_async_engine"),
        ("import sqlalchemy", "imports sqlalchemy"),
        ("import sqlalchemy as sa", "imports sqlalchemy"),
        ("import sqlalchemy.orm as orm", "imports sqlalchemy.orm"),
        ("import sqlalchemy.exc\nsqlalchemy.select(Customer)", "uses sqlalchemy.select"),
        ("from asyncpg import connect", "imports connect"),
        ("import asyncpg\nasyncpg.connect(address)", "uses asyncpg.connect"),
        ("import importlib", "imports importlib"),
        ("from app.db.models import table_of", "imports table_of"),
        ("from app.db.models import RECORDS, metadata", "imports metadata"),
        ("Customer.__table__.select()", "calls __table__.select"),
        ("session.get(Customer, id)", "calls session.get"),
        ("session.add(customer)", "calls session.add"),
        ("session.delete(customer)", "calls session.delete"),
        ("session.refresh(customer)", "calls session.refresh"),
        ("session.connection()", "calls session.connection"),
        ("own_session.add(customer)", "calls own_session.add"),
        ("from app.db.models.customers import Customer\nself.db.get(Customer, id)", "calls get with a model"),
        ("s.get(RECORDS[name], id)", "calls get with a model"),
        ("s.get_one(Customer, id)", "calls get_one"),
        ("s.merge(customer)", "calls merge"),
        ("s.add_all([customer])", "calls add_all"),
        ("s.query(Customer)", "calls query"),
        ("s.run_sync(lambda sync: sync)", "calls run_sync"),
        ("session.sync_session.info", "uses sync_session"),
        ("s.bulk_insert_mappings(Customer, rows)", "calls bulk_insert_mappings"),
        (
            "from app.db.models.contacts import Contact\naccess.rows(Customer).join(Contact)",
            "calls join with a model",
        ),
        (
            "from app.db.models.contacts import Contact\naccess.rows(Customer).select_from(Contact.__table__)",
            "calls select_from with a model",
        ),
        ("await connection.fetchrow('select * from customers')", "writes SQL"),
        ("await connection.execute(f'update {table} set owner_id = null')", "writes SQL"),
        ("QUERY = '''\n  with mine as (select 1) select * from mine'''", "writes SQL"),
        ("QUERY = 'DELETE FROM customers'", "writes SQL"),
    ],
)
def test_a_query_that_begins_elsewhere_is_noticed(written: str, noticed: str, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.py"
    path.write_text(written)
    assert noticed in past_access(path)


def test_what_begins_no_query_is_not_noticed(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.py"
    path.write_text(
        'def f():\n    """Select customers from those in reach."""\n'
        "from sqlalchemy.exc import DBAPIError\nfrom app.db.models.customers import Customer\n"
        "access.rows(Customer).where(Customer.id == id)\nnames.get(name)\nseen.add(name)\nnames.update(more)\n"
        "', '.join(names)\ntitle = 'Select a customer'\n"
    )
    assert list(past_access(path)) == []


def test_only_access_gives_out_what_is_written_at_once() -> None:
    """`Held` is to a statement of its own what being enrolled is to a session."""
    found = {
        str(path.relative_to(APP))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and "Held" in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
    }
    assert found == {"policies/access.py"}


def test_no_record_leads_to_another_by_itself() -> None:
    """A relationship would load rows that access did not begin."""
    assert [mapper for mapper in Base.registry.mappers if mapper.relationships] == []


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
