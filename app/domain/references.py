"""The ids that a body names: each must be a record that the caller may see and that is in use."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import chains
from app.db.models import RECORDS
from app.domain.entities.fields import Entity, Values, item_models, specs
from app.errors import Conflict, FieldError, NotFound
from app.policies.access import Access


async def check(session: AsyncSession, access: Access, entity: Entity, given: Values) -> None:
    """Raise `NotFound` if an id among the values is not there for the caller, with the pointer to it."""
    errors = []
    for target, ids in named(access, entity, given).items():
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


def named(access: Access, entity: Entity, given: Values) -> dict[str, dict[UUID, list[str]]]:
    """The ids among the values, by the entity that they are of, with the pointers to each; but for the caller's own."""
    found: dict[str, dict[UUID, list[str]]] = defaultdict(lambda: defaultdict(list))
    for pointer, target, id in _ids(entity.create, given):
        if (target, id) != ("users", access.user_id):
            found[target][id].append(pointer)
    return found


async def check_chains(session: AsyncSession, entity: Entity, id: UUID, changed: Values) -> None:
    """Raise `Conflict` if the record would come back to itself by following one of the fields that changed."""
    for name, flags in specs(entity.create).items():
        to = changed.get(name) if flags.refers_to == entity.name else None
        if to is not None and await chains.closes(session, entity.name, name, id, to):
            problem = FieldError(f"/{name}", "loop", "It comes back to itself: nobody is above themselves")
            raise Conflict("A chain of records must not close", code="loop", errors=[problem])


def _ids(declared: type[BaseModel], values: Values, path: str = "") -> Iterator[tuple[str, str, UUID]]:
    for name, target, item in _naming(declared):
        value: Any = values.get(name)
        if value is None:
            continue
        if target:
            yield f"{path}/{name}", target, value if isinstance(value, UUID) else UUID(value)
        elif item and isinstance(value, list):
            for position, each in enumerate(value):
                yield from _ids(item, each, f"{path}/{name}/{position}")
        elif item and isinstance(value, dict):
            yield from _ids(item, value, f"{path}/{name}")


@cache
def _naming(declared: type[BaseModel]) -> tuple[tuple[str, str | None, type[BaseModel] | None], ...]:
    """The fields that hold ids of records, themselves or in their items: name, whose ids, model of the items."""
    items = item_models(declared)
    found = ((name, each.refers_to, items.get(name)) for name, each in specs(declared).items())
    return tuple(each for each in found if each[1] or (each[2] and _naming(each[2])))
