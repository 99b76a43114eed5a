"""Two databases that differ only in what somebody may not see answer that person alike, to the byte.

Hypothesis makes profiles, who works under whom and who stands in for whom; what is seen then is told by `seeing.py`,
apart from the product. Questions and attempts come from the application's own description of itself.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.contracts.seeing import SHIPPED, Rules
from tests.contracts.staging import Case, Stage, cases, stage
from tests.contracts.two_worlds import compare, compare_files

__all__ = ["stage"]
# One world takes a second, and the question that it fails with is small already: nothing to be made smaller.
THROUGHOUT = settings(
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.parametrize("profile", [*SHIPPED, "made"])
@settings(THROUGHOUT, max_examples=3)
@given(case=cases())
async def test_what_somebody_may_not_see_changes_no_answer(stage: Stage, profile: str, case: Case) -> None:
    await compare(stage, profile, case)


async def test_a_file_that_names_what_one_may_not_see_is_answered_alike(stage: Stage) -> None:
    await compare_files(stage, "manager", Case(Rules({}), {"ana": "caller"}, {"ben": "caller"}, seed=1))
