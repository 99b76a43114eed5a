"""How does somebody set a password without knowing one? By a link that was mailed to them, good once and not for long.

A link's token is derived from the id of its promise, so that neither a job nor a log holds it, and a mail that is sent
again says the same. What is kept of it is a hash.
"""

import base64
import hmac
import re
from datetime import timedelta
from email.utils import parseaddr
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db import company, jobs, password_links
from app.db import signing_in as kept
from app.db.models.users import User
from app.db.session import transaction
from app.domain import accounts, attempts
from app.domain.addresses import network_of
from app.domain.entities.users import username_key
from app.domain.messages import Letter
from app.domain.own_limits import require_within
from app.domain.passwords import check_password, hash_password
from app.domain.records import not_archived
from app.domain.signing_in import plausible
from app.errors import Conflict, FieldError, Invalid
from app.policies.access import Access
from app.settings import derived_keys, mail_server, settings
from app.texts.labels import label
from app.texts.letters import BY_LINK, BY_TOKEN, FORGOTTEN, INVITATION

Purpose = Literal["reset", "invitation"]
LIFETIME = {"reset": timedelta(hours=1), "invitation": timedelta(days=7)}
# Of one account: asked for from one network in an hour, and good at a time, so that nobody's mailbox is flooded.
AN_HOUR = 3
AT_A_TIME = 5
PER_ADDRESS = 20
FORM = re.compile(r"[A-Za-z0-9_-]{43}")


async def forgotten(username: str, address: str) -> None:
    """Mail a link to who has the username or e-mail address. `address` as in `signing_in.sign_in`.

    The same is done for who exists and who does not: the job finds out whom to write to. Raises `TooMany`.
    """
    name, network = plausible(username), network_of(address)
    await attempts.count(
        attempts.limit(AN_HOUR, attempts.HOUR, "forgotten", name, network),
        attempts.limit(PER_ADDRESS, attempts.HOUR, "forgotten", network),
    )
    async with transaction() as session:
        user_id = await password_links.whose(session, name, name)
        await _promise(session, user_id or uuid7(), "reset")


async def invite(session: AsyncSession, access: Access, user_id: UUID) -> None:
    """Mail a link to a new user, by which they set their first password.

    Raises `NotFound`, `Forbidden`, and `Conflict` where no mail can be sent or the user has a password.
    """
    user = await access.row(session, User, user_id, "configure")
    not_archived(user)
    await require_within(session, access, user.profile_id)
    if mail_server() is None:
        raise Conflict("No mail goes out: CRM_SMTP_URL is not set", code="no_mail_server")
    addressee = await password_links.addressee(session, user_id)
    if addressee is None:
        raise Conflict("Only an active user with an e-mail address is invited", code="not_to_be_invited")
    if addressee.has_password:
        raise Conflict("The user has a password already", code="has_password")
    account = await kept.account(session, user_id=user_id)
    assert account is not None
    await _promise(session, user_id, "invitation")
    accounts.tell(session, access.user_id, account, "invited")


async def reset(token: str, password: str, address: str) -> None:
    """Set the password of whose link it is, and end all their sessions. `address`: it is known as theirs from now on.

    Raises `Invalid`, code `invalid_link` or `weak_password`, `TooMany`, `Unavailable`.
    """
    network = network_of(address)
    counted = await attempts.count(attempts.limit(PER_ADDRESS, attempts.MINUTE, "reset", network))
    hash = _hash(token)
    async with transaction() as session:
        account = await password_links.account(session, hash)
    if account is None:
        raise _invalid()
    check_password(password, account.username)
    password_hash = await hash_password(password)
    async with transaction() as session:
        if not await password_links.use(session, hash, account.user_id, password_hash):
            raise _invalid()
        await kept.end_sessions(session, [account.user_id])
        await attempts.succeeded(session, counted)
        await attempts.know(session, username_key(account.username), network)
        accounts.tell(session, account.user_id, account, "password_reset")


async def letter(session: AsyncSession, user_id: UUID, link_id: UUID, purpose: Purpose) -> Letter | None:
    """The mail with the link, which is good from now on; None where there is nobody to send it to."""
    addressee = await password_links.addressee(session, user_id)
    server = mail_server()
    if addressee is None or server is None or addressee.has_password != (purpose == "reset"):
        return None
    token = _token(link_id)
    expires_at = clock.now() + LIFETIME[purpose]
    hash, email = _hash(token), addressee.email
    if not await password_links.keep(session, hash, user_id, purpose, email, expires_at, AT_A_TIME):
        return None
    found = await company.load(session)
    language = addressee.locale or found.languages[0]
    where = settings().app_url
    # Behind a # it is in no server's log, and goes to no other site.
    shown = f"{where}/set-password#token={token}" if where else token
    subject, text = FORGOTTEN if purpose == "reset" else INVITATION
    values = {"name": addressee.name, "username": addressee.username}
    values["company"] = found.company_name or found.legal_name or "Clientela"
    values["how"] = label(BY_LINK if where else BY_TOKEN, language)
    return Letter(
        to=email,
        subject=label(subject, language).format(**values),
        text=label(text, language).format(**values, link=shown),
        language=language,
        message_id=f"<{link_id}@{parseaddr(server.sender)[1].partition('@')[2]}>",
        queued_at=clock.now(),
        reply_to=None,
        automatic=True,
    )


async def _promise(session: AsyncSession, user_id: UUID, purpose: Purpose) -> None:
    link_id = uuid7()
    await jobs.promise(
        session,
        jobs.Job.SEND_PASSWORD_LINK,
        run_as=None,
        dedupe=f"{user_id} {purpose}",
        user_id=user_id,
        link_id=link_id,
        purpose=purpose,
    )


def _token(link_id: UUID) -> str:
    digest = hmac.digest(derived_keys("password link")[0], link_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest() if FORM.fullmatch(token) else b""


def _invalid() -> Invalid:
    problem = "The link was used, has expired, or is none of ours"
    return Invalid(problem, code="invalid_link", errors=[FieldError("/token", "invalid_link", problem)])
