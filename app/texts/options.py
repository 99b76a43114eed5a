"""What is a shipped picklist made of?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.texts.labels import Labels, labels


@dataclass(frozen=True, slots=True)
class OptionText:
    """One choice. `about` is what only some picklists have: of a band `min` (included), `max` (not included, None
    without limit) and `currency`; of an outcome `result` and `activity_kinds`; of an objective `activity_kinds`."""

    key: str
    labels: Labels
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PicklistText:
    """A list of choices, in order. `multiple`: a record may have several of them."""

    labels: Labels
    options: tuple[OptionText, ...]
    multiple: bool = False


def option(key: str, es: str, it: str, en: str, **about: Any) -> OptionText:
    return OptionText(key, labels(es, it, en), about)


def named(key: str, name: str) -> OptionText:
    return option(key, name, name, name)


def band(key: str, es: str, it: str, en: str, lowest: int, below: int | None) -> OptionText:
    return option(key, es, it, en, min=str(lowest), max=None if below is None else str(below), currency="EUR")
