"""What a company set up for itself, as the pure rules need it: settings, options, pipelines with stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Option:
    key: str
    active: bool = True
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    currency: str | None = None
    activity_kinds: tuple[str, ...] = ()

    def suits(self, kind: str) -> bool:
        """Whether it is for activities of this kind; one that names none is for all."""
        return not self.activity_kinds or kind in self.activity_kinds


@dataclass(frozen=True, slots=True)
class Stage:
    key: str
    position: int
    kind: str
    probability: int
    required_fields: tuple[str, ...]
    allowed_next: tuple[str, ...]
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: UUID
    entity: str
    key: str
    default: bool
    stages: Mapping[str, Stage]

    @property
    def first(self) -> Stage:
        """Where a new record begins: the first open stage in use."""
        return min(
            (stage for stage in self.stages.values() if stage.kind == "open" and not stage.retired),
            key=lambda stage: stage.position,
        )


@dataclass(frozen=True, slots=True)
class Listener:
    """A workflow that is switched on and runs when an event (`lead.created`) comes from one of the sources (`form`)."""

    workflow_id: UUID
    owner_id: UUID | None
    event: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Country (ISO 3166-1), currency (ISO 4217), time zone (IANA); options by picklist; pipelines by id; of the
    workflows that are switched on, those that listen to events and the ids of those that watch how long stays last."""

    country: str = "ES"
    currency: str = "EUR"
    time_zone: str = "Europe/Madrid"
    languages: tuple[str, ...] = ("es", "it", "en")
    customer_number_prefix: str = "C-"
    minimum_information: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    pipelines: Mapping[UUID, Pipeline] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    watching_stays: tuple[UUID, ...] = ()

    def default_pipeline(self, entity: str) -> Pipeline:
        return next(each for each in self.pipelines.values() if each.entity == entity and each.default)
