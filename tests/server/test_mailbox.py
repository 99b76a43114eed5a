"""Is every mail that the demo sends kept where people can read it, and by `crm mail`?"""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import commands
from app.server import mailbox
from app.settings import settings

TEXT = "Buenos días, señora Núñez:\n\nla llamamos mañana. Perché no?\n" + "Una línea larga. " * 80 + "\n"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a mailbox that keeps what comes in `tmp_path/mail`."""
    with mailbox.listening() as listener:
        async with mailbox.catching(mailbox.mail_folder(tmp_path), listener):
            yield mailbox.smtp_url(listener)


def mail(subject: str, text: str = TEXT, html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Clientela <crm@example.com>", "Lucía Núñez <lucia@talleres.example>"
    message["Subject"], message["Message-ID"] = subject, "<7@crm.example>"
    message["Date"] = "Sun, 22 Nov 2026 09:30:00 +0000"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def send(url: str, *messages: EmailMessage) -> None:
    host, port = url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port)) as server:
        for message in messages:
            assert server.send_message(message) == {}


async def test_mails_become_files_that_sort_by_time_and_read_as_they_are(url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(send, url, mail("Su petición, señora"), mail("Second", html="<p>Perché</p>"))
    second, first = mailbox.newest(tmp_path / "mail")
    written = first.read_text()
    assert "Subject: Su petición, señora\n" in written
    assert "To: Lucía Núñez <lucia@talleres.example>\n" in written
    assert "Message-ID: <7@crm.example>\n" in written
    assert TEXT in written
    assert "Perché" in second.read_text()
    assert [path.suffix for path in sorted((tmp_path / "mail").iterdir())] == [".eml", ".eml"]


async def test_what_is_no_mail_is_kept_as_it_came(tmp_path: Path) -> None:
    odd = b"Content-Type: text/plain; charset=klingon\r\n\r\nnuq\xff\r\n"
    path = mailbox.keep(tmp_path, odd)
    assert path.read_bytes() == odd
    assert "nuq" in mailbox.text(path)
    assert mailbox.text(mailbox.keep(tmp_path, b"")).strip() == ""


@pytest.mark.parametrize(
    "odd",
    [
        b"Date: yesterday\r\n\r\nnuq",
        b"Date: Fri, 31 Dec 9999 23:59:59 -1200\r\n\r\nnuq",
        b"To: [@:;<\r\n\r\nnuq",
        b"Message-ID: <\r\n\r\nnuq",
        b"To: \xff\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nnuq\xff",
    ],
)
async def test_a_mail_that_breaks_the_rules_hides_no_other(odd: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "odd.eml").write_bytes(odd)
    for kept in (path, mailbox.keep(tmp_path, odd)):
        assert "\n" not in mailbox.line(kept)
        assert "nuq" in mailbox.text(kept)


async def test_the_command_lists_the_newest_first_and_shows_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    settings.cache_clear()
    try:
        run = CliRunner()
        assert run.invoke(commands, ["mail"]).output == "No mail yet.\n"
        await asyncio.to_thread(send, url, mail("First"), mail("Su petición\x1b[2J"))
        listed = run.invoke(commands, ["mail"]).output.splitlines()
        assert [row[:3] for row in listed] == ["  1", "  2"]
        assert listed[0].endswith("  Lucía Núñez <lucia@talleres.example>  Su petición\ufffd[2J")
        shown = run.invoke(commands, ["mail", "1"]).output
        assert shown.startswith("From: Clientela <crm@example.com>\nTo: Lucía Núñez <lucia@talleres.example>\n")
        assert TEXT.rstrip() in shown
        missing = run.invoke(commands, ["mail", "3"])
        assert (missing.exit_code, str(missing.exception)) == (1, "there is no mail 3: of 2 the newest is 1")
    finally:
        settings.cache_clear()
