"""What comes in by a form on another site, from people."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.api.records import at_once, make, problems
from tests.api.submissions import ANA, BROWSER, SITE, URL, leads, rows
from tests.api.test_forms import CONTACT
from tests.conftest import Client


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
        ("submission.created",), ("lead.created",), ("submission.taken",),
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
    assert (
        await administrator.patch(f"/v1/users/{gone['id']}", json={"active": False}, params={"confirm": "true"})
    ).status_code == 200
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


async def test_a_stranger_costs_a_row_of_each_kind_whoever_they_are(
    form: Any, administrator: Client, client: httpx.AsyncClient
) -> None:
    """Customer, open lead, bot or nobody: what the request does is the same, and so is the time that it takes."""
    await make(administrator, "customers", name="Acme", emails=[{"address": "info@acme.es"}])
    await make(administrator, "leads", last_name="Bianchi", emails=[{"address": "luca@acero.es"}])
    tables = [name for (name,) in await rows("select tablename from pg_tables where schemaname = 'public'")]

    async def counted() -> dict[str, int]:
        counts = " union all ".join(f"select '{name}', count(*) from {name}" for name in tables)
        return dict(tuple(row) for row in await rows(counts))

    assert (await client.post(URL, json=ANA | {"email": "first@new.es"})).status_code == 202
    before = await counted()
    for sent in ({"email": "info@acme.es"}, {"email": "luca@acero.es"}, {"url_2": "spam"}, {"email": "eva@new.es"}):
        assert (await client.post(URL, json=ANA | sent)).status_code == 202
        after = await counted()
        added = {name: after[name] - before[name] for name in tables if after[name] != before[name]}
        assert added == {"submissions": 1, "events": 1, "jobs": 1}
        before = after
    refused = await client.post(URL, json=ANA | {"email": "one@too.many"})
    assert refused.status_code == 429
    assert await counted() == before
    assert len(await leads(administrator)) == 4


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


async def test_files_are_left_out(form: Any, administrator: Client, client: httpx.AsyncClient) -> None:
    fields = {name: (None, value) for name, value in ANA.items()} | {"photo": ("a.png", b"\x00\xff", "image/png")}
    answer = await client.post(URL, files=fields, headers={"Accept": "application/json"})
    assert answer.status_code == 202
    [sent] = (await administrator.get("/v1/submissions")).json()["items"]
    assert sent["values"].keys() == {"name", "email", "message"}
