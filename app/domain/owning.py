"""Who may be given what is still to be done? Whoever is active and has a profile that reads it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import handing_over
from app.db.queries import import_references
from app.domain.entities import rules
from app.domain.entities.fields import Entity, Values
from app.errors import FieldError
from app.policies.access import Access
from app.policies.callers import readers, with_customers
from app.policies.profiles import everything


async def unable(session: AsyncSession, user_ids: Collection[UUID], *sections: str) -> set[UUID]:
    """Those among the users who have left, or have a profile that does not read these sections."""
    if not user_ids:
        return set()
    return set(user_ids) - await handing_over.at_work(session, user_ids, await readers(session, *sections))


async def check(session: AsyncSession, access: Access, section: str, field: str, owner_id: UUID | None) -> None:
    """Raise `Invalid` (`cannot_take_over`) for an owner who could not open what they would get in a section.

    Everybody may own what they make themselves, and the product gives work to whom it has found at work.
    """
    is_the_product = access.grants is everything()
    if owner_id is None or owner_id == access.user_id or is_the_product:
        return
    await handing_over.keep(session, [owner_id])
    if await unable(session, [owner_id], section):
        raise rules.invalid([FieldError(f"/{field}", "cannot_take_over", message(section))])


async def refuse_unable(session: AsyncSession, access: Access, section: str, dry_run: bool) -> set[UUID]:
    """The same of the rows of a file that are new records. Answers all whom rows name, and who are unable."""
    named = set(await import_references.owners_named(session)) - {access.user_id}
    if not dry_run:
        await handing_over.keep(session, named)
    found = await unable(session, named, section)
    if found:
        await import_references.refuse_unable(session, found, message(section))
    return found


def message(*sections: str) -> str:
    return f"Must be an active user whose profile reads {', '.join(sorted(with_customers(*sections)))}"


def is_to_be_done(entity: Entity, record: Values) -> bool:
    """Whether a record is work that its owner has yet to do, or a customer; what is closed may be anybody's."""
    if entity.name not in handing_over.OPEN:
        return False
    return record.get("stage_kind", "open") == "open" and record.get("state", "planned") in ("planned", "queued")
