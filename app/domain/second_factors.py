"""How does somebody prove with a device of theirs that it is them, beside the password?"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import second_factors, seeds
from app.db import signing_in as kept
from app.db.second_factors import Factor
from app.db.session import transaction
from app.domain import accounts, attempts, codes
from app.domain.attempts import Limit
from app.errors import Conflict, FieldError, Forbidden, Invalid, Unauthenticated
from app.policies.tokens import Claims

# Whoever gets so far knows the password: it may be few, wherever they come from.
CODES_AN_HOUR = 20


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is set up with, three ways of saying the same: to type, to open, to scan (SVG)."""

    secret: str
    uri: str
    qr_svg: str


async def begin(caller: Claims, current_password: str | None) -> Enrolment:
    """Make a secret for the caller, not in use until `confirm`. Raises `Conflict` if one is in use, and as
    `accounts.prove`."""
    async with transaction() as session:
        account = await accounts.allow(session, caller, caller.user_id, enrolling=True)
    if account.password_hash is not None or current_password is not None:
        await accounts.prove(account, current_password)
    secret = codes.new_secret()
    async with transaction() as session:
        await accounts.allow(session, caller, caller.user_id, enrolling=True)
        if not await second_factors.begin(session, caller.user_id, codes.sealed(secret, caller.user_id)):
            raise Conflict("A second factor is in use; switch it off first", code="second_factor_on")
    uri = codes.address(secret, account.username)
    return Enrolment(secret, uri, codes.picture(uri))


async def confirm(caller: Claims, code: str) -> list[str]:
    """Switch the second factor on, by a first code, and end the caller's other sessions. The recovery codes.

    Raises `Conflict` if none was begun or one is in use, `Invalid` for a wrong code.
    """
    async with transaction() as session:
        account = await accounts.allow(session, caller, caller.user_id, enrolling=True)
        factor = await second_factors.factor(session, caller.user_id)
        if factor is None:
            raise _none()
        if factor.confirmed_at is not None:
            raise Conflict("A second factor is in use; switch it off first", code="second_factor_on")
        secret = codes.opened(factor.secret, caller.user_id)
        step = None if secret is None else codes.matching_step(secret, codes.plain(code), None)
        if step is None:
            raise _wrong()
        recovery = codes.new_recovery_codes()
        hashes = [codes.recovery_hash(codes.plain(each)) for each in recovery]
        await second_factors.confirm(session, caller.user_id, step, hashes)
        await kept.end_sessions(session, [caller.user_id], but=caller.session_id)
        await seeds.remember_anew(session)
        accounts.tell(session, caller.user_id, account, "second_factor_on")
    return recovery


async def switch_off(caller: Claims, current_password: str | None, code: str) -> None:
    """The caller does without one from now on. Raises `Conflict` if there is none, and as `accounts.prove`."""
    async with transaction() as session:
        account = await accounts.allow(session, caller, caller.user_id)
    if not account.second_factor:
        raise _none()
    if account.password_hash is not None or current_password is not None:
        await accounts.prove(account, current_password)
    await count_code(caller.user_id)
    async with transaction() as session:
        await accounts.allow(session, caller, caller.user_id)
        factor = await second_factors.factor(session, caller.user_id)
        if factor is None or not await _matches(session, caller.user_id, factor, code):
            raise _wrong()
        await second_factors.delete(session, caller.user_id)
        await seeds.remember_anew(session)
        accounts.tell(session, caller.user_id, account, "second_factor_off")


async def take_away(caller: Claims, user_id: UUID) -> None:
    """Another's second factor, lost with their device, is none any more, and their sessions end."""
    if user_id == caller.user_id:
        async with transaction() as session:
            await accounts.allow(session, caller, user_id)
        raise Forbidden("Your own is switched off with your password and a code")
    async with transaction() as session:
        account = await accounts.allow(session, caller, user_id)
        if await second_factors.delete(session, user_id):
            await kept.end_sessions(session, [user_id])
            await seeds.remember_anew(session)
            accounts.tell(session, caller.user_id, account, "second_factor_off")


async def seal_anew(session: AsyncSession) -> None:
    """Seal every secret with the newest of the company's keys, so that the older ones may go."""
    for user_id, secret in await second_factors.secrets(session):
        if (anew := codes.sealed_anew(secret, user_id)) is not None:
            await second_factors.replace_secret(session, user_id, secret, anew)


async def count_code(user_id: UUID) -> tuple[Limit, ...]:
    """Before a code is looked at. As `attempts.count`."""
    return await attempts.count(attempts.limit(CODES_AN_HOUR, attempts.HOUR, "code", str(user_id)))


async def demand(session: AsyncSession, user_id: UUID, code: str | None) -> None:
    """Let only those on who have no second factor or give a code of it. Raises `Unauthenticated`."""
    factor = await second_factors.factor(session, user_id)
    if factor is None or factor.confirmed_at is None:
        return
    if not code:
        raise Unauthenticated("A code of the second factor is needed", code="second_factor_required")
    if not await _matches(session, user_id, factor, code):
        raise Unauthenticated("The code is wrong, was used, or is of another time", code="wrong_code")


async def _matches(session: AsyncSession, user_id: UUID, factor: Factor, code: str) -> bool:
    """Whether it is a code of now, or a recovery code. It is used then."""
    given = codes.plain(code)
    if not codes.is_of_now(given):
        return await second_factors.use_recovery_code(session, user_id, codes.recovery_hash(given))
    secret = codes.opened(factor.secret, user_id)
    step = None if secret is None else codes.matching_step(secret, given, factor.last_step)
    if step is None:
        return False
    await second_factors.use(session, user_id, step)
    return True


def _wrong() -> Invalid:
    problem = "The code is wrong, was used, or is of another time"
    return Invalid(problem, code="wrong_code", errors=[FieldError("/code", "wrong_code", problem)])


def _none() -> Conflict:
    return Conflict("There is no second factor; begin with one first", code="no_second_factor")
