"""What picklists and pipelines are: the choices that a company edits. Editing them comes later; they are read here."""

from typing import Annotated, Any

from pydantic import Field

from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, readable
from app.domain.entities.vocabulary import Vocabulary

Labels = Annotated[dict[str, str], Field(title="Labels", description="By language: es, it, en.")]


class OptionRead(Fields):
    """A choice. `key` never changes; `about` holds what only some have: a band's limits, an outcome's result."""

    key: str
    labels: Labels
    position: int
    active: bool
    replaced_by: str | None
    about: dict[str, Any]


@readable
class PicklistRead(RecordFields):
    """A list of choices for a field."""

    key: Annotated[str, Field(title="Key"), Spec(filter=True, sort=True)]
    labels: Labels
    multiple: Annotated[bool, Field(title="Multiple"), Spec(filter=True)]
    options: Annotated[list[OptionRead], Field(title="Options")]


class StageRead(Fields):
    """A stage: kind open, won or lost; probability in percent; what it requires and what may follow it."""

    key: str
    labels: Labels
    position: int
    kind: str
    probability: int
    required_fields: list[str]
    allowed_next: list[str]
    expected_days: int | None
    retired: bool
    replaced_by: str | None


@readable
class PipelineRead(RecordFields):
    """The stages that records of an entity move through."""

    entity: Annotated[str, Field(title="Entity"), Spec(filter=True)]
    key: Annotated[str, Field(title="Key"), Spec(filter=True, sort=True)]
    labels: Labels
    default: Annotated[bool, Field(title="Default"), Spec(filter=True)]
    stages: Annotated[list[StageRead], Field(title="Stages")]


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    return {}


PICKLISTS = Entity("picklists", "picklist", PicklistRead, Fields, Fields, complete)
PIPELINES = Entity("pipelines", "pipeline", PipelineRead, Fields, Fields, complete)
