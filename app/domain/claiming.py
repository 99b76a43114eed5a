"""How does what is nobody's become somebody's? Whoever asks first has it, and the others are told."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Record
from app.db.models import RECORDS
from app.domain import records
from app.domain.entities.fields import Entity
from app.errors import Conflict, NotFound
from app.policies.access import Access


async def claim(session: AsyncSession, access: Access, entity: Entity, id: UUID) -> Record:
    """Make the caller the owner of a record that has none.

    Raises `NotFound` out of reach, `Forbidden` where the caller may neither assign nor change it, `Conflict` (`taken`,
    `archived`).
    """
    model = RECORDS[entity.name]
    await access.row(session, model, id)
    try:
        record: Any = await access.row(session, model, id, "assign" if access.may(entity.name, "assign") else "update")
    except NotFound:  # in reach a moment ago, as nobody's
        raise _taken() from None
    records.not_archived(record)
    if record.owner_id is not None:
        raise _taken()
    await records.write(session, access, entity, record, {"owner_id": access.user_id}, verb="claimed")
    return record  # type: ignore[no-any-return]


def _taken() -> Conflict:
    return Conflict("It has an owner already", code="taken")
