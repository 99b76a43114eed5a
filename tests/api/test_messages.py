"""Messages and templates over HTTP: what is sent, what is only kept, what a template may say."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.jobs import mail
from app.settings import MailServer, settings
from tests.api.records import make, problems
from tests.conftest import Client
from tests.jobs.company import work

TEXTS = {"es": "Hola {first_name}:", "en": "Hello {first_name},"}


@pytest.fixture
def sent() -> Iterator[list[mail.Letter]]:
    """What is handed to the mail server."""
    letters: list[mail.Letter] = []

    async def take(server: MailServer, letter: mail.Letter) -> None:
        letters.append(letter)

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:1")
        patched.setenv("CRM_MAIL_FROM", "Acme <hello@acme.example>")
        patched.setattr(mail, "hand_over", take)
        settings.cache_clear()
        yield letters
    settings.cache_clear()


async def test_an_email_is_queued_sent_once_it_is_committed_and_then_stays_as_it_is(
    as_profile: Callable[..., Awaitable[Client]], sent: list[mail.Letter]
) -> None:
    ana = await as_profile("sales", email="ana@acme.example")
    customer = await make(ana, "customers", name="Talleres")
    contact = await make(
        ana, "contacts", last_name="Núñez", customer_id=customer["id"], emails=[{"address": "lucia@talleres.example"}]
    )
    message = await make(ana, "messages", contact_id=contact["id"], subject="The press", text="It is on its way.")
    assert (message["state"], message["to_address"]) == ("queued", "lucia@talleres.example")
    assert (message["customer_id"], message["owner_id"]) == (customer["id"], str(ana.user_id))
    await work()
    [letter] = sent
    assert (letter.to, letter.subject, letter.reply_to) == ("lucia@talleres.example", "The press", "ana@acme.example")
    assert (letter.message_id, letter.automatic) == (message["message_id"], False)
    path = f"/v1/messages/{message['id']}"
    now = (await ana.get(path)).json()
    assert (now["state"], now["version"]) == ("sent", 2)
    refused = await ana.patch(path, json={"subject": "Another"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_sent")
    timeline = (await ana.get(f"/v1/customers/{customer['id']}/timeline")).json()["items"]
    assert {"message.created", "message.sent"} <= {each["type"] for each in timeline}


async def test_what_came_or_went_otherwise_is_kept_may_be_corrected_and_is_never_sent(
    administrator: Client, sent: list[mail.Letter]
) -> None:
    got = await make(administrator, "messages", direction="in", from_address="lucia@talleres.example", text="Hola")
    rang = await make(administrator, "messages", channel="whatsapp", text="See you at nine")
    assert (got["state"], rang["state"]) == ("received", "logged")
    answer = await administrator.patch(f"/v1/messages/{rang['id']}", json={"text": "See you at ten"})
    assert answer.json()["text"] == "See you at ten"
    answer = await administrator.patch(f"/v1/messages/{rang['id']}", json={"channel": "email"})
    assert problems(answer) == {("/channel", "not_applicable")}
    turned = await administrator.patch(f"/v1/messages/{rang['id']}", json={"direction": "in"})
    assert (turned.json()["direction"], turned.json()["state"]) == ("in", "received")
    turned = await administrator.patch(f"/v1/messages/{rang['id']}", json={"direction": "out"})
    assert turned.json()["state"] == "logged"
    assert (await work(), sent) == (0, [])
    found = await administrator.get("/v1/messages", params={"state": "received", "fields": "id"})
    assert [each["id"] for each in found.json()["items"]] == [got["id"]]


async def test_an_email_needs_somebody_a_subject_and_a_text_and_goes_out_under_the_companys_address(
    administrator: Client,
) -> None:
    lead = await make(administrator, "leads", last_name="Ruiz")
    bad = await administrator.post("/v1/messages", json={"lead_id": lead["id"], "from_address": "boss@bank.example"})
    assert problems(bad) == {
        ("/to_address", "required_information"),
        ("/subject", "required_information"),
        ("/text", "required_information"),
        ("/from_address", "not_applicable"),
    }
    first, second = [await make(administrator, "customers", name=name) for name in ("One", "Two")]
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=first["id"])
    mixed = {"contact_id": contact["id"], "customer_id": second["id"], "channel": "phone"}
    assert problems(await administrator.post("/v1/messages", json=mixed)) == {("/customer_id", "customer_mismatch")}
    missing = {"contact_id": second["id"], "subject": "A", "text": "B"}
    assert problems(await administrator.post("/v1/messages", json=missing), 404) == {("/contact_id", "not_found")}
    forged = {"to_address": "lucia@talleres.example", "subject": "A\r\nBcc: all@bank.example", "text": "B"}
    assert problems(await administrator.post("/v1/messages", json=forged)) == {("/subject", "several_lines")}


async def test_a_template_speaks_the_language_of_who_gets_it_and_knows_its_places(
    administrator: Client, sent: list[mail.Letter]
) -> None:
    async with transaction("system") as session:
        await session.execute(text("update settings set company_name = 'Acme'"))
    template = await make(
        administrator,
        "templates",
        key="thanks",
        name="Thanks",
        subject={"es": "Gracias, {first_name}", "en": "Thank you"},
        text={"en": "Hello {first_name} {last_name},\n\n{company_name}"},
    )
    lead: dict[str, Any] = {"first_name": "Lucía", "emails": [{"address": "lucia@talleres.example"}]}
    spanish = await make(administrator, "leads", **lead, preferred_language="es-MX")
    english = await make(administrator, "leads", **lead, preferred_language="fr")
    for each in (spanish, english):
        made = await make(administrator, "messages", lead_id=each["id"], template_id=template["id"])
        assert made["language"] == "en", "that of the text, whatever was wanted"
    own = await make(administrator, "messages", lead_id=english["id"], template_id=template["id"], text="My own words")
    await work()
    assert [(letter.subject, letter.text) for letter in sent] == [
        ("Gracias, Lucía", "Hello Lucía,\n\nAcme"),
        ("Thank you", "Hello Lucía,\n\nAcme"),
        ("Thank you", "My own words"),
    ]
    assert own["language"] == "fr"
    answered = (await administrator.get(f"/v1/leads/{spanish['id']}")).json()
    assert answered["first_response_at"] is not None


async def test_an_empty_mail_does_not_go_out_whoever_left_it_empty(
    administrator: Client, sent: list[mail.Letter]
) -> None:
    empty = {"subject": {"en": "{first_name}"}, "text": {"en": "{last_name}"}}
    template = await make(administrator, "templates", key="empty", name="Empty", **empty)
    lead = await make(administrator, "leads", company_name="Acme", emails=[{"address": "info@acme.example"}])
    message = {"lead_id": lead["id"], "template_id": template["id"]}
    required = {("/subject", "required_information"), ("/text", "required_information")}
    assert problems(await administrator.post("/v1/messages", json=message)) == required
    await work()
    assert sent == []


async def test_a_template_with_a_place_that_nothing_fills_in_or_a_key_that_is_taken_is_refused(
    administrator: Client,
) -> None:
    new: dict[str, Any] = {"key": "thanks", "name": "Thanks", "subject": {"en": "Thanks"}, "text": TEXTS}
    bad = new | {"text": {"en": "Dear {frist_name}, {0.__class__} {}"}}
    answer = await administrator.post("/v1/templates", json=bad)
    assert problems(answer) == {("/text/en", "unknown_place")}
    assert "did you mean {first_name}?" in answer.text
    made = await make(administrator, "templates", **new)
    assert problems(await administrator.post("/v1/templates", json=new), 409) == {("/key", "duplicate")}
    answer = await administrator.patch(f"/v1/templates/{made['id']}", json={"subject": {"en": "{nome}"}})
    assert problems(answer) == {("/subject/en", "unknown_place")}
    found = await administrator.get("/v1/templates", params={"key": "web_lead_answer"})
    assert sorted(found.json()["items"][0]["text"]) == ["en", "es", "it"]
