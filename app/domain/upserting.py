"""How is a record created or changed by the id that another system knows it by?"""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import keys
from app.db.base import Record
from app.db.models import RECORDS
from app.db.session import operation_of
from app.domain import records
from app.domain.entities.fields import Entity
from app.errors import Conflict, NotFound, Stale
from app.policies.access import Access

NOT_THERE = "There is no record by this id that If-Match could name"


async def upsert(
    session: AsyncSession,
    access: Access,
    entity: Entity,
    system: str,
    external_id: str,
    data: BaseModel,
    if_match: str | None,
    create: Callable[[AsyncSession, Access, Entity, BaseModel], Awaitable[Record]],
    change: Callable[[AsyncSession, Access, Entity, Record, BaseModel], Awaitable[None]],
) -> tuple[Record, bool]:
    """Create or change the record that another system knows by its own id. Answers the record and whether it is new.

    Raises `Conflict`: `archived`, or `taken` when the id belongs to a record out of the caller's reach; and `Stale` as
    `records.unchanged_since` does, also where `If-Match` is given and the caller sees no such record.
    """
    id = await keys.find_external(session, entity.name, system, external_id)
    if id is None and if_match is not None:
        raise Stale(NOT_THERE)
    if id is None:
        new = entity.create.model_validate(data.model_dump(exclude_unset=True))
        record = await create(session, access, entity, new)
        operation_of(session).pending.external_ids.append(
            {"entity": entity.name, "system": system, "external_id": external_id, "record_id": record.id}
        )
        return record, True
    try:
        record = await access.row(session, RECORDS[entity.name], id, "update")
    except NotFound:
        if if_match is not None:
            raise Stale(NOT_THERE) from None
        # As if the id were free: whoever creates none learns nothing about those there are.
        access.require(entity.name, "create")
        raise Conflict("This external id is taken", code="taken") from None
    await records.unchanged_since(session, access, entity, record, if_match)
    await change(session, access, entity, record, data)
    return record, False
