"""May a caller change an account, and is it really them who asks?"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import ledger
from app.db import signing_in as kept
from app.db.models.users import User
from app.db.session import driver, operation_of, transaction
from app.domain import attempts
from app.domain.own_limits import require_within
from app.domain.passwords import password_matches
from app.domain.records import not_archived
from app.errors import Conflict, FieldError, Invalid
from app.policies.callers import enter
from app.policies.tokens import Claims


async def allow(session: AsyncSession, caller: Claims, user_id: UUID, *, enrolling: bool = False) -> kept.Account:
    """The account, if the caller is signed in and may, as it is now, change it: their own, or that of
    somebody whom they configure and who may do no more than they.

    enrolling: also who must set up a second factor first. Raises `Unauthenticated`, `NotFound`, `Forbidden`, and
    `Conflict` for an archived one.
    """
    access = await enter(await driver(session), caller.user_id, caller.session_id)
    if not enrolling:
        access.require_enrolled()
    if user_id != caller.user_id:
        user = await access.row(session, User, user_id, "configure")
        not_archived(user)
        if user.service:
            raise Conflict("A service user never signs in; give it an API key", code="service_user")
        await require_within(session, access, user.profile_id)
    account = await kept.account(session, user_id=user_id)
    assert account is not None
    return account


async def prove(account: kept.Account, current_password: str | None) -> None:
    """Raise `Invalid` unless it is the account's password; guessing it is limited as signing in is."""
    counted = await attempts.count(
        attempts.limit(attempts.PER_ACCOUNT, attempts.MINUTE, "password", str(account.user_id))
    )
    if not await password_matches(current_password or "", account.password_hash):
        problem = "Your current password is needed, and this is not it"
        error = FieldError("/current_password", "wrong_password", problem)
        raise Invalid(problem, code="wrong_password", errors=[error])
    async with transaction() as session:
        await attempts.succeeded(session, counted)


def tell(session: AsyncSession, actor: UUID, account: kept.Account, what: str) -> None:
    """Write to the ledger what happened to an account, such as "password_set"; never a value."""
    operation = operation_of(session)
    ledger.event(
        operation.pending,
        type=f"user.{what}",
        entity="users",
        record_id=account.user_id,
        version=account.version,
        customer_id=None,
        changes={},
        actor=actor,
        source=operation.source,
        operation_id=operation.id,
    )
