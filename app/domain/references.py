"""The ids that a body names: each must be a record that the caller may see and that is in use."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import chains
from app.db.models import RECORDS
from app.domain.entities.fields import Entity, Values, specs
from app.domain.entities.naming import ids_named
from app.errors import Conflict, FieldError, NotFound
from app.policies.access import Access


async def check(
    session: AsyncSession, access: Access, entity: Entity, given: Values, before: Values | None = None
) -> None:
    """Raise `NotFound` if an id among the values is not there for the caller, with the pointer to it.

    before: the record as it is, with its lists: what a field names already it may go on naming, archived or not.
    """
    errors = []
    for target, ids in named(access, entity, given, before).items():
        model = RECORDS[target]
        query = access.rows(model).with_only_columns(model.id).where(model.id.in_(ids), model.archived_at.is_(None))
        # Whoever archives one of them waits, and takes along what is being made here; so does who converts a lead. One
        # that was waited for may be under a customer whose assignees only the next statement sees.
        query = query.with_for_update(read=True, key_share=target != "leads", of=model)
        found = set(await session.scalars(query))
        if target == "leads" and len(found) < len(ids):
            found = set(await session.scalars(query))
        errors += [
            FieldError(pointer, "not_found", f"No such record in {target}")
            for id, pointers in ids.items()
            if id not in found
            for pointer in pointers
        ]
    if errors:
        raise NotFound("The body names a record that does not exist", errors=errors)


def named(
    access: Access, entity: Entity, given: Values, before: Values | None = None
) -> dict[str, dict[UUID, list[str]]]:
    """The ids among the values, by the entity that they are of, with the pointers to each; but for the caller's own,
    and those that the same field has named before."""
    found: dict[str, dict[UUID, list[str]]] = defaultdict(lambda: defaultdict(list))
    kept = {(_field(pointer), id) for pointer, _, id in ids_named(entity.create, before or {})}
    for pointer, target, id in ids_named(entity.create, given):
        if (target, id) != ("users", access.user_id) and (_field(pointer), id) not in kept:
            found[target][id].append(pointer)
    return found


def _field(pointer: str) -> str:
    return pointer.split("/", 2)[1]


async def check_chains(session: AsyncSession, entity: Entity, id: UUID, changed: Values) -> None:
    """Raise `Conflict` if the record would come back to itself by following one of the fields that changed."""
    for name, flags in specs(entity.create).items():
        to = changed.get(name) if flags.refers_to == entity.name else None
        if to is not None and await chains.closes(session, entity.name, name, id, to):
            problem = FieldError(f"/{name}", "loop", "It comes back to itself: nobody is above themselves")
            raise Conflict("A chain of records must not close", code="loop", errors=[problem])
