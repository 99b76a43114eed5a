"""What the tests of the API share."""

from typing import Any

import pytest

from tests.api.records import make
from tests.api.routes import JSON_ROUTES
from tests.conftest import Client
from tests.contracts.worlds import FORM, TEMPLATE


@pytest.fixture(autouse=True)
def at_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that check files are not measured for coverage here: the tests of the domain check without one."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
async def ids(administrator: Client) -> dict[str, str]:
    """A record of each kind, by the name of its list."""
    customer = await make(administrator, "customers", name="Acme")
    bodies: dict[str, dict[str, Any]] = {
        "customers": {"name": "Odd"},
        "contacts": {"last_name": "Ruiz", "customer_id": customer["id"]},
        "products": {"name": "Valve"},
        "leads": {"last_name": "Ruiz"},
        "opportunities": {"name": "Valves", "customer_id": customer["id"]},
        "activities": {"kind": "call", "subject": "Call"},
        "messages": {"channel": "phone", "subject": "Called"},
        "templates": TEMPLATE | {"key": "odd"},
        "forms": FORM | {"key": "odd"},
        "users": {"name": "Ana", "username": "ana", "profile_id": "sales"},
    }
    made = {}
    for path in (path for method, path in JSON_ROUTES if method == "PUT"):
        kind = path.split("/")[2]
        answer = await administrator.put(path.format(system="erp", external_id="odd"), json=bodies[kind])
        assert answer.status_code == 201, answer.text
        made[kind] = str(answer.json()["id"])
    return made | {"customers": customer["id"]}
