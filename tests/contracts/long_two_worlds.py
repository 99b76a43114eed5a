"""The same as test_two_worlds.py with 2,000 questions and 600 attempts for each profile: `./crm fuzz`."""

import pytest
from hypothesis import given, settings

from tests.contracts.seeing import SHIPPED
from tests.contracts.staging import Case, Stage, cases, stage
from tests.contracts.test_two_worlds import THROUGHOUT
from tests.contracts.two_worlds import compare

__all__ = ["stage"]


@pytest.mark.parametrize("profile", [*SHIPPED, "made"])
@settings(THROUGHOUT, max_examples=20)
@given(case=cases())
async def test_what_somebody_may_not_see_changes_no_answer(stage: Stage, profile: str, case: Case) -> None:
    await compare(stage, profile, case)
