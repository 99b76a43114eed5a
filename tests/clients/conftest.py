"""What the tests of the clients share."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.records import make
from tests.conftest import Client
from tests.serving import api_running, worker_running

PASSWORD = "correct horse battery staple"
FORM: dict[str, Any] = {
    "key": "contact",
    "name": "Contact",
    "fields": [{"key": "name", "required": True}, {"key": "email", "required": True}, {"key": "request"}],
    "consent": {"es": "Acepto.", "it": "Accetto.", "en": "I agree."},
}


@pytest.fixture
async def caller(make_user: Any, administrator: Client) -> AsyncIterator[dict[str, str]]:
    """The environment of a program that calls a running API as Ana of sales, whose are the leads of its form."""
    ana = await make_user("ana", "sales", PASSWORD)
    await make(administrator, "forms", **FORM, lead_owner_id=str(ana))
    async with worker_running(), api_running() as url:
        # The first answer takes a while, for which generators do not wait on a busy machine.
        async with httpx.AsyncClient(timeout=60) as client:
            (await client.get(f"{url}/openapi.json")).raise_for_status()
        yield {"CRM_URL": url, "CRM_USERNAME": "ana", "CRM_PASSWORD": PASSWORD}
