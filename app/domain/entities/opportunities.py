"""What an opportunity is, and what its stages allow."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from pydantic_core import PydanticCustomError

from app import clock
from app.domain.entities import rules, stages
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import MOST, ExternalIds, LastActivity, NextActivity, Participant, Tags
from app.domain.entities.stages import Move, Staged
from app.domain.entities.values import (
    Currency,
    Day,
    Instant,
    Line,
    LongText,
    OrNull,
    Percent,
    Price,
    Quantity,
    fold,
    is_after_today,
    quantise,
    search_text,
)
from app.domain.entities.vocabulary import Pipeline, Vocabulary
from app.errors import FieldError, NotFound


class OpportunityLine(Fields):
    """Something that would be sold. Left without a price it takes the product's."""

    product_id: Annotated[UUID, Field(title="Product"), Spec(refers_to="products")]
    quantity: Annotated[Quantity, Field(title="Quantity")] = 1  # type: ignore[assignment]
    unit_price: Annotated[Price | None, Field(title="Unit price")] = None


class OpportunityFields(Fields):
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    customer_id: Annotated[UUID | None, Field(title="Customer"), Spec(filter=True, refers_to="customers")] = None
    contacts: Annotated[
        list[Participant], Field(title="Contacts", max_length=MOST), Spec(unlisted=True, importable=False)
    ] = []
    opened_at: Annotated[
        Instant | None, Field(title="Opened at", description="Left out: now."), Spec(filter=True, sort=True)
    ] = None
    owner_id: Annotated[UUID | None, Field(title="Owner"), Spec(filter=True, refers_to="users")] = None
    amount: Annotated[Price | None, Field(title="Amount"), Spec(filter=True, sort=True)] = None
    currency: Annotated[Currency | None, Field(title="Currency"), Spec(filter=True)] = None
    probability: Annotated[
        Percent | None,
        Field(title="Probability", description="Percent; left out: the stage's."),
        Spec(filter=True, sort=True),
    ] = None
    expected_close_on: Annotated[Day | None, Field(title="Expected to close on"), Spec(filter=True, sort=True)] = None
    competitor: Annotated[str | None, Field(title="Competitor"), Spec(filter=True, picklist="competitor")] = None
    competitor_price: Annotated[Price | None, Field(title="Competitor's price"), Spec(filter=True)] = None
    description: Annotated[OrNull[LongText], Field(title="Description")] = None
    lines: Annotated[list[OpportunityLine], Field(title="Lines", max_length=200), Spec(unlisted=True)] = []
    lead_id: Annotated[UUID | None, Field(title="Lead"), Spec(filter=True, refers_to="leads")] = None
    tags: Tags = []


class OpportunityCreate(OpportunityFields):
    """A new opportunity, in the first stage of its pipeline. Left without `owner_id` it is yours."""

    pipeline_id: Annotated[UUID | None, Field(title="Pipeline", description="Left out: the default one.")] = None


@partial
class OpportunityUpdate(OpportunityFields):
    """The fields of an opportunity to change; the rest stay as they are. Its stage moves by POST …/stage."""


@readable
class OpportunityRead(OpportunityFields, RecordFields):
    """An opportunity, with the fields that your profile sees."""

    pipeline_id: Annotated[UUID, Field(title="Pipeline"), Spec(filter=True)]
    stage: Annotated[str, Field(title="Stage"), Spec(filter=True)]
    stage_kind: Annotated[Literal["open", "won", "lost"], Field(title="Kind of stage"), Spec(filter=True)]
    stage_entered_at: Annotated[Instant, Field(title="In its stage since"), Spec(filter=True, sort=True)]
    closed_at: Annotated[Instant | None, Field(title="Closed at"), Spec(filter=True, sort=True)]
    lost_reason: Annotated[str | None, Field(title="Reason it was lost"), Spec(filter=True, picklist="lost_reason")]
    next_activity_at: NextActivity
    last_activity_at: LastActivity
    external_ids: ExternalIds


class StageMove(Move):
    """Where an opportunity goes. `lost_reason` with a stage of kind lost, and only there."""

    lost_reason: Annotated[str | None, Field(title="Reason it was lost"), Spec(picklist="lost_reason")] = None


STAGED = Staged(
    reason="lost_reason",
    entered=("open", "won", "lost"),
    reopened=("won", "lost"),
    required={"won": ("customer_id", "amount"), "lost": ("lost_reason",)},
)


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Money, search text and, for a new one, the stage it begins in."""
    out = rules.to_currency(new, ("amount", "competitor_price"), given, vocabulary)
    if given & {"lines", "currency"} and new.get("lines"):
        out["currency"] = currency = new.get("currency") or vocabulary.currency
        out["lines"] = [_priced(line, currency, f"/lines/{position}") for position, line in enumerate(new["lines"])]
    if "stage" not in new:
        pipeline_id = new.get("pipeline_id") or vocabulary.default_pipeline("opportunities").id
        pipeline = vocabulary.pipelines.get(pipeline_id)
        if pipeline is None or pipeline.entity != "opportunities":
            problem = FieldError("/pipeline_id", "not_found", "No such pipeline of opportunities")
            raise NotFound("The body names a record that does not exist", errors=[problem])
        first = pipeline.first
        out |= {"pipeline_id": pipeline.id, "stage": first.key, "stage_kind": first.kind}
        if new["probability"] is None:
            out["probability"] = first.probability
    elif "probability" in given and new["probability"] is None:
        out["probability"] = vocabulary.pipelines[new["pipeline_id"]].stages[new["stage"]].probability
    if "opened_at" in given and new["opened_at"] is None:
        out["opened_at"] = new.get("created_at")
    if given & {"opened_at", "closed_at"}:
        check_order(new | out, "/opened_at")
        _check_past({name: new.get(name) for name in ("opened_at", "closed_at") if name in given}, vocabulary)
    if new.get("stage_kind") == "won":
        stages.check_required(new, STAGED.required["won"])
    return out | {"name_key": fold(new["name"]), "search_open": search_text(new["name"])}


def check_order(record: Values, pointer: str) -> None:
    """Raise `Invalid` for what was closed before it was opened."""
    opened_at, closed_at = record.get("opened_at"), record.get("closed_at")
    if opened_at is not None and closed_at is not None and closed_at < opened_at:
        message = "It cannot be closed before it was opened"
        raise rules.invalid([FieldError(pointer, "closed_before_opened", message)])


def _check_past(said: Mapping[str, datetime | None], vocabulary: Vocabulary) -> None:
    now = clock.now()
    problems = [
        FieldError(f"/{name}", "in_the_future", "It cannot be later than today")
        for name, instant in said.items()
        if instant is not None and is_after_today(instant, now, vocabulary.time_zone)
    ]
    if problems:
        raise rules.invalid(problems)


def _priced(line: Values, currency: str, pointer: str) -> Values:
    """A line with its price to the digits of the currency."""
    if line.get("unit_price") is None:
        return line
    try:
        return line | {"unit_price": str(quantise(Decimal(line["unit_price"]), currency))}
    except PydanticCustomError as error:
        raise rules.invalid([FieldError(f"{pointer}/unit_price", error.type, error.message())]) from None


def moved(
    record: Mapping[str, object],
    pipeline: Pipeline,
    move: StageMove,
    vocabulary: Vocabulary,
    *,
    may_reopen: bool,
    at: datetime,
) -> Values:
    """The values that a move changes. Raises as `stages.moved` does."""
    values = stages.moved(record, pipeline, move, STAGED, vocabulary, may_reopen=may_reopen)
    target = pipeline.stages[values["stage"]]
    return values | {"probability": target.probability, "closed_at": None if target.kind == "open" else at}


OPPORTUNITIES = Entity(
    "opportunities",
    "opportunity",
    OpportunityRead,
    OpportunityCreate,
    OpportunityUpdate,
    complete,
    stays=("stage",),
    children=("lines", "contacts"),
    moved=moved,
)
