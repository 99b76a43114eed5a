"""Two who sell, for the tests of what is whose."""

from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import Client


@pytest.fixture
async def ana(as_profile: Callable[..., Awaitable[Client]]) -> Client:
    return await as_profile("sales", name="Ana")


@pytest.fixture
async def ben(as_profile: Callable[..., Awaitable[Client]]) -> Client:
    return await as_profile("sales", name="Ben")
