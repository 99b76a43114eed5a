"""Does an answer leave the house, by the worker as it is run, a real mail server, and Valkey or none?"""

import asyncio
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.db import bell
from app.domain.messages import Letter
from app.jobs import mail
from app.server import mailbox
from app.settings import MailServer, settings
from tests.conftest import People
from tests.jobs.company import lead, rows, switch
from tests.jobs.effects import is_quiet, until, working

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LETTER = Letter("lucia@talleres.example", "Añadir", "Un saludo", "es", "<7@acme.example>", NOW, None, True)


async def states() -> list[str]:
    return [row.state for row in await rows("select state from messages")]


async def test_the_bell_has_a_lead_answered_within_seconds_of_its_coming(people: People, mail_folder: Path) -> None:
    await switch("web_lead")
    ana = await people.user("sales")
    with working(silence=60):
        await until(is_quiet)
        await lead()
        await until(lambda: _is(["sent"]), 20)
    [path] = mailbox.newest(mail_folder)
    [message] = await rows("select message_id from messages")
    written = path.read_text()
    assert f"Message-ID: {message.message_id}\n" in written
    assert (
        "From: Acme <hello@acme.example>\nTo: lucia@talleres.example\nSubject: Hemos recibido su mensaje\n" in written
    )
    assert "Auto-Submitted: auto-replied\n" in written
    assert "Hola Lucía:" in written
    assert [row.owner_id for row in await rows("select owner_id from activities where kind = 'call'")] == [ana]


async def test_without_redis_it_is_answered_a_little_later(
    people: People, mail_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bell.close()
    monkeypatch.setenv("CRM_REDIS_URL", "unix:///nowhere/kv.sock")
    settings.cache_clear()
    await switch("web_lead")
    with working():
        await lead()
        await until(lambda: _is(["sent"]), 40)
    assert len(mailbox.newest(mail_folder)) == 1


async def _is(wanted: list[str]) -> bool:
    return await states() == wanted


class Refusing:
    """A mail server that takes no letter for nobody, and no long one."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith(("nobody", "later")):
            return "550 No such mailbox" if address.startswith("nobody") else "450 Come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return "554 Not this"


async def test_what_the_server_refuses_for_good_is_told_from_what_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with await asyncio.get_running_loop().create_server(lambda: SMTP(Refusing()), sock=listener):
            server = MailServer("127.0.0.1", listener.getsockname()[1], False, None, None, "hello@acme.example")
            for to, reason in (
                ("nobody@talleres.example", "The mail server does not take the address (550)"),
                ("lucia@talleres.example", "The mail server does not take the message (554)"),
            ):
                with pytest.raises(mail.Refused) as refused:
                    await mail.hand_over(server, _letter(to))
                assert str(refused.value) == reason
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await mail.hand_over(server, _letter("later@talleres.example"))
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await mail.hand_over(server, LETTER)


def test_a_domain_leaves_in_letters_that_every_server_knows() -> None:
    made = mail.written("Acme <hello@acme.example>", _letter("ana@muñoz.example", reply_to="eva@straße.example"))
    assert (made["To"], made["Reply-To"]) == ("ana@xn--muoz-hqa.example", "eva@xn--strae-oqa.example")
    assert mail.written("Acme <hello@acme.example>", _letter("josé@acme.example"))["To"] == "josé@acme.example"


async def test_an_address_that_the_server_cannot_write_to_is_refused_for_good() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        old = lambda: SMTP(Refusing(), enable_SMTPUTF8=False)
        async with await asyncio.get_running_loop().create_server(old, sock=listener):
            server = MailServer("127.0.0.1", listener.getsockname()[1], False, None, None, "hello@acme.example")
            with pytest.raises(mail.Refused, match="letters such as ñ"):
                await mail.hand_over(server, _letter("josé@talleres.example"))


def test_nothing_is_added_to_a_mail_by_what_stands_in_a_header() -> None:
    made = mail.written("Acme <hello@acme.example>", LETTER)
    assert isinstance(made, EmailMessage)
    assert (made["Subject"], made["Content-Language"], made["Reply-To"]) == ("Añadir", "es", None)
    for part in ("to", "subject", "message_id", "language"):
        forged = _letter(**{part: "a\r\nBcc: everybody@talleres.example"})
        with pytest.raises(ValueError):
            mail.written("Acme <hello@acme.example>", forged)


def _letter(to: str = "lucia@talleres.example", **parts: str) -> Letter:
    given = {name: getattr(LETTER, name) for name in Letter.__slots__}  # type: ignore[attr-defined]
    return Letter(**given | {"to": to} | parts)
