"""Users, customers, assignments and policies change at random: does each of three people see what a model says?"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Client, People
from tests.contracts.worlds import remember
from tests.policies.companies import LABELS, PROFILES, Company, Floor

# Making a failing one smaller takes minutes: `crm fuzz` does.
STEADY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True)
QUICK = settings(STEADY, max_examples=6, stateful_step_count=40, phases=[Phase.generate])


@pytest.fixture
async def floor(people: People, administrator: Client) -> AsyncIterator[Floor]:
    for profile in PROFILES:
        made = await administrator.post("/v1/profiles", json={"id": profile, "labels": LABELS})
        assert made.status_code == 201, made.text
    clients = [await people.client(await people.user("one", name=name)) for name in ("Ana", "Ben", "Eva")]
    memory = await remember("stateful")
    yield Floor(
        people, {str(each.user_id): each for each in clients}, administrator, asyncio.get_running_loop(), memory
    )
    await memory.forget()


async def test_what_three_people_see_and_change_is_what_a_model_says(floor: Floor) -> None:
    Company.floor = floor
    await asyncio.to_thread(run_state_machine_as_test, Company, settings=QUICK)
