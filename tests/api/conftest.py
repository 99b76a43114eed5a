"""What the tests of the API share."""

import pytest

from tests.api.records import make
from tests.api.routes import JSON_ROUTES
from tests.conftest import Client


@pytest.fixture
async def ids(administrator: Client) -> dict[str, str]:
    """A record of each kind, by the name of its list."""
    customer = await make(administrator, "customers", name="Acme")
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    product = await make(administrator, "products", name="Valve")
    opportunity = await make(administrator, "opportunities", name="Valves", customer_id=customer["id"])
    user = await make(administrator, "users", name="Ana", username="ana", profile_id="sales")
    for path in (path for method, path in JSON_ROUTES if method == "PUT"):
        person = {"contacts": {"last_name": "Ruiz", "customer_id": customer["id"]}}
        account = {"users": {"name": "Ana", "username": "ana2", "profile_id": "sales"}}
        body = (person | account).get(path.split("/")[2], {"name": "Odd"})
        assert (await administrator.put(path.format(system="erp", external_id="odd"), json=body)).status_code == 201
    return {
        "customers": customer["id"],
        "contacts": contact["id"],
        "products": product["id"],
        "opportunities": opportunity["id"],
        "users": user["id"],
    }
