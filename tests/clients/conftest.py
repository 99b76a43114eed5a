"""What the tests of the clients share."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.serving import api_running

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def caller(make_user: Any) -> AsyncIterator[dict[str, str]]:
    """The environment of a program that calls a running API as Ana of sales."""
    await make_user("ana", "sales", PASSWORD)
    async with api_running() as url:
        yield {"CRM_URL": url, "CRM_USERNAME": "ana", "CRM_PASSWORD": PASSWORD}
