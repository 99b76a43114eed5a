"""What may follow what? The rule by which every staged record moves through its pipeline. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Fields, Values
from app.domain.entities.values import LongText, OrNull
from app.domain.entities.vocabulary import Pipeline, Stage, Vocabulary
from app.errors import Conflict, FieldError, Forbidden


class Move(Fields):
    """Where a record goes. Each kind of record adds the field for the reason why it was lost."""

    stage: Annotated[str, Field(title="Stage", min_length=1, max_length=50)]
    note: Annotated[OrNull[LongText], Field(title="Note", description="Kept with the stay.")] = None


@dataclass(frozen=True, slots=True)
class Staged:
    """What one kind of record has of its own in this.

    reason: the field that says why it was lost, and its picklist. entered: the kinds of stage that are reached by a
    move. reopened: the kinds that may be left for an open stage by who may configure pipelines. required: by kind of
    stage, the fields without which no pipeline lets it in.
    """

    reason: str
    entered: tuple[str, ...]
    reopened: tuple[str, ...]
    required: Mapping[str, tuple[str, ...]]


def moved(
    record: Mapping[str, object],
    pipeline: Pipeline,
    move: Move,
    staged: Staged,
    vocabulary: Vocabulary,
    *,
    may_reopen: bool,
) -> Values:
    """Stage, kind of stage and reason after a move.

    record: its values. Raises `Invalid` (unknown stage or reason, something required is missing), `Conflict` (the stage
    may not follow) or `Forbidden` (reopening without the right to).
    """
    target = pipeline.stages.get(move.stage)
    if target is None:
        raise rules.invalid([rules.unknown_option("/stage", "stage", move.stage, pipeline.stages)])
    current = pipeline.stages[str(record["stage"])]
    reopening = current.kind in staged.reopened and target.kind == "open"
    if target.retired or (not reopening and target.key not in _allowed(pipeline, current, staged, may_reopen)):
        raise forbidden_move(pipeline, current, staged, may_reopen)
    if reopening and not may_reopen:
        raise Forbidden("Reopening needs the right to configure pipelines")
    reason = getattr(move, staged.reason)
    known = [key for key, option in vocabulary.options.get(staged.reason, {}).items() if option.active]
    if reason is not None and target.kind != "lost":
        problem = FieldError(f"/{staged.reason}", "not_applicable", "A reason is given only with a stage of kind lost")
        raise rules.invalid([problem])
    if reason is not None and reason not in known:
        raise rules.invalid([rules.unknown_option(f"/{staged.reason}", staged.reason, reason, known)])
    check_stage(dict(record) | {staged.reason: reason}, target, staged)
    return {"stage": target.key, "stage_kind": target.kind, staged.reason: reason}


def forbidden_move(pipeline: Pipeline, current: Stage, staged: Staged, may_reopen: bool) -> Conflict:
    """The refusal of a move from a stage, which says what is allowed instead to whoever may reopen or not."""
    return Conflict(
        "This stage may not follow the present one",
        code="forbidden_move",
        extra={"stage": current.key, "allowed": _allowed(pipeline, current, staged, may_reopen)},
    )


def check_stage(record: Mapping[str, object], stage: Stage, staged: Staged) -> None:
    """Raise `Invalid` if the record lacks what the stage requires, by its kind or by the pipeline."""
    always = staged.required.get(stage.kind, ())
    check_required(record, (*always, *(name for name in stage.required_fields if name not in always)))


def check_required(record: Mapping[str, object], names: tuple[str, ...]) -> None:
    missing = [name for name in names if rules.is_blank(record.get(name))]
    if missing:
        raise rules.invalid([rules.required(name) for name in missing])


def _allowed(pipeline: Pipeline, current: Stage, staged: Staged, may_reopen: bool) -> list[str]:
    reopening = may_reopen and current.kind in staged.reopened
    following = [pipeline.stages[key] for key in current.allowed_next]
    following += [stage for stage in pipeline.stages.values() if reopening and stage.kind == "open"]
    allowed = [stage.key for stage in following if not stage.retired and stage.kind in staged.entered]
    return list(dict.fromkeys(allowed))
