"""What is an opportunity that comes from a file: in any stage, with its history?"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.domain.entities.fields import Spec, Values
from app.domain.entities.opportunities import STAGED, OpportunityFields, check_order, complete
from app.domain.entities.rules import invalid, unknown_option
from app.domain.entities.stages import check_stage
from app.domain.entities.values import Instant
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError


class OpportunityImport(OpportunityFields):
    """An opportunity as a file has it: in any stage, checked for what the stage requires, not for the way to it."""

    stage: Annotated[str | None, Field(title="Stage", description="Left out: the pipeline's first.")] = None
    closed_from: Annotated[
        str | None,
        Field(
            title="Stage it was closed from",
            description="Where a closed one was from `opened_at` until `closed_at`; left out: the pipeline's first.",
        ),
    ] = None
    closed_at: Annotated[Instant | None, Field(title="Closed at")] = None
    lost_reason: Annotated[str | None, Field(title="Reason it was lost"), Spec(picklist="lost_reason")] = None


Stay = tuple[str, datetime, datetime | None]


def complete_import(new: Values, given: set[str], vocabulary: Vocabulary, now: datetime) -> Values:
    """The columns of an opportunity from a file: as of any other, and those of its stage.

    new: with `pipeline_id` if it is there already; `now` stands in for what the file does not say.
    """
    pipeline = (
        vocabulary.pipelines[new["pipeline_id"]]
        if new.get("pipeline_id")
        else vocabulary.default_pipeline("opportunities")
    )
    key = new["stage"] or pipeline.first.key
    stage = pipeline.stages.get(key)
    if stage is None:
        raise invalid([unknown_option("/stage", "stage", key, pipeline.stages)])
    before = new.get("closed_from") or pipeline.first.key
    if before not in pipeline.stages or pipeline.stages[before].kind != "open":
        opened = [each.key for each in pipeline.stages.values() if each.kind == "open"]
        raise invalid([unknown_option("/closed_from", "closed_from", before, opened)])
    out: Values = {"pipeline_id": pipeline.id, "stage": stage.key, "stage_kind": stage.kind}
    closed_at, opened_at = new["closed_at"], new["opened_at"]
    if stage.kind == "open":
        if closed_at is not None:
            raise invalid([FieldError("/closed_at", "not_applicable", "An open stage has no day of closing")])
        out |= {"opened_at": opened_at or now, "stage_entered_at": opened_at or now}
    else:
        closed_at = closed_at or max(now, opened_at or now)
        opened_at = opened_at or closed_at
        out |= {"opened_at": opened_at, "closed_at": closed_at, "stage_entered_at": closed_at}
        check_order(out, "/closed_at")
    if new["lost_reason"] is not None and stage.kind != "lost":
        raise invalid([FieldError("/lost_reason", "not_applicable", "A reason is given only for losing")])
    check_stage(new | out, stage, STAGED)
    if new.get("probability") is None:
        out["probability"] = stage.probability
    return complete(new | out, given, vocabulary) | out


def stays(values: Values, closed_from: str) -> list[Stay]:
    """Stage, entered, left: an open one is where it is since it was opened, a closed one was elsewhere until then."""
    if values["stage_kind"] == "open":
        return [(values["stage"], values["opened_at"], None)]
    return [
        (closed_from, values["opened_at"], values["closed_at"]),
        (values["stage"], values["closed_at"], None),
    ]
