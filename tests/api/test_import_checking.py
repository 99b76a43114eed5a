"""The process that checks files: what it may take, and what is left of it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain import checking_process
from app.jobs.imports import given_up
from tests.api.records import problems
from tests.conftest import Client
from tests.jobs.effects import until
from tests.loading import errors_of, everything, loaded, send, total, work

CUSTOMERS = {"columns": {"name": "name"}}
LIMITED = """#!{python}
import socket, sys
from app.domain import checking
checking.{limit} = {most}
checking.serve(socket.socket(fileno=int(sys.argv[3])))
"""


def children_of(number: int) -> list[str]:
    return Path(f"/proc/{number}/task/{number}/children").read_text().split()


async def checking_for(number: int) -> list[str]:
    """The processes that check a file for this one, once there are any."""
    checking: list[str] = []

    async def are_there() -> bool:
        checking[:] = children_of(number)
        return bool(checking)

    await until(are_there)
    return checking


def is_running(number: str) -> bool:
    """Whether a process is at work: what has ended may wait for long to be noticed by whoever has to."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("limit", "most"), [("MOST_MEMORY", 1 << 20), ("MOST_SECONDS", 0)])
async def test_a_file_that_takes_too_much_fails_and_the_next_is_loaded(
    administrator: Client, tmp_path: Path, limit: str, most: int
) -> None:
    program = tmp_path / "python"
    program.write_text(LIMITED.format(python=sys.executable, limit=limit, most=most))
    program.chmod(0o755)
    file = "name\n" + "".join(f"Customer {number}\n" for number in range(2_000))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checking_process.sys, "executable", str(program))
        patched.setattr(checking_process.Ready, "checker", None)
        patched.setattr(checking_process.Ready, "seconds", 0.0)
        sent = await send(administrator, "customers", file, CUSTOMERS)
        await work()
    failed = (await administrator.get(sent.headers["location"])).json()
    assert (failed["state"], await total(administrator, "/v1/customers")) == ("failed", 0)
    assert failed["failure"] == "Reading the file took more time or memory than there is for it"
    assert failed["failure_code"] == "too_demanding"
    assert (await loaded(administrator, "customers", file, CUSTOMERS))["counts"]["created"] == 2_000


async def test_one_process_checks_file_after_file(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", CUSTOMERS)
    first = checking_process.Ready.checker
    assert first is not None
    await loaded(administrator, "customers", "name\nBeta\n", CUSTOMERS)
    assert checking_process.Ready.checker is first


async def test_when_the_process_that_is_kept_is_gone_the_next_file_gets_another(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", CUSTOMERS)
    gone = checking_process.Ready.checker
    assert gone is not None
    gone.process.kill()
    await gone.process.wait()
    await loaded(administrator, "customers", "name\nBeta\n", CUSTOMERS)
    assert await total(administrator, "/v1/customers") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
async def test_a_worker_that_stops_in_the_middle_leaves_no_process_that_checks(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", CUSTOMERS)
    checker = checking_process.Ready.checker
    assert checker is not None
    number = checker.process.pid
    file = "name\n" + "".join(f"Customer {at}\n" for at in range(100_000))
    await send(administrator, "customers", file, CUSTOMERS)
    working = asyncio.create_task(work())
    checking = await checking_for(number)
    working.cancel()
    await asyncio.wait({working})
    assert checker.process.returncode is not None

    async def are_gone() -> bool:
        return not any(os.path.exists(f"/proc/{each}") for each in checking)  # noqa: ASYNC240

    # They were killed; whoever inherits them on this machine lets go of them in a moment.
    await until(are_gone, 10)
    assert await total(administrator, "/v1/customers") == 1


async def test_a_list_grows_no_longer_row_by_row_or_file_by_file_than_in_one_piece(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "mail": "emails.address"}}

    def file(*numbers: int) -> str:
        return "name,mail\n" + "".join(f"Acme,a{number}@acme.example\n" for number in numbers)

    done = await loaded(administrator, "customers", file(*range(51)), mapping)
    assert done["counts"] == {"created": 0, "updated": 0, "unchanged": 0, "refused": 51, "merged": 0}
    for numbers in (range(50), [7]):
        done = await loaded(administrator, "customers", file(*numbers), mapping)
        assert done["counts"]["refused"] == 0
    done = await loaded(administrator, "customers", file(7, 50), mapping)
    assert done["counts"]["refused"] == 2
    told = await errors_of(administrator, done)
    assert {(each["row"], each["column"], each["code"]) for each in told} == {
        (row, "mail", "too_long") for row in (2, 3)
    }
    (customer,) = await everything(administrator, "/v1/customers")
    read = (await administrator.get(f"/v1/customers/{customer['id']}")).json()
    assert (len(read["emails"]), read["version"]) == (50, 1)
    longer = [*read["emails"], read["emails"][0] | {"address": "a50@acme.example"}]
    async with transaction("system") as session:
        await session.execute(text("update customers set emails = :emails"), {"emails": json.dumps(longer)})
    done = await loaded(administrator, "customers", file(7, 50), mapping)
    assert (done["counts"]["unchanged"], done["counts"]["refused"]) == (1, 0), "What is too long already may stay"


async def test_a_row_that_says_what_the_header_says_is_a_row(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"Company": "name", "Sector": "sector"}}
    done = await loaded(administrator, "customers", "Company,Sector\nCompany,retail\nAcme,retail\n", mapping)
    assert done["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 0, "merged": 0}
    again = "Company,Sector\nBeta,retail\nCompany,Sector\n"
    done = await loaded(administrator, "customers", again, mapping)
    assert (done["rows"], done["counts"]["created"], done["counts"]["refused"]) == (2, 1, 1)
    assert [(each["row"], each["code"]) for each in await errors_of(administrator, done)] == [(3, "unknown_option")]


async def test_of_the_rows_only_those_that_are_refused_are_kept(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "sector": "sector", "parent": "parent"}}
    file = "name,sector,parent\nAcme,,\nAcme,food,\nBeta,no such,\nGamma,,Nobody\nGamma,food,Nobody\nDelta,,\n"
    await loaded(administrator, "customers", "name,sector,parent\nDelta,,\n", mapping)
    done = await loaded(administrator, "customers", file, mapping)
    assert done["counts"] == {"created": 1, "updated": 0, "unchanged": 1, "refused": 3, "merged": 1}
    refused = [(each["row"], each["code"]) for each in await errors_of(administrator, done)]
    assert refused == [(4, "unknown_option"), (5, "unknown_reference"), (6, "unknown_reference")]
    async with transaction("system") as session:
        kept = await session.execute(text("select row, data, record_id from import_rows order by row"))
        assert [tuple(each) for each in kept] == [(4, None, None), (5, None, None), (6, None, None)]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_job_that_is_done_again_after_the_rows_were_loaded_leaves_all_as_it_is(
    administrator: Client, dry_run: bool
) -> None:
    file = "name,sector\nAcme,\nBeta,no such\n"
    mapping = {"columns": {"name": "name", "sector": "sector"}}
    done = await loaded(administrator, "customers", file, mapping, {"dry_run": dry_run})
    async with transaction("system") as session:
        await session.execute(text("update jobs set state = 'pending', run_at = now() where kind = 'load_import'"))
    await work()
    async with transaction("system") as session:
        await given_up(session, {"import_id": done["id"]})
    assert (await administrator.get(f"/v1/imports/{done['id']}")).json() == done
    assert len(await errors_of(administrator, done)) == 1
    assert await total(administrator, "/v1/customers") == (0 if dry_run else 1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
async def test_when_the_process_is_killed_in_the_middle_the_file_is_checked_again(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", CUSTOMERS)
    checker = checking_process.Ready.checker
    assert checker is not None
    number = checker.process.pid
    file = "name\n" + "".join(f"Customer {at}\n" for at in range(20_000))
    sent = await send(administrator, "customers", file, CUSTOMERS)
    working = asyncio.create_task(work())
    checking = await checking_for(number)

    async def nothing_is_left() -> bool:
        return not any(map(is_running, checking))

    checker.process.kill()
    await working
    assert (await administrator.get(sent.headers["location"])).json()["state"] == "checking"
    await until(nothing_is_left)
    async with transaction("system") as session:
        await session.execute(text("update jobs set run_at = now() where state = 'pending'"))
    await work()
    assert (await administrator.get(sent.headers["location"])).json()["counts"]["created"] == 20_000


async def test_what_a_record_is_called_by_is_checked_like_any_value(administrator: Client) -> None:
    """One such row once kept the whole file from being loaded."""
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {"n": "name", "x": "external_id", "p": "parent"},
    }
    long = "y" * 256
    file = f'n,x,p\nGood,1,\nA,{long},\nB,2,{long * 40}\nC,3\0,\nD,4,a\0b\nE,5,\x01\nF,"6\t7",\nAlso good,8,Good\n'
    done = await loaded(administrator, "customers", file, mapping)
    assert (done["state"], done["counts"]["created"], done["counts"]["refused"]) == ("done", 2, 6)
    told = {(each["row"], each["column"], each["code"]) for each in await errors_of(administrator, done)}
    assert told == {
        (3, "x", "string_too_long"),
        (4, "p", "string_too_long"),
        (5, "x", "forbidden_characters"),
        (6, "p", "forbidden_characters"),
        (7, "p", "forbidden_characters"),
        (8, "x", "several_lines"),
    }


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
async def test_a_quotation_mark_that_is_not_closed_fails_the_file(administrator: Client, end: str) -> None:
    """All rows behind it would be one cell."""
    mapping = {"columns": {"n": "name", "d": "description"}}
    sent = await send(administrator, "customers", 'n,d\nA,"unclosed\nB,x\nC,y' + end, mapping)
    await work()
    done = (await administrator.get(sent.headers["location"])).json()
    assert (done["state"], done["counts"]["created"]) == ("failed", 0)
    assert "a quote is not closed" in done["failure"]
    done = await loaded(administrator, "customers", 'n,d\nA,"two\nlines"\nB,"said ""so"""' + end, mapping)
    assert (done["state"], done["rows"], done["counts"]["created"]) == ("done", 2, 2)


async def test_a_field_beside_the_options_is_refused_and_nothing_is_loaded(administrator: Client) -> None:
    fields = {"entity": "customers", "mapping": '{"columns": {"name": "name"}}', "dry_run": "true"}
    answer = await administrator.post("/v1/imports", data=fields, files={"file": ("a.csv", b"name\nAcme\n")})
    assert problems(answer) == {("/dry_run", "unknown_field")}
    assert await total(administrator, "/v1/imports") == 0


async def test_a_row_names_a_later_one_by_any_of_its_keys(administrator: Client) -> None:
    customers = "name,tax,parent\nAcme Sur,,B-12345674\nAcme,B12345674,\nGama,12345678Z,Nobody\nGama Sur,,12345678Z\n"
    parent = {"to": "parent", "by": "tax_id"}
    columns: dict[str, Any] = {"name": "name", "tax": "tax_id", "parent": parent}
    done = await loaded(administrator, "customers", customers, {"columns": columns})
    told = [(each["row"], each["code"]) for each in await errors_of(administrator, done)]
    assert told == [(4, "unknown_reference"), (5, "unknown_reference")]
    made = {each["name"]: each for each in await everything(administrator, "/v1/customers")}
    assert made["Acme Sur"]["parent_id"] == made["Acme"]["id"]
    people = "name,email,boss,customer\nAna,,EVA@acme.example,Acme\nEva,eva@acme.example,,Acme\n"
    people += "Ian,,both@acme.example,Acme\nUna,both@acme.example,,Acme\nDos,both@acme.example,,Acme\n"
    columns = {"name": "last_name", "email": "emails.address", "customer": "customer"}
    columns["boss"] = {"to": "reports_to", "by": "email"}
    done = await loaded(administrator, "contacts", people, {"columns": columns})
    told = [(each["row"], each["code"]) for each in await errors_of(administrator, done)]
    assert told == [(4, "ambiguous_reference")]
    made = {each["last_name"]: each for each in await everything(administrator, "/v1/contacts")}
    assert made["Ana"]["reports_to_id"] == made["Eva"]["id"]
    users = "login,email,boss\nana,,Eva@acme.example\neva,eva@acme.example,\n"
    columns = {"login": ["username", "name"], "email": "email", "boss": {"to": "manager", "by": "email"}}
    await loaded(administrator, "users", users, {"columns": columns, "constants": {"profile_id": "sales"}})
    made = {each["username"]: each for each in await everything(administrator, "/v1/users")}
    assert made["ana"]["manager_id"] == made["eva"]["id"]
    # Of rows by one name the one that is not refused is meant; where all are, those that name them are, too.
    users = "login,profile,boss\nian,sales,una\nuna,sales,\nuna,sales,\nbob,sales,dos\ndos,nowhere,\ndos,nowhere,\n"
    columns = {"login": ["username", "name"], "profile": "profile_id", "boss": {"to": "manager", "by": "username"}}
    done = await loaded(administrator, "users", users, {"columns": columns})
    told = [(each["row"], each["code"]) for each in await errors_of(administrator, done)]
    assert told == [(4, "duplicate"), (5, "unknown_reference"), (6, "unknown_option"), (7, "unknown_option")]
    made = {each["username"]: each for each in await everything(administrator, "/v1/users")}
    assert made["ian"]["manager_id"] == made["una"]["id"]
    assert "bob" not in made
