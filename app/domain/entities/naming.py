"""Where in the values of a record are other records named?"""

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.domain.entities.fields import Values, item_models, specs


def ids_named(declared: type[BaseModel], values: Values, path: str = "") -> Iterator[tuple[str, str, UUID]]:
    """The ids of records among the values: the pointer to each, the entity that it is of, and the id."""
    for name, target, item in _naming(declared):
        value: Any = values.get(name)
        if value is None:
            continue
        if target:
            yield f"{path}/{name}", target, value if isinstance(value, UUID) else UUID(value)
        elif item and isinstance(value, list):
            for position, each in enumerate(value):
                yield from ids_named(item, each, f"{path}/{name}/{position}")
        elif item and isinstance(value, dict):
            yield from ids_named(item, value, f"{path}/{name}")


@cache
def _naming(declared: type[BaseModel]) -> tuple[tuple[str, str | None, type[BaseModel] | None], ...]:
    """The fields that hold ids of records, themselves or in their items: name, whose ids, model of the items."""
    items = item_models(declared)
    found = ((name, each.refers_to, items.get(name)) for name, each in specs(declared).items())
    return tuple(each for each in found if each[1] or (each[2] and _naming(each[2])))
