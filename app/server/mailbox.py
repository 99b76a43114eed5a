"""Where does the demo's mail go? Into files: an SMTP server on the loopback takes all of it and passes none on."""

import asyncio
import email
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from email.policy import default as POLICY
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from app import clock

READABLE = POLICY.clone(utf8=True, cte_type="8bit", max_line_length=0, refold_source="all")
# What the standard library raises for mails that break its rules.
ODD = (ValueError, LookupError, OverflowError, TypeError, AttributeError)
OF_THE_JOURNEY = ("content-type", "content-transfer-encoding", "mime-version")


class Keeping:
    """What the server does with what it is handed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one mail; it is there whole, under its name, before the sender is told so."""
        content = envelope.content
        assert isinstance(content, bytes)
        keep(self.folder, content)
        return "250 Kept, and sent to nobody"


@asynccontextmanager
async def catching(folder: Path, listener: socket.socket) -> AsyncIterator[None]:
    """Take what comes to a listening socket into the folder, for as long as the block lasts."""
    loop = asyncio.get_running_loop()
    handler = Keeping(folder)

    def connected() -> SMTP:
        return SMTP(handler, enable_SMTPUTF8=True, hostname="localhost", ident="Clientela", loop=loop)

    async with await loop.create_server(connected, sock=listener):
        yield


def listening() -> socket.socket:
    """A socket on the loopback, on a port that nobody has."""
    return socket.create_server(("127.0.0.1", 0))


def smtp_url(listener: socket.socket) -> str:
    """The address of a mailbox as CRM_SMTP_URL takes it."""
    host, port = listener.getsockname()[:2]
    return f"smtp://{host}:{port}"


def mail_folder(data_dir: Path) -> Path:
    """Where the mails lie."""
    return data_dir / "mail"


def keep(folder: Path, content: bytes) -> Path:
    """Write one mail to a file of its own; by their names they sort as they came."""
    # What is too odd to be read is kept as it came.
    with suppress(*ODD):
        content = readable(email.message_from_bytes(content, policy=POLICY))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = clock.now()
    name = f"{at:%Y%m%dT%H%M%S}.{at.microsecond:06}"
    unfinished = folder / f".{name}-{os.getpid()}"
    unfinished.write_bytes(content)
    number = 0
    while True:
        path = folder / f"{name}-{number}.eml"
        try:
            os.link(unfinished, path)
            break
        except FileExistsError:
            number += 1
    unfinished.unlink()
    return path


def readable(message: EmailMessage) -> bytes:
    """The mail with its texts and headers as they read, not as they travelled."""
    for part in message.walk():
        if part.get_content_maintype() == "text" and not part.is_attachment():
            part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="8bit")
    return message.as_bytes(policy=READABLE)


def newest(folder: Path) -> list[Path]:
    """The mails that were kept, the newest first."""
    return sorted(folder.glob("*.eml"), reverse=True)


def line(path: Path) -> str:
    """One mail in a line: when, to whom, about what."""
    try:
        message = _read(path)
        sent = message["Date"]
        when = f"{parsedate_to_datetime(str(sent)).astimezone():%Y-%m-%d %H:%M}" if sent else " " * 16
        return _printable(f"{when}  {message['To'] or ''}  {message['Subject'] or ''}")
    except ODD:
        return f"{' ' * 16}  {path.name}"


def text(path: Path) -> str:
    """One mail to be read: its headers, and its text decoded."""
    try:
        message = _read(path)
        body = message.get_body(("plain", "html"))
        said = body.get_content() if body is not None else ""
        headers = [f"{name}: {value}" for name, value in message.items() if name.lower() not in OF_THE_JOURNEY]
        return _printable("\n".join([*headers, "", said.rstrip()]))
    except ODD:
        return _printable(path.read_text(errors="replace").rstrip())


def _printable(said: str) -> str:
    """A stranger's words must not speak to the terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in said)


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=POLICY)


async def serve(descriptor: int, folder: Path) -> None:
    """Take mail until somebody asks to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with catching(folder, socket.socket(fileno=descriptor)):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
