"""What comes in by a form on another site, from people and from others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import clock
from app.db import tidying
from app.db.session import transaction
from tests.api.records import at_once, make, problems
from tests.api.test_forms import CONTACT
from tests.conftest import Client

URL = "/v1/forms/contact/submissions"
ANA = {"name": "Ana García López", "email": "Ana@acero.es", "message": "¿Precio?", "consent": "on"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SITE = "https://acme.example"


async def rows(sql: str) -> list[Any]:
    async with transaction("system") as session:
        return list((await session.execute(text(sql))).all())


async def leads(administrator: Client) -> list[dict[str, Any]]:
    answer = await administrator.get("/v1/leads?sort=created_at")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Moves the clock on."""
    real, moved = clock.now, timedelta()

    def move(**by: float) -> None:
        nonlocal moved
        moved += timedelta(**by)

    monkeypatch.setattr(clock, "now", lambda: real() + moved)
    return move


@pytest.fixture
async def form(administrator: Client) -> dict[str, Any]:
    return await make(administrator, "forms", **CONTACT)


async def test_a_visitor_becomes_a_lead_with_all_that_was_said(
    administrator: Client, client: httpx.AsyncClient, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    owner = str((await as_profile("sales")).user_id)
    form = await make(administrator, "forms", **CONTACT, lead_owner_id=owner)
    answer = await client.post(
        f"{URL}?utm_source=news&utm_medium=e%00vil",
        json=ANA | {"phone": "612 345 678", "request": "quote", "utm_campaign": "spring", "newsletter": "yes"},
        headers={"Referer": f"{SITE}/kontakt?token=secret#x", "Accept-Language": "it"},
    )
    assert (answer.status_code, answer.json()) == (202, {"message": "Grazie. Abbiamo ricevuto il suo messaggio."})
    [lead] = await leads(administrator)
    assert (lead["first_name"], lead["last_name"]) == ("Ana García", "López")  # as Italians have one surname
    assert lead["emails"] == [{"address": "Ana@acero.es", "primary": True, "invalid": False}]
    assert lead["phones"] == [{"kind": "mobile", "number": "+34612345678", "primary": True}]
    assert (lead["channel"], lead["request"], lead["message"]) == ("web_form", "quote", "¿Precio?")
    assert (lead["form_id"], lead["owner_id"], lead["preferred_language"]) == (form["id"], owner, "it")
    assert (lead["source"], lead["utm"]) == ("form", {"source": "news", "campaign": "spring"})

    [sent] = (await administrator.get("/v1/submissions")).json()["items"]
    assert (sent["state"], sent["lead_id"], sent["page"]) == ("accepted", lead["id"], f"{SITE}/kontakt")
    assert sent["values"]["newsletter"] == "yes"
    assert (sent["consent"], sent["consent_text"]) == (True, "I accept the privacy policy.")
    assert "address_hash" not in sent
    [consent] = await rows("select kind, address, purpose, given, text, language, at, lead_id from consents")
    assert consent[:6] == ("email", "Ana@acero.es", "form:contact", True, "I accept the privacy policy.", "it")
    [[address]] = await rows("select address_hash from submissions")
    assert len(address) == 32
    assert await rows("select type from events where source = 'form' order by id") == [
        ("lead.created",), ("submission.created",),
    ]  # fmt: skip
    assert await rows("select stage from stage_stays where entity = 'leads'") == [("new",)]


async def test_a_browser_is_sent_on_whatever_comes_of_it(
    administrator: Client, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await make(
        administrator, "forms", **CONTACT, redirect=f"{SITE}/thanks", error_redirect=f"{SITE}/oops?form=1#top"
    )
    for sent in ({"data": ANA}, {"files": {name: (None, value) for name, value in ANA.items()}}):
        for headers in (BROWSER, {}):
            answer = await client.post(URL, **sent, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{SITE}/thanks")
    fifth = await client.post(URL, data=ANA)
    sixth = await client.post(URL, data=ANA)
    assert fifth.headers["location"] == f"{SITE}/thanks"
    assert sixth.headers["location"] == f"{SITE}/oops?form=1&code=too_many_requests#top"
    monkeypatch.setattr("app.domain.submissions.UNSTAMPED", (100, 100, 100))
    for wrong, code in (
        ({"data": ANA | {"consent": ""}}, "consent_required"),
        ({"data": {"consent": "on"}}, "required_information"),
        ({"content": b"name=%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, "malformed"),
        ({"data": ANA | {"message": "x" * 70_000}}, "too_large"),
    ):
        answer = await client.post(URL, **wrong)
        expected = (303, f"{SITE}/oops?form=1&code={code}#top")
        assert (answer.status_code, answer.headers["location"]) == expected, code
    script = await client.post(URL, data=ANA, headers={"Sec-Fetch-Mode": "cors"})
    assert script.status_code == 202
    assert len(await leads(administrator)) == 1

    await administrator.patch(f"/v1/forms/{form['id']}", json={"redirect": None, "error_redirect": None})
    page = await client.post(URL, data=ANA, headers=BROWSER | {"Accept-Language": "es"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Hemos recibido su mensaje" in page.text
    page = await client.post(URL, data={"name": "<script>"}, headers=BROWSER | {"Accept-Language": "it"})
    assert page.status_code == 422
    assert "Non è stato possibile inviarlo" in page.text
    assert "<script>" not in page.text
    missing = await client.post("/v1/forms/none/submissions", data=ANA, headers=BROWSER)
    assert missing.status_code == 404
    assert "no existe" not in missing.text
    assert "There is no such form" in missing.text


async def test_what_is_wrong_is_told_by_field_and_never_repeated(form: Any, client: httpx.AsyncClient) -> None:
    answer = await client.post(
        URL,
        json={
            "email": "ana@",
            "phone": "12",
            "request": "everything",
            "message": "a\u0000b",
            "extra": 1,
            "consent": False,
        },
    )
    assert problems(answer) == {
        ("/name", "required_information"),
        ("/email", "email"),
        ("/request", "literal_error"),
        ("/message", "forbidden_characters"),
        ("/extra", "string_type"),
        ("/consent", "consent_required"),
    }
    assert problems(await client.post(URL, json=ANA | {"phone": "12"})) == {("/phone", "phone_too_short")}
    twice = await client.post(
        URL,
        content="name=a&name=b",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
    )
    assert problems(twice) == {("/name", "repeated")}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    large = await client.post(URL, content=pieces(), headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert await rows("select 1 from submissions") == []


async def test_what_bots_send_is_answered_like_the_rest_and_makes_no_lead(
    form: Any, client: httpx.AsyncClient, later: Callable[..., None]
) -> None:
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    forged = stamp[:-1] + ("A" if stamp[-1] != "A" else "B")
    answers = [
        await client.post(URL, json=ANA | {"url_2": "https://spam.example"}),
        await client.post(URL, json=ANA | {"stamp": stamp, "message": "too soon"}),
        await client.post(URL, json=ANA | {"stamp": forged, "message": "forged"}),
        await client.post(URL, json=ANA | {"stamp": "9" * 5_000, "message": "odd"}),
    ]
    later(hours=25)
    answers.append(await client.post(URL, json=ANA | {"stamp": stamp, "message": "too late"}))
    assert {state for (state,) in await rows("select state from submissions")} == {"trapped"}
    assert await rows("select 1 from leads union all select 1 from consents") == []
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    later(seconds=3)
    answers.append(await client.post(URL, json=ANA | {"stamp": stamp}))
    assert len(await rows("select 1 from leads")) == 1
    headers = [{n: v for n, v in answer.headers.items() if n != "x-request-id"} for answer in answers]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert all(each == headers[0] for each in headers)


async def test_the_same_sent_twice_or_twenty_times_at_once_counts_once(
    form: Any,
    administrator: Client,
    client: httpx.AsyncClient,
    later: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.domain.submissions.UNSTAMPED", (100, 100, 100))
    answers = await at_once(*(client.post(URL, json=ANA) for _ in range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    await client.post(URL, json=ANA | {"email": "Ana@ACERO.es ", "utm_source": "again"})
    # Different messages of one person at once: one lead, which the others are put to.
    at = {"email": "eva@acero.es", "name": "Eva Rossi"}
    await at_once(*(client.post(URL, json=ANA | at | {"message": f"{number}"}) for number in range(4)))
    assert len(await leads(administrator)) == 2
    assert len(await rows("select 1 from submissions")) == 1 + 4
    assert len(await rows("select 1 from messages where direction = 'in' and state = 'received'")) == 3
    later(minutes=11)
    await client.post(URL, json=ANA)
    assert len(await rows("select 1 from submissions")) == 1 + 4 + 1
    assert len(await leads(administrator)) == 2

    key = {"Idempotency-Key": "one"}
    first = await client.post(URL, json=ANA | {"message": "keyed"}, headers=key)
    later(minutes=11)
    again = await client.post(URL, json=ANA | {"message": "keyed"}, headers=key)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post(URL, json=ANA | {"message": "other"}, headers=key)
    assert problems(other) == set()
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(await rows("select 1 from submissions")) == 1 + 4 + 1 + 1


async def test_a_known_address_finds_its_lead_or_its_customer_and_the_sender_is_not_told(
    form: Any, administrator: Client, client: httpx.AsyncClient, as_profile: Callable[..., Awaitable[Client]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("app.domain.submissions.UNSTAMPED", (100, 100, 100))
    owner = str((await as_profile("sales")).user_id)
    gone = await make(administrator, "users", name="Gone", username="gone", profile_id="sales")
    acme = await make(administrator, "customers", name="Acme", owner_id=owner)
    await make(
        administrator, "contacts", last_name="Ruiz", customer_id=acme["id"], emails=[{"address": "eva@acero.es"}]
    )
    for name in ("One", "Two"):
        await make(administrator, "customers", name=name, owner_id=owner, emails=[{"address": "info@shared.es"}])
    left = await make(administrator, "customers", name="Left", owner_id=gone["id"], emails=[{"address": "x@left.es"}])
    assert (await administrator.patch(f"/v1/users/{gone['id']}", json={"active": False})).status_code == 200
    open_lead = await make(
        administrator, "leads", last_name="Bianchi", emails=[{"address": "luca@acero.es"}], owner_id=owner
    )
    answers = {
        address: await client.post(URL, json=ANA | {"email": address, "phone": "612345678"})
        for address in ("nobody@new.es", "EVA@acero.es", "info@shared.es", "x@left.es", "Luca@acero.es")
    }
    assert {(answer.status_code, answer.content) for answer in answers.values()} == {
        (202, answers["x@left.es"].content)
    }
    headers = [{n: v for n, v in answer.headers.items() if n != "x-request-id"} for answer in answers.values()]
    assert all(each == headers[0] for each in headers)
    made = {lead["emails"][0]["address"]: lead for lead in await leads(administrator)}
    found = {address: (lead["customer_id"], lead["owner_id"]) for address, lead in made.items()}
    assert found == {
        "nobody@new.es": (None, None),
        "EVA@acero.es": (acme["id"], owner),
        "info@shared.es": (None, None),  # of several customers nobody can tell whose it is
        "x@left.es": (left["id"], None),
        "luca@acero.es": (None, owner),
    }
    assert open_lead | made["luca@acero.es"] == open_lead  # nothing of it was changed
    [message] = (await administrator.get("/v1/messages", params={"fields": "id,lead_id,owner_id,subject,text"})).json()[
        "items"
    ]
    assert (message["lead_id"], message["owner_id"], message["subject"]) == (open_lead["id"], owner, "Contact")
    assert message["text"].splitlines() == [
        "¿Precio?",
        "Nombre y apellidos: Ana García López",
        "Teléfono: +34612345678",
    ]
    [taken] = await rows(f"select lead_id::text from submissions where lead_id = '{open_lead['id']}'")
    assert taken


async def test_scripts_of_the_forms_sites_may_read_and_those_of_others_may_not(
    administrator: Client, client: httpx.AsyncClient
) -> None:
    form = await make(administrator, "forms", **CONTACT, allowed_origins=[SITE])
    ours, other = {"Origin": SITE}, {"Origin": "https://evil.example"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = await client.options(URL, headers=ours | asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, SITE)
    assert "access-control-allow-credentials" not in answer.headers
    assert (await client.options(URL, headers=other | asked)).status_code == 403
    for answer in (
        await client.get("/v1/forms/contact", headers=ours),
        await client.post(URL, json=ANA, headers=ours),
        await client.post(URL, json={}, headers=ours),
    ):
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.headers["vary"] == "Origin"
    for headers in (other, {"Origin": "null"}, {"Origin": SITE.upper()}):
        for answer in (
            await client.get("/v1/forms/contact", headers=headers),
            await client.post(URL, json=ANA, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in answer.headers
    page = await client.post(URL, data=ANA, headers=BROWSER | other)
    assert page.status_code == 403
    assert len(await leads(administrator)) == 1
    await administrator.patch(f"/v1/forms/{form['id']}", json={"allowed_origins": []})
    assert (await client.get("/v1/forms/contact", headers=other)).headers["access-control-allow-origin"] == "*"


async def test_one_address_sends_so_much_and_more_with_a_stamp(
    form: Any, administrator: Client, client: httpx.AsyncClient, later: Callable[..., None]
) -> None:
    async def sent(number: int, **more: str) -> int:
        status: int = (await client.post(URL, json=ANA | {"email": f"v{number}@acero.es"} | more)).status_code
        return status

    assert [await sent(number) for number in range(6)] == [202] * 5 + [429]
    refused = await client.post(URL, json=ANA)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    later(minutes=1, seconds=3)
    assert [await sent(number, stamp=stamp) for number in range(10, 21)] == [202] * 10 + [429]
    assert len(await leads(administrator)) == 15
    elsewhere = httpx.ASGITransport(client._transport.app, client=("2001:db8::1", 1))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://crm.test") as other:
        assert (await other.post(URL, json=ANA)).status_code == 202
    kept = await rows("select bucket from rate_counts")
    assert kept
    assert not any("2001" in bucket or "127.0" in bucket for (bucket,) in kept)
    async with transaction("system") as session:
        await tidying.delete_past(session, "rate_counts", clock.now() + timedelta(hours=23))
        assert await session.scalar(text("select count(*) from rate_counts")) == len(kept)
        await tidying.delete_past(session, "rate_counts", clock.now() + timedelta(hours=26))
        assert await session.scalar(text("select count(*) from rate_counts")) == 0


def part(content: bytes, disposition: bytes = b'form-data; name="name"') -> bytes:
    return b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n"


JSON, URLENCODED, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
ODD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "a text": (b"name=a", "text/plain"),
    "no JSON": (b"{", JSON),
    "a list": (b"[]", JSON),
    "NaN": (b'{"name": NaN}', JSON),
    "a key twice": (b'{"name": "a", "name": "b"}', JSON),
    "a lone surrogate": (rb'{"name": "\ud800"}', JSON),
    "arrays in arrays": (b"[" * 30_000, JSON),
    "lists": (b'{"name": [[["a"]]]}', JSON),
    "a huge number": (b'{"phone": ' + b"9" * 5_000 + b"}", JSON),
    "5,000 fields": (b"{" + b",".join(b'"f%d":"1"' % i for i in range(5_000)) + b"}", JSON),
    "a long name": (b'{"' + b"n" * 5_000 + b'": "1"}', JSON),
    "marks": (('{"email": "a@acero.es", "message": "a' + "\u0315\u0300" * 4_500 + '"}').encode(), JSON),
    "a null character": (b"name=%00&email=a%00@acero.es", URLENCODED),
    "a name of nulls": (b"%00=1", URLENCODED),
    "broken percents": (b"name=%zz%&%ED%A0%80=1", URLENCODED),
    "not UTF-8": (b"name=\xff\xfe", URLENCODED),
    "many pairs": (b"a&" * 30_000, URLENCODED),
    "no boundary": (part(b"a"), "multipart/form-data"),
    "an odd boundary": (part(b"a"), 'multipart/form-data; boundary="\\"'),
    "another boundary": (part(b"a") + b"--x--", "multipart/form-data; boundary=y"),
    "cut off": (part(b"Ana")[:-2], MULTIPART),
    "no name": (part(b"a", b"form-data") + b"--x--", MULTIPART),
    "not UTF-8 in a part": (part(b"\xff") + b"--x--", MULTIPART),
    "an odd charset": (part(b"a") + b"--x--", "multipart/form-data; charset=undefined; boundary=x"),
    "a huge file name": (part(b"a", b'form-data; name="f"; filename="' + b"a" * 40_000 + b'"') + b"--x--", MULTIPART),
    "semicolons": (part(b"a", b'form-data; name="' + b";" * 60_000 + b'"') + b"--x--", MULTIPART),
    "many parts": (part(b"a") * 1_000, MULTIPART),
    "a long type": (b"name=a", "multipart/form-data; " + ";" * 8_000),
}


@pytest.mark.parametrize("odd", ODD)
async def test_what_nobody_would_send_is_refused_at_once(odd: str, form: Any, client: httpx.AsyncClient) -> None:
    body, kind = ODD[odd]
    headers = {"Content-Type": kind, "Accept": "application/json"}
    before = asyncio.get_running_loop().time()
    answer = await client.post(URL, content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert asyncio.get_running_loop().time() - before < 0.2
    assert await rows("select 1 from submissions") == []


async def test_files_are_left_out(form: Any, administrator: Client, client: httpx.AsyncClient) -> None:
    fields = {name: (None, value) for name, value in ANA.items()} | {"photo": ("a.png", b"\x00\xff", "image/png")}
    answer = await client.post(URL, files=fields, headers={"Accept": "application/json"})
    assert answer.status_code == 202
    [sent] = (await administrator.get("/v1/submissions")).json()["items"]
    assert sent["values"].keys() == {"name", "email", "message"}
