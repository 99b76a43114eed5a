"""When are rows of a file one record, what does it say, and how are its lists laid over those of a record?"""

from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.entities.fields import Values
from app.domain.entities.values import label_key

Errors = list[dict[str, Any]]

# What makes two items of a list one.
IDENTITY = {
    "phones": "number",
    "emails": "address",
    "addresses": "kind",
    "social_profiles": "network",
    "important_dates": "label",
    "relatives": "name",
    "lines": "product_id",
}


@dataclass(slots=True)
class Draft:
    """What a row says.

    items: of lists of objects only what was said. named: field → [key, text] of the record meant. lacks: what is wrong
    with it should it turn out to be new.
    """

    row: int
    key: str | None = None
    external_id: str | None = None
    given: Values = field(default_factory=dict)
    items: dict[str, list[Values]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    lacks: Errors = field(default_factory=list)


def combined(first: Draft, later: Draft) -> Draft:
    """Two rows that are one record: what the later one says counts, and lists collect."""
    lists = {
        name: laid_over(name, first.given[name], later.given[name], later.items.get(name))
        for name, value in later.given.items()
        if isinstance(value, list) and name in first.given
    }
    items = {
        name: laid_over(name, first.items[name], parts, parts) if name in first.items else parts
        for name, parts in later.items.items()
    }
    return replace(
        first,
        external_id=later.external_id or first.external_id,
        given=first.given | later.given | lists,
        items=first.items | items,
        named=first.named | later.named,
        lacks=[each for each in first.lacks if each in later.lacks or each["field"] not in later.given],
    )


def laid_over(name: str, before: list[Any], given: list[Any], said: list[Any] | None = None) -> list[Any]:
    """A list with what was given laid over it: what is the same item takes what was said of it, the rest is added."""
    identity = IDENTITY.get(name)
    after = list(before)
    for position, item in enumerate(given):
        same = next((i for i, each in enumerate(after) if _same(each, item, identity)), None)
        if same is None:
            after.append(item)
        elif isinstance(item, dict):
            after[same] = after[same] | (said[position] if said else item)
    return after


def _same(one: Any, other: Any, identity: str | None) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return label_key(one) == label_key(other)
    if identity is None or not isinstance(one, dict):
        return bool(one == other)
    return bool(one.get(identity) == other.get(identity))
