"""How is a message sent? Between two transactions, under the same Message-ID at every attempt."""

import logging
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import jobs
from app.db.base import Json
from app.domain import messages
from app.domain.entities.online import with_ascii_domain
from app.domain.messages import Letter
from app.jobs.job import LONGEST_DELAY, MOST_ATTEMPTS, Run, describe
from app.policies.access import Access, Reason
from app.settings import MailServer, mail_server

# So long a mail server that is away is waited for; an answer that comes later answers nothing.
WORTH_SENDING = timedelta(days=2)
TIMEOUT = 20.0
LOCAL = ("localhost", "127.0.0.1", "::1")

logger = logging.getLogger(__name__)


class Refused(Exception):
    """For good: another attempt would end like this one."""


async def send_message(run: Run) -> None:
    """Send a queued message, and note that it was, or why it cannot be. Anything passing is tried again later."""
    id = run.id_of("message_id")
    async with run.transaction() as (session, access):
        letter = await messages.to_send(session, access, id)
    server = mail_server()
    if letter is None or server is None:
        return
    try:
        await hand_over(server, letter)
    except Refused as refused:
        async with run.transaction(last=True) as (session, access):
            await messages.fail(session, access, id, str(refused))
        return
    except (aiosmtplib.SMTPException, OSError) as error:
        if run.job.attempts < MOST_ATTEMPTS or clock.now() - letter.queued_at > WORTH_SENDING:
            raise
        logger.error("The mail server has been away for long: %s", describe(error))
        async with run.transaction(last=True) as (session, _):
            at = clock.now() + LONGEST_DELAY
            await jobs.promise(session, jobs.Job.SEND_MESSAGE, run_as=None, run_at=at, message_id=id)
        return
    async with run.transaction(last=True) as (session, access):
        await messages.sent(session, access, id)


async def given_up(session: AsyncSession, payload: Json) -> None:
    """The mail server was away, or refused us, for days."""
    reason = "The mail server could not be reached, or did not take it; the log of the worker says why"
    await messages.fail(session, Access.system(Reason.SWEEP), UUID(payload["message_id"]), reason)


async def hand_over(server: MailServer, letter: Letter) -> None:
    """Give a letter to the mail server. Raises `Refused`, and what aiosmtplib raises where it is worth another try."""
    local = server.host in LOCAL
    try:
        await aiosmtplib.send(
            written(server.sender, letter),
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            # A password never travels in the clear; on this machine nobody listens.
            start_tls=None if server.tls else False if local else True if server.password else None,
            timeout=TIMEOUT,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code
        if code >= 500:
            raise Refused(f"The mail server does not take the address ({code})") from None
        raise
    except aiosmtplib.SMTPNotSupported:
        raise Refused("The mail server does not take an address with letters such as ñ before the @") from None
    except aiosmtplib.SMTPDataError as error:
        if error.code >= 500:
            raise Refused(f"The mail server does not take the message ({error.code})") from None
        raise


def written(sender: str, letter: Letter) -> EmailMessage:
    """The mail itself. A line break in a header raises ValueError: nothing can be added to it by what stands in one."""
    mail = EmailMessage()
    mail.set_content(letter.text)
    mail["From"], mail["To"], mail["Subject"] = sender, with_ascii_domain(letter.to), letter.subject
    mail["Message-ID"], mail["Date"] = letter.message_id, format_datetime(clock.now())
    if letter.reply_to:
        mail["Reply-To"] = with_ascii_domain(letter.reply_to)
    if letter.language:
        mail["Content-Language"] = letter.language
    if letter.automatic:
        mail["Auto-Submitted"] = "auto-replied"
    return mail
