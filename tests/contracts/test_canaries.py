"""Does a word that is hidden from somebody get out by what is done for them: mails, files, jobs, kept answers, logs?

A word that occurs nowhere else stands in every text field that a profile hides and in every record beyond its reach.
Then somebody with that profile does all that makes mails or is worked on later. How answers fare is in `two_worlds.py`.
"""

import re
import subprocess
import sys
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from app import clock
from app.domain.entities.catalog import ENTITIES
from app.server import mailbox
from app.settings import settings
from tests.api.api_keys import coming_with, make_key
from tests.api.records import make
from tests.conftest import Client
from tests.contracts import worlds
from tests.contracts.other_world import CANARY, Other
from tests.contracts.seeing import Eyes, Rules
from tests.contracts.staging import NOW, Case, Stage, stage
from tests.contracts.worlds import fetch
from tests.jobs.company import sweep, switch, work
from tests.loading import send
from tests.telltale import overheard

__all__ = ["stage"]
LATER = NOW + timedelta(days=11)
OWN = ("customers", "contacts", "leads", "opportunities", "activities", "messages", "imports")
# Works with its own and sees the open fields only; unlike those that are shipped it loads files.
CLERK = Rules(
    dict.fromkeys(OWN, "own") | dict.fromkeys(("users", "templates", "picklists", "pipelines"), "all"),
    {},
    {(section, action): "own" for section in OWN[:-1] for action in ("create", "update", "import")},
)
# What the one who acts writes: found by the same search as the hidden words, or the search is worth nothing.
SPOKEN = "quokka"
TEMPLATE = {
    "key": "greeting",
    "name": "Greeting",
    "subject": {"es": "Hola {first_name}", "en": "Hello {first_name}"},
    "text": {"es": "Cómo va", "en": f"{SPOKEN} {{first_name}} {{last_name}}, {{company_name}}"},
}
FORM = {"key": "contact", "name": "Contact", "fields": [{"key": key, "required": True} for key in ("name", "email")]}


class Planting(Other):
    """Nothing goes away, and the hidden words are of letters only, as the names are that letters greet people by."""

    def canary(self) -> str:
        return CANARY + "".join(self.random.choices("abcdefgh", k=8))

    def remove(self, made: worlds.Rows, rows: worlds.Rows, unseen: set[str]) -> None:
        pass


@pytest.mark.parametrize("profile", ["sales", "clerk"])
async def test_no_mail_no_file_no_job_no_kept_answer_and_no_log_tells_what_is_hidden(
    stage: Stage, profile: str, mail_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    eyes = await stage.set(Case(CLERK, {}, {}, seed=0), profile)
    await plant(stage, eyes, all_fields=profile == "sales")
    for workflow in ("web_lead", "stalled_opportunity"):
        await switch(workflow)
    monkeypatch.setattr(clock, "now", lambda: LATER)
    people = stage.world.people
    caller, administrator = [await people.client(each.user_id) for each in (stage.client, stage.world.administrator)]
    await sweep()  # The follow-ups of what is stalled.

    own = {kind: str(id) for kind, id in stage.world.records["caller-0"].items()}
    template = (await make(administrator, "templates", **TEMPLATE))["id"]
    await write(caller, template_id=template, contact_id=own["contacts"], to_address="ana@acero.es")
    await write(caller, template_id=template, lead_id=own["leads"])
    await write(caller, subject="Hello", text=SPOKEN, opportunity_id=own["opportunities"], to_address="ana@acero.es")
    await ask_to_be_let_in(caller)
    await visit(administrator)
    await invite(administrator, profile)
    files = await send_file(stage, caller) if profile == "clerk" else {}
    key, shown = await use_a_key(stage, administrator, profile)
    await work()
    assert await column("select concat(kind, ': ', last_error) from jobs where state <> 'done'") == ""
    with monkeypatch.context() as away:
        away.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:9")
        settings.cache_clear()
        await write(caller, template_id=template, lead_id=own["leads"])
        await work()
    settings.cache_clear()

    said = {
        "mails": all_mails(mail_folder),
        "answers": shown + await everything_told(caller),
        "kept answers": await column(
            "select concat(headers, convert_from(body, 'utf8')) from idempotency_keys where subject = $1",
            caller.user_id,
        ),
        "jobs": await column("select jobs::text from jobs"),
        "log": caplog.text,
    } | files
    assert found(CANARY, said) == found(key, said) == {}
    # The search finds what there is: the caller's own words, and what failed; and what may be sent by who may see it.
    assert found(f"{SPOKEN}|SMTPConnectError", said).keys() == said.keys()
    assert len(mailbox.newest(mail_folder)) == 7
    assert "Días sin movimiento" in said["answers"]
    assert "Llamar por su solicitud web" in said["answers"]
    hidden = str(stage.world.records["stranger-5"]["contacts"])
    await write(administrator, template_id=template, contact_id=hidden, to_address="eva@taller.example", language="en")
    await work()
    assert found(CANARY, {"mails": all_mails(mail_folder)})


async def plant(stage: Stage, eyes: Eyes, *, all_fields: bool) -> None:
    """Write hidden words wherever the caller may not look. What workflows are is the company's, and no text.

    all_fields: the caller sees all fields of the customers and contacts that it sees at all.
    """
    rows = await worlds.read_rows()
    planted = Planting(eyes, str(stage.world.administrator.user_id), Random(0)).world(rows)
    planted["workflows"] = rows["workflows"]
    await worlds.write_rows(planted, rows)
    seen = eyes.seen(planted)
    for kind in (*OWN[:-1], "users"):
        unseen = [row for row in planted[kind] if row["id"] not in seen[kind]]
        assert CANARY in str(unseen or planted[kind]), kind
        if kind in ("customers", "contacts"):
            assert (CANARY in str([row for row in planted[kind] if row["id"] in seen[kind]])) != all_fields, kind
    change = "update users set email = 'caller@acero.es', password_hash = 'x' where id = $1"
    await worlds.execute(change, stage.client.user_id)
    # Addresses of contacts that visitors know, which nobody else has.
    for relation, address in (("stranger-5", "eva@taller.example"), ("caller-0", "ben@taller.example")):
        contact = stage.world.records[relation]["contacts"]
        new = "insert into match_keys (entity, record_id, kind, key) values ('contacts', $1, 'email', $2)"
        await worlds.execute(new, contact, address)


def found(word: str, said: dict[str, str]) -> dict[str, list[str]]:
    """The places where something is said, and there each time with what is around it."""
    return {place: each for place, text in said.items() if (each := re.findall(f".{{0,80}}(?:{word}).{{0,20}}", text))}


def all_mails(folder: Path) -> str:
    return "\n".join(path.read_text() for path in mailbox.newest(folder))


async def column(query: str, *values: Any) -> str:
    return "\n".join(row[0] for row in await fetch(query, *values))


async def write(client: Client, **message: str) -> None:
    """Write an e-mail."""
    answer = await client.post("/v1/messages", json=message, headers={"Idempotency-Key": str(uuid7())})
    assert (answer.status_code, answer.json().get("state")) == (201, "queued"), answer.text


async def ask_to_be_let_in(caller: Client) -> None:
    """By two things that are known of somebody hidden."""
    for known in ({"email": "eva@taller.example"}, {"external_id": {"system": "other", "external_id": "stranger-5"}}):
        answer = await caller.post(
            "/v1/access-requests", json=known | {"reason": SPOKEN}, headers={"Idempotency-Key": str(uuid7())}
        )
        assert answer.status_code == 202, answer.text


async def visit(administrator: Client) -> None:
    """Visitors send a form: one known of a hidden contact, twice, and one of a contact of the caller's. And the caller
    asks for another password."""
    await make(administrator, "forms", **FORM)
    for name, email in (
        ("Eva", "eva@taller.example"),
        ("Eva Ruiz", "eva@taller.example"),
        ("Ben", "ben@taller.example"),
    ):
        sent = await administrator.post("/v1/forms/contact/submissions", json={"name": name, "email": email})
        assert sent.status_code == 202, sent.text
        await work()
    asked = {"username": "caller@acero.es"}
    assert (await administrator.post("/v1/auth/password/forgot", json=asked)).status_code == 202


async def invite(administrator: Client, profile: str) -> None:
    """Somebody new, of the same profile."""
    user = await make(administrator, "users", name="Eva", username="eva", profile_id=profile, email="eva@acero.es")
    assert (await administrator.post(f"/v1/users/{user['id']}/invite")).status_code == 204


async def send_file(stage: Stage, caller: Client) -> dict[str, str]:
    """A file whose rows have the ids of hidden records, and name some nearly as hidden ones are named. What is then
    told of the rows, and what is kept of them."""
    names = await column("select replace(name, 'canary', 'kanary') from customers where name like '%canary%'")
    rows = [f"{each},Known as {each}," for each in stage.world.records if each != "company"]
    rows += [f"new-{at},New {at},{name}" for at, name in enumerate([SPOKEN, *names.splitlines()])]
    columns = {"id": "external_id", "name": "name", "parent": "parent"}
    mapping = {"match_on": "external_id", "external_system": "other", "columns": columns}
    sent = await send(caller, "customers", "\n".join(["id,name,parent", *rows]), mapping)
    assert sent.status_code == 202, sent.text
    await work()
    done = await caller.get(sent.headers["location"])
    errors = await caller.get(f"{sent.headers['location']}/errors?limit=200")
    assert {each["code"] for each in errors.json()["items"]} == {"taken", "unknown_reference"}
    return {"errors": done.text + errors.text, "rows": await column("select import_rows::text from import_rows")}


async def use_a_key(stage: Stage, administrator: Client, profile: str) -> tuple[str, str]:
    """An API key of a service user with the profile, and what it is shown."""
    service = await make(administrator, "users", name="Shop", username="shop", profile_id=profile, service=True)
    key = (await make_key(administrator, service["id"], "customers:read", "leads:read"))["key"]
    async with coming_with(key) as shop:
        answers = [await shop.get(f"/v1/{kind}") for kind in ("customers", "leads", "users")]
    return key, "\n".join(each.text for each in answers)


async def everything_told(caller: Client) -> str:
    """Every record that the caller sees, whole, with what happened to it."""
    told = []
    for entity in ENTITIES.values():
        listed = await caller.get(f"/v1/{entity.path}?limit=200")
        told.append(listed.text)
        for each in listed.json().get("items", ()):
            told.append((await caller.get(f"/v1/{entity.path}/{each['id']}")).text)
            if entity.name in ("customers", "leads"):
                told.append((await caller.get(f"/v1/{entity.path}/{each['id']}/timeline")).text)
    return "\n".join(told)


def test_what_a_process_says_is_heard() -> None:
    """A token, a key, an address and a hidden word each fail the test that started it; what is harmless does not."""
    for said in ("canaryabcdefgh", "Bearer eyJhbGciOiJI.x", f"crm_{'a' * 43}", "to lucia@talleres.example", "harmless"):
        with nullcontext() if said == "harmless" else pytest.raises(AssertionError), overheard() as log:
            subprocess.run([sys.executable, "-c", f"print({said!r})"], stdout=log, stderr=log, check=True)
