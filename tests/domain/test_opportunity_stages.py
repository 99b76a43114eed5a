"""What may follow what: the product of all stages against the rule, and what each kind of stage asks for."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from app.domain.entities.opportunities import StageMove, moved
from app.domain.entities.vocabulary import Option, Pipeline, Stage, Vocabulary
from app.errors import AppError, Conflict, Forbidden, Invalid
from app.texts.names import OPPORTUNITY_STAGES

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPEN = ("reception", "qualification", "proposal", "negotiation")
# The shipped pipeline, written out by hand: this table, and not the seeds, says what is right.
FOLLOWS = {
    "reception": {"qualification", "lost"},
    "qualification": {"reception", "proposal", "lost"},
    "proposal": {"qualification", "negotiation", "lost"},
    "negotiation": {"proposal", "won", "lost"},
    "won": set(),
    "lost": set(),
}
VOCABULARY = Vocabulary(options={"lost_reason": {"price": Option("price"), "old": Option("old", active=False)}})


def pipeline(**changes: Any) -> Pipeline:
    """The shipped pipeline, with what `changes` says of single stages."""
    stages = {
        text.key: Stage(
            text.key, position, text.kind, text.probability, (), tuple(sorted(FOLLOWS[text.key]))
        )
        for position, text in enumerate(OPPORTUNITY_STAGES)
    }  # fmt: skip
    return Pipeline(UUID(int=1), "opportunities", "sales", True, stages | changes)


def record(stage: str, **values: Any) -> dict[str, Any]:
    return {"stage": stage, "customer_id": UUID(int=2), "amount": Decimal(100), "lost_reason": None} | values


def move(stage: str, **values: Any) -> StageMove:
    reason = {"lost_reason": "price"} if stage == "lost" else {}
    return StageMove(stage=stage, **(reason | values))


def outcome(current: str, target: str, may_reopen: bool) -> dict[str, Any] | type[AppError]:
    try:
        return moved(record(current), pipeline(), move(target), VOCABULARY, may_reopen=may_reopen, at=NOW)
    except AppError as error:
        return type(error)


def expected(current: str, target: str, may_reopen: bool) -> type[AppError] | None:
    if current not in OPEN and target in OPEN:
        return None if may_reopen else Forbidden
    return None if target in FOLLOWS[current] else Conflict


@pytest.mark.parametrize(("current", "target", "may_reopen"), list(product(FOLLOWS, FOLLOWS, (False, True))))
def test_each_stage_leads_to_those_allowed_and_to_no_other(current: str, target: str, may_reopen: bool) -> None:
    result = outcome(current, target, may_reopen)
    refused = expected(current, target, may_reopen)
    if refused is not None:
        assert result is refused
    else:
        assert isinstance(result, dict)
        stage = pipeline().stages[target]
        assert result == {
            "stage": target,
            "stage_kind": stage.kind,
            "probability": stage.probability,
            "closed_at": None if target in OPEN else NOW,
            "lost_reason": "price" if target == "lost" else None,
        }


def refused(error: type[AppError], at: dict[str, Any], to: StageMove, of: Pipeline | None = None) -> AppError:
    with pytest.raises(error) as caught:
        moved(at, of or pipeline(), to, VOCABULARY, may_reopen=True, at=NOW)
    return caught.value


@pytest.mark.parametrize("missing", ["customer_id", "amount"])
def test_winning_needs_customer_and_amount(missing: str) -> None:
    error = refused(Invalid, record("negotiation", **{missing: None}), move("won"))
    assert [(each.pointer, each.code) for each in error.errors] == [(f"/{missing}", "required_information")]


def test_an_amount_of_nothing_is_an_amount() -> None:
    free = record("negotiation", amount=Decimal(0))
    assert moved(free, pipeline(), move("won"), VOCABULARY, may_reopen=False, at=NOW)["stage"] == "won"


def test_losing_needs_a_reason() -> None:
    error = refused(Invalid, record("reception"), move("lost", lost_reason=None))
    assert [(each.pointer, each.code) for each in error.errors] == [("/lost_reason", "required_information")]


def test_a_reason_is_one_of_the_active_options() -> None:
    error = refused(Invalid, record("reception"), move("lost", lost_reason="old"))
    assert error.code == "unknown_option"
    error = refused(Invalid, record("reception"), move("lost", lost_reason="prise"))
    assert "price" in error.errors[0].message


def test_a_reason_is_given_only_for_losing() -> None:
    error = refused(Invalid, record("reception"), move("qualification", lost_reason="price"))
    assert [(each.pointer, each.code) for each in error.errors] == [("/lost_reason", "not_applicable")]


def test_an_unknown_stage_is_answered_with_the_nearest() -> None:
    error = refused(Invalid, record("reception"), move("qualificaton"))
    assert error.code == "unknown_option"
    assert "qualification" in error.errors[0].message


def test_a_refused_move_says_which_are_allowed() -> None:
    error = refused(Conflict, record("reception"), move("won"))
    assert error.code == "forbidden_move"
    assert error.extra["stage"] == "reception"
    assert set(error.extra["allowed"]) == {"qualification", "lost"}


@pytest.mark.parametrize(("may_reopen", "allowed"), [(True, list(OPEN)), (False, [])])
def test_what_is_allowed_after_the_end_is_what_one_may_reopen(may_reopen: bool, allowed: list[str]) -> None:
    with pytest.raises(Conflict) as caught:
        moved(record("won"), pipeline(), move("lost"), VOCABULARY, may_reopen=may_reopen, at=NOW)
    assert caught.value.extra["allowed"] == allowed


def test_nothing_moves_to_a_retired_stage() -> None:
    retired = Stage("proposal", 2, "open", 50, (), (), retired=True)
    error = refused(Conflict, record("qualification"), move("proposal"), pipeline(proposal=retired))
    assert set(error.extra["allowed"]) == {"reception", "lost"}
    error = refused(Conflict, record("won"), move("proposal"), pipeline(proposal=retired))
    assert error.extra["allowed"] == ["reception", "qualification", "negotiation"]


def test_a_stage_may_require_more_fields() -> None:
    demanding = Stage("qualification", 1, "open", 25, ("expected_close_on",), ())
    error = refused(Invalid, record("reception"), move("qualification"), pipeline(qualification=demanding))
    assert [each.pointer for each in error.errors] == ["/expected_close_on"]
