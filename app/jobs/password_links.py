"""How does a link to set a password leave the house? Under one token at every attempt, which no job holds."""

import logging

from app.domain import password_links
from app.jobs.job import Run
from app.jobs.mail import Refused, hand_over
from app.settings import mail_server

logger = logging.getLogger(__name__)


async def send_password_link(run: Run) -> None:
    """Mail the link to its user, if there still is somebody to mail it to."""
    user_id, purpose = run.id_of("user_id"), run.job.payload["purpose"]
    async with run.transaction() as (session, _):
        letter = await password_links.letter(session, user_id, run.id_of("link_id"), purpose)
    server = mail_server()
    if letter is None or server is None:
        return
    try:
        await hand_over(server, letter)
    except Refused as refused:
        logger.error("The link of user %s could not be mailed: %s", user_id, refused)
