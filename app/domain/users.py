"""What one can do with users: whoever joins, leaves, moves or is away changes whom others reach."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import seeds, signing_in, user_reach
from app.db.base import Record
from app.db.models.users import User
from app.db.session import transaction
from app.domain import records
from app.domain.entities.fields import Entity
from app.domain.entities.rules import invalid
from app.domain.entities.users import USERS, UserCreate, username_key
from app.domain.passwords import check_password, hash_password
from app.errors import Conflict, FieldError
from app.policies.access import Access, Reason, not_found
from app.policies.callers import access_of

REACHING = ("manager_id", "absence", "active", "profile_id")


async def create(session: AsyncSession, access: Access, entity: Entity, data: BaseModel) -> Record:
    """A new user, who reaches their own and is reached by their managers."""
    user = await records.create(session, access, entity, data)
    await _reach_anew(session)
    return user


async def change(session: AsyncSession, access: Access, entity: Entity, user: Record, data: BaseModel) -> None:
    """Change a user. Deactivating ends their sessions; the last administrator remains one."""
    before = {name: getattr(user, name) for name in REACHING}
    await records.change(session, access, entity, user, data)
    after: dict[str, Any] = {name: getattr(user, name) for name in REACHING}
    if after == before:
        return
    if before["active"] and not after["active"]:
        await signing_in.end_sessions(session, [user.id])
    await _reach_anew(session)
    await _keep_an_administrator(session)


async def many_changed(session: AsyncSession, deactivated: list[UUID]) -> None:
    """What follows when a file has made and changed users."""
    if deactivated:
        await signing_in.end_sessions(session, deactivated)
    await _reach_anew(session)
    await _keep_an_administrator(session)


async def archive(session: AsyncSession, access: Access, entity: Entity, user: Record) -> None:
    """Archive a user: they are signed out, and sign in no more."""
    await records.archive(session, access, entity, user)
    await signing_in.end_sessions(session, [user.id])
    await _reach_anew(session)
    await _keep_an_administrator(session)


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


async def set_password_from_command_line(username: str, password: str) -> None:
    """Give a user a new password and end their sessions. Raises `NotFound` or `Invalid`."""
    check_password(password, username)
    hashed = await hash_password(password)
    async with transaction("system") as session:
        access = Access.system(Reason.COMMAND_LINE)
        found = access.rows(User).with_only_columns(User.id).where(User.username_key == username_key(username))
        user_id = await session.scalar(found)
        if user_id is None:
            raise not_found("user")
        await signing_in.keep_password(session, user_id, hashed)


async def _reach_anew(session: AsyncSession) -> None:
    await session.flush()
    await user_reach.rewrite(session)
    await seeds.remember_anew(session)


async def _keep_an_administrator(session: AsyncSession) -> None:
    if not await user_reach.has_administrator(session):
        raise Conflict("The last active administrator must remain one", code="last_administrator")
