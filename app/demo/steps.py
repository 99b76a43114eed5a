"""Of what is the demo's story made? Of steps: who did what when, as data, with nothing done yet."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(eq=False)
class Made:
    """A record of the story. Values of later steps name it where its id belongs; it has one when it is made."""

    entity: str
    id: UUID | None = None


@dataclass(frozen=True)
class Create:
    """Somebody writes a record down."""

    made: Made
    values: dict[str, Any]


@dataclass(frozen=True)
class Change:
    made: Made
    values: dict[str, Any]


@dataclass(frozen=True)
class Move:
    """An opportunity or a lead goes to another stage; `reason` where it is lost or discarded."""

    made: Made
    stage: str
    reason: str | None = None


@dataclass(frozen=True)
class Convert:
    """A lead becomes a customer with a contact and an opportunity."""

    made: Made
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """actor: the part of the username before `@demo.example`."""

    at: datetime
    actor: str
    act: Create | Change | Move | Convert
