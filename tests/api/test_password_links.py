"""Setting a password by a link that was mailed: forgotten ones, and the first one of who is invited."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain import password_links
from app.server import mailbox
from app.settings import settings
from tests.api.second_factors import enrolled
from tests.api.signing_in import (
    OTHER,
    PASSWORD,
    bearer,
    id_of,
    is_in_force,
    problem,
    run,
    sign_in,
    tokens_of,
    value,
)
from tests.conftest import Client, People
from tests.loading import work

pytestmark = pytest.mark.usefixtures("price")


async def forget(client: httpx.AsyncClient, who: str) -> httpx.Response:
    return await client.post("/v1/auth/password/forgot", json={"username": who})


async def reset(client: httpx.AsyncClient, token: str, password: str = OTHER) -> httpx.Response:
    return await client.post("/v1/auth/password/reset", json={"token": token, "password": password})


async def mailed(folder: Path) -> list[str]:
    """Do what is to be done, and read the mails that came of it, the newest first."""
    await work()
    return [mailbox.text(path) for path in mailbox.newest(folder)]


def token_in(mail: str) -> str:
    found = re.search(r"^(?:https://\S+#token=)?([A-Za-z0-9_-]{43})$", mail, re.MULTILINE)
    assert found, mail
    return found[1]


def is_invalid(answer: httpx.Response) -> bool:
    return (answer.status_code, problem(answer)["code"]) == (422, "invalid_link")


@pytest.fixture
async def ana(make_user: Any, mail_folder: Path) -> Path:
    """A user with a password and an e-mail address; the folder where her mails lie."""
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await run(
        "update users set email = 'Ana@acero.example', name = 'Ana {0}', locale = 'it' where username_key = 'ana'"
    )
    return mail_folder


async def test_a_forgotten_password_is_set_by_a_link_that_is_good_once(
    client: httpx.AsyncClient, ana: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    tokens = await tokens_of(client)
    await enrolled(client, tokens)
    answer = await forget(client, "ANA")
    assert (answer.status_code, answer.content) == (202, b"")
    [mail] = await mailed(ana)
    assert "To: Ana@acero.example\n" in mail
    assert "Subject: La sua password di" in mail
    assert "Buongiorno Ana {0},\n" in mail
    assert "per l'utente ana." in mail
    assert "POST /v1/auth/password/reset" in mail, "no application's address is set"
    token = token_in(mail)
    kept = "".join(
        [str(await value(f"select json_agg(t)::text from {table} t")) for table in ("jobs", "password_links")]
    )
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith(("app", "clientela")))
    assert token not in kept
    assert token not in logged
    weak = await reset(client, token, "short")
    assert (weak.status_code, problem(weak)["code"]) == (422, "weak_password")
    assert await is_in_force(client, tokens), "nothing happened yet"

    assert (await reset(client, token)).status_code == 204
    assert not await is_in_force(client, tokens)
    assert (await client.get("/v1/me", headers=bearer(tokens))).status_code == 401
    assert (await sign_in(client)).status_code == 401
    second = await sign_in(client, password=OTHER)
    assert problem(second)["code"] == "second_factor_required", "which a mailbox does not stand in for"
    assert is_invalid(await reset(client, token, "otra frase muy larga"))
    told = "select json_build_array(type, actor, changes) from events where type = 'user.password_reset'"
    assert await value(told) == ["user.password_reset", str(await id_of("ana")), {}]


async def test_the_answer_and_the_work_are_the_same_for_whoever_is_asked_about(
    client: httpx.AsyncClient, ana: Path, make_user: Any
) -> None:
    for username, change in (
        ("gone", "active = false, email = 'gone@acero.example'"),
        ("archived", "archived_at = now(), email = 'archived@acero.example'"),
        ("without", "email = null"),
        ("never", "password_hash = null, email = 'never@acero.example'"),
    ):
        await make_user(username=username, profile="sales", password=PASSWORD)
        await run(f"update users set {change} where username_key = '{username}'")
    answers = []
    for number, who in enumerate(
        ("ana", "aNA@ACERO.example", "nobody", "gone", "archived", "without", "never", "system", "x" * 200), 1
    ):
        answer = await forget(client, who)
        answers.append((answer.status_code, answer.content, sorted(set(answer.headers) - {"x-request-id"})))
        if who != "aNA@ACERO.example":  # her job is pending already
            assert await value("select count(*) from jobs") == number - (number > 2), who
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 202
    for none in ("", "\0", "x" * 201):
        assert (await forget(client, none)).status_code == 422
    mails = await mailed(ana)
    assert len(mails) == 1
    assert "To: Ana@acero.example\n" in mails[0]
    assert await value("select count(*) from jobs where state <> 'done'") == 0


async def test_asking_is_limited_and_does_not_flood_a_mailbox(client: httpx.AsyncClient, ana: Path, later: Any) -> None:
    for who in ("ana", "nobody"):
        statuses = []
        for _ in range(4):
            statuses.append((await forget(client, who)).status_code)
            await work()
        assert statuses == [202, 202, 202, 429], who
    assert (await forget(client, "bea")).status_code == 202
    for number in range(4):
        await password_links.forgotten("ana", f"192.0.2.{number}")
        await work()
    mails = await mailed(ana)
    assert len(mails) == 5, "so many are good at a time, whoever asks from wherever"
    assert len({token_in(mail) for mail in mails}) == 5
    later(hours=1)
    assert (await forget(client, "ana")).status_code == 202
    assert len(await mailed(ana)) == 6


async def test_a_link_is_good_for_an_hour_and_for_whom_it_was_mailed_to(
    client: httpx.AsyncClient, ana: Path, later: Any
) -> None:
    for undo, change in (
        ("active = true", "active = false"),
        ("archived_at = null", "archived_at = now()"),
        ("email = 'Ana@acero.example'", "email = 'thief@acero.example'"),
    ):
        await forget(client, "ana")
        token = token_in((await mailed(ana))[0])
        await run(f"update users set {change} where username_key = 'ana'")
        assert is_invalid(await reset(client, token)), change
        await run(f"update users set {undo} where username_key = 'ana'")
    for odd in ("", "x", "A" * 43, token + "=", token.swapcase(), "\0" * 43, "é" * 43):
        assert is_invalid(await reset(client, odd)), odd
    assert (await sign_in(client)).status_code == 200
    later(hours=1)
    assert is_invalid(await reset(client, token))
    await forget(client, "ana")
    first = token_in((await mailed(ana))[0])
    await forget(client, "ana")
    second = token_in((await mailed(ana))[0])
    later(minutes=59)
    assert (await reset(client, second)).status_code == 204
    assert is_invalid(await reset(client, first)), "the others are good no more"


async def test_of_two_who_use_one_link_at_once_one_wins(client: httpx.AsyncClient, ana: Path) -> None:
    await forget(client, "ana")
    token = token_in((await mailed(ana))[0])
    answers = await asyncio.gather(*[reset(client, token, f"{OTHER} {number}") for number in range(3)])
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422]


async def test_a_new_password_set_otherwise_ends_the_links(client: httpx.AsyncClient, ana: Path) -> None:
    await forget(client, "ana")
    token = token_in((await mailed(ana))[0])
    tokens = await tokens_of(client)
    body = {"current_password": PASSWORD, "password": OTHER}
    assert (await client.post("/v1/auth/password/change", json=body, headers=bearer(tokens))).status_code == 204
    assert is_invalid(await reset(client, token, "otra frase muy larga"))


async def test_who_is_invited_sets_a_first_password(
    client: httpx.AsyncClient, people: People, mail_folder: Path, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_APP_URL", "https://crm.acme.example/app/")
    settings.cache_clear()
    root = await people.user("administrator")
    administrator = await people.client(root)
    made = await administrator.post(
        "/v1/users", json={"name": "Eva", "username": "eva", "profile_id": "sales", "email": "eva@acero.example"}
    )
    path = f"/v1/users/{made.json()['id']}/invite"
    assert (await administrator.post(path)).status_code == 204
    [mail] = await mailed(mail_folder)
    assert "Subject: Su acceso a" in mail, "the company's first language"
    assert "\nhttps://crm.acme.example/app/set-password#token=" in mail
    first = token_in(mail)
    later(days=7)
    assert is_invalid(await reset(client, first))
    assert (await forget(client, "eva")).status_code == 202
    assert len(await mailed(mail_folder)) == 1, "there is no password to forget yet"
    administrator = await people.client(root)
    assert (await administrator.post(path)).status_code == 204
    token = token_in((await mailed(mail_folder))[0])
    later(days=6, hours=23)
    assert (await reset(client, token, PASSWORD)).status_code == 204
    assert (await sign_in(client, "eva")).status_code == 200
    assert await value("select count(*) from events where type = 'user.invited'") == 2
    again = await (await people.client(root)).post(path)
    assert (again.status_code, problem(again)["code"]) == (409, "has_password")


async def test_who_cannot_be_invited_is_told_why(
    administrator: Client, as_profile: Any, mail_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "Eva", "username": "eva", "profile_id": "sales"}
    path = f"/v1/users/{(await administrator.post('/v1/users', json=body)).json()['id']}"
    assert (await (await as_profile("manager")).post(f"{path}/invite")).status_code == 403
    for change in ({}, {"email": "eva@acero.example", "active": False}):
        await administrator.patch(path, json=change)
        answer = await administrator.post(f"{path}/invite")
        assert (answer.status_code, problem(answer)["code"]) == (409, "not_to_be_invited"), change
    monkeypatch.delenv("CRM_SMTP_URL")
    settings.cache_clear()
    answer = await administrator.post(f"{path}/invite")
    assert (answer.status_code, problem(answer)["code"]) == (409, "no_mail_server")
    assert await value("select count(*) from jobs") == 0


async def test_a_mail_that_is_tried_again_says_the_same(
    client: httpx.AsyncClient, ana: Path, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = settings().smtp_url
    assert working is not None
    monkeypatch.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:9")
    settings.cache_clear()
    await forget(client, "ana")
    assert await mailed(ana) == []
    [hash] = json.loads(str(await value("select json_agg(encode(hash, 'hex'))::text from password_links")))
    monkeypatch.setenv("CRM_SMTP_URL", working.get_secret_value())
    settings.cache_clear()
    later(seconds=30)
    [mail] = await mailed(ana)
    assert [hash] == json.loads(str(await value("select json_agg(encode(hash, 'hex'))::text from password_links")))
    later(minutes=59)
    assert (await reset(client, token_in(mail))).status_code == 204, "the hour begins with the mail"
