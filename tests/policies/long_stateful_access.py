"""The same as test_stateful_access.py, 150 companies of 50 steps, and the smallest that fails: `./crm fuzz`."""

import asyncio

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.policies.companies import Company, Floor
from tests.policies.test_stateful_access import STEADY, floor

__all__ = ["floor"]


async def test_what_three_people_see_and_change_is_what_a_model_says(floor: Floor) -> None:
    Company.floor = floor
    many = settings(STEADY, max_examples=150, stateful_step_count=50)
    await asyncio.to_thread(run_state_machine_as_test, Company, settings=many)
