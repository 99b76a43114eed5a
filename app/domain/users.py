"""What one can do with users: whoever joins, leaves, moves or is away changes whom others reach."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import second_factors, seeds, signing_in, user_reach
from app.db.base import Record
from app.db.models.users import User
from app.db.session import transaction
from app.domain import accounts, handing_over, records
from app.domain.entities.fields import Entity
from app.domain.entities.rules import invalid
from app.domain.entities.users import USERS, UserCreate, username_key
from app.domain.own_limits import require_team_within, require_within
from app.domain.passwords import check_password, hash_password
from app.domain.profiles import keep_an_administrator
from app.errors import FieldError
from app.policies.access import Access, Reason, not_found
from app.policies.callers import access_of

REACHING = ("manager_id", "absence", "active", "profile_id")


async def create(session: AsyncSession, access: Access, entity: Entity, data: BaseModel) -> Record:
    """A new user, who reaches their own and is reached by their managers. Nobody gives a profile of more than they may
    do themselves: `Forbidden`, code `exceeds_own_profile`."""
    user = await records.create(session, access, entity, data)
    await _reach_anew(session)
    await require_within(session, access, getattr(user, "profile_id", ""), "/profile_id")
    return user


async def change(session: AsyncSession, access: Access, entity: Entity, user: Record, data: BaseModel) -> None:
    """Change a user. Deactivating and another profile end their sessions; the last administrator remains one.

    Raises `Forbidden`, code `exceeds_own_profile`, for a user who may do more than the caller, or would, and for a new
    manager or substitute of one whose team may; `Conflict`, code `owns_work`, for who would leave with work, or not see
    it any more, if that is not confirmed.
    """
    await require_within(session, access, getattr(user, "profile_id", ""))
    before = {name: getattr(user, name) for name in REACHING}
    await records.change(session, access, entity, user, data)
    after: dict[str, Any] = {name: getattr(user, name) for name in REACHING}
    if after == before:
        return
    other_profile = before["profile_id"] != after["profile_id"]
    if before["active"] and (other_profile or not after["active"]):
        await handing_over.check_leaving(session, access, user.id, after["profile_id"] if after["active"] else None)
    # What an API key may do follows the profile with the next request.
    if before["active"] != after["active"] or (other_profile and not getattr(user, "service", False)):
        await signing_in.end_sessions(session, [user.id])
    await _reach_anew(session)
    for name in ("manager_id", "absence"):
        if after[name] and after[name] != before[name]:
            await require_team_within(session, access, user.id, f"/{name}")
    if other_profile:
        await require_within(session, access, after["profile_id"], "/profile_id")
    await keep_an_administrator(session)


async def many_changed(session: AsyncSession, signed_out: list[UUID]) -> None:
    """What follows when a file has made and changed users. signed_out: whom it deactivated or gave another profile."""
    if signed_out:
        await signing_in.end_sessions(session, signed_out)
    await _reach_anew(session)
    await keep_an_administrator(session)


async def archive(session: AsyncSession, access: Access, entity: Entity, user: Record) -> None:
    """Archive a user: they are signed out, and sign in no more. Raises `Forbidden` and `Conflict` as `change` does."""
    await require_within(session, access, getattr(user, "profile_id", ""))
    if user.archived_at is None:
        await handing_over.check_leaving(session, access, user.id)
    await records.archive(session, access, entity, user)
    await signing_in.end_sessions(session, [user.id])
    await _reach_anew(session)
    await keep_an_administrator(session)


async def restore(session: AsyncSession, access: Access, entity: Entity, user: Record) -> None:
    """Bring an archived user back. Raises `Forbidden` as `change` does."""
    await require_within(session, access, getattr(user, "profile_id", ""))
    await records.restore(session, access, entity, user)


async def create_from_command_line(username: str, name: str, profile: str, email: str | None, password: str) -> None:
    """The way the first administrator is made. Raises `Invalid` or `Conflict`."""
    check_password(password, username)
    hashed = await hash_password(password)
    async with transaction("system") as session:
        vocabulary = (await access_of(session, seeds.SYSTEM_USER)).vocabulary
        access = Access.system(Reason.COMMAND_LINE, vocabulary)
        try:
            data = UserCreate(username=username, name=name, profile_id=profile, email=email)
        except ValidationError as error:
            raise invalid(
                [FieldError(f"/{each['loc'][0]}", each["type"], each["msg"]) for each in error.errors()]
            ) from None
        user = await create(session, access, USERS, data)
        await signing_in.keep_password(session, user.id, hashed)


async def set_password_from_command_line(username: str, password: str, without_second_factor: bool) -> None:
    """Give a user a new password and end their sessions; where that was lost, take away their second factor.

    Raises `NotFound` or `Invalid`.
    """
    check_password(password, username)
    hashed = await hash_password(password)
    async with transaction("system") as session:
        access = Access.system(Reason.COMMAND_LINE)
        whose = (User.username_key == username_key(username), ~User.service)
        found = access.rows(User).with_only_columns(User.id).where(*whose)
        user_id = await session.scalar(found)
        if user_id is None:
            raise not_found("user")
        await signing_in.keep_password(session, user_id, hashed)
        await signing_in.end_sessions(session, [user_id])
        account = await signing_in.account(session, user_id=user_id)
        assert account is not None
        accounts.tell(session, access.user_id, account, "password_set")
        if without_second_factor and await second_factors.delete(session, user_id):
            await seeds.remember_anew(session)
            accounts.tell(session, access.user_id, account, "second_factor_off")


async def _reach_anew(session: AsyncSession) -> None:
    await session.flush()
    await user_reach.rewrite(session)
    await seeds.remember_anew(session)
