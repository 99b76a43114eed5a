"""Who may do more than the caller? Them the caller neither touches, nor puts anybody above."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import user_reach
from app.errors import FieldError, Forbidden
from app.policies.access import Access
from app.policies.profiles import profile_within, profiles_within


async def require_within(session: AsyncSession, access: Access, profile: str, pointer: str | None = None) -> None:
    """Raise `Forbidden`, code `exceeds_own_profile`, if a profile grants what the caller lacks.

    pointer: where the body names it, if it does.
    """
    if not await profile_within(session, profile, access.grants):
        raise _exceeding(pointer)


async def require_team_within(session: AsyncSession, access: Access, user_id: UUID, pointer: str | None = None) -> None:
    """Raise as `require_within` does if anybody in a user's team, all the way down, may do more than the caller: who
    comes above the user sees what all of them see. Asked under `user_reach.hold`."""
    if await user_reach.above_others(session, [user_id], await profiles_within(session, access.grants)):
        raise _exceeding(pointer)


def _exceeding(pointer: str | None) -> Forbidden:
    message = "Their profile grants more than your own does"
    problems = [FieldError(pointer, "exceeds_own_profile", message)] if pointer else []
    return Forbidden(message, code="exceeds_own_profile", errors=problems)
