"""How are second factors and recovery codes kept?"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor, in use once it is confirmed. `last_step`: the time step of the last code that was used."""

    secret: bytes
    confirmed_at: datetime | None
    last_step: int | None


@dataclass(frozen=True, slots=True)
class State:
    """required: by the user's profile; recovery_codes: how many are left."""

    required: bool
    confirmed_at: datetime | None
    recovery_codes: int


async def factor(session: AsyncSession, user_id: UUID) -> Factor | None:
    """The user's factor, which nobody else uses or changes until the transaction ends."""
    row = (await session.execute(_FACTOR, {"user_id": user_id})).one_or_none()
    return Factor(*row) if row else None


async def state(session: AsyncSession, user_id: UUID) -> State:
    return State(*(await session.execute(_STATE, {"user_id": user_id})).one())


async def begin(session: AsyncSession, user_id: UUID, secret: bytes) -> bool:
    """Keep the secret of a factor that is not confirmed yet, in the place of another such; False if one is in use."""
    begun = await session.scalar(_BEGIN, {"user_id": user_id, "secret": secret, "now": clock.now()})
    return begun is not None


async def confirm(session: AsyncSession, user_id: UUID, step: int, recovery: Collection[bytes]) -> None:
    """The factor is in use from now on, and the recovery codes are these."""
    await session.execute(_CONFIRM, {"user_id": user_id, "now": clock.now(), "step": step})
    await session.execute(_DELETE_CODES, {"user_id": user_id})
    await session.execute(_ADD_CODES, {"user_id": user_id, "hashes": list(recovery)})


async def use(session: AsyncSession, user_id: UUID, step: int) -> None:
    """The code of the step was used."""
    await session.execute(_USE, {"user_id": user_id, "step": step})


async def secrets(session: AsyncSession) -> list[tuple[UUID, bytes]]:
    """All of them, by user."""
    return [(user_id, secret) for user_id, secret in await session.execute(_SECRETS)]


async def replace_secret(session: AsyncSession, user_id: UUID, old: bytes, new: bytes) -> None:
    """The same secret sealed anew, unless there is another meanwhile."""
    await session.execute(_REPLACE, {"user_id": user_id, "old": old, "new": new})


async def use_recovery_code(session: AsyncSession, user_id: UUID, hash: bytes) -> bool:
    """Whether it was a recovery code of the user; it is none any more."""
    return await session.scalar(_USE_CODE, {"user_id": user_id, "hash": hash}) is not None


async def delete(session: AsyncSession, user_id: UUID) -> bool:
    """Whether there was one, confirmed or not."""
    await session.execute(_DELETE_CODES, {"user_id": user_id})
    return await session.scalar(_DELETE, {"user_id": user_id}) is not None


_FACTOR = text("select secret, confirmed_at, last_step from second_factors where user_id = :user_id for update")

_STATE = text("""
select p.second_factor_required and not u.service, f.confirmed_at,
  (select count(*) from recovery_codes r where r.user_id = u.id)
from users u join profiles p on p.id = u.profile_id left join second_factors f on f.user_id = u.id where u.id = :user_id
""")

_BEGIN = text("""
insert into second_factors as f (user_id, secret, begun_at) values (:user_id, :secret, :now)
on conflict (user_id) do update set secret = excluded.secret, begun_at = excluded.begun_at
where f.confirmed_at is null returning user_id
""")

_CONFIRM = text("update second_factors set confirmed_at = :now, last_step = :step where user_id = :user_id")

_DELETE_CODES = text("delete from recovery_codes where user_id = :user_id")

_ADD_CODES = text("""
insert into recovery_codes (user_id, hash) select cast(:user_id as uuid), hash from unnest(:hashes) hash
""").bindparams(bindparam("hashes", type_=ARRAY(LargeBinary)))

_USE = text("update second_factors set last_step = :step where user_id = :user_id")

_SECRETS = text("select user_id, secret from second_factors")

_REPLACE = text("update second_factors set secret = :new where user_id = :user_id and secret = :old")

_USE_CODE = text("delete from recovery_codes where user_id = :user_id and hash = :hash returning user_id")

_DELETE = text("delete from second_factors where user_id = :user_id returning user_id")
