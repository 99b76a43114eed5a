"""Customers over HTTP."""

from tests.conftest import Client


async def test_a_customer_is_created_read_changed_and_archived(administrator: Client) -> None:
    created = await administrator.post(
        "/v1/customers", json={"name": "Muñoz Hnos.", "website": "Munoz.es/", "emails": [{"address": "a@munoz.es"}]}
    )
    assert created.status_code == 201, created.text
    customer = created.json()
    assert customer["number"].startswith("C-0")
    assert customer["website"] == "https://munoz.es"
    assert customer["assignees"] == [{"user_id": str(administrator.user_id), "role": "owner"}]
    read = await administrator.get(created.headers["location"])
    assert read.json() == customer
    changed = await administrator.patch(
        f"/v1/customers/{customer['id']}", json={"sector": "retail"}, headers={"If-Match": created.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["sector"] == "retail"
    assert changed.headers["etag"] == '"2"'
    listed = await administrator.get(
        "/v1/customers", params={"sector": "retail", "q": "munoz", "sort": "name", "count": "exact"}
    )
    assert listed.status_code == 200, listed.text
    assert [each["id"] for each in listed.json()["items"]] == [customer["id"]]
    assert listed.json()["total"] == 1
    archived = await administrator.delete(f"/v1/customers/{customer['id']}")
    assert archived.status_code == 204, archived.text
    restored = await administrator.post(f"/v1/customers/{customer['id']}/restore")
    assert restored.status_code == 200, restored.text
    timeline = await administrator.get(f"/v1/customers/{customer['id']}/timeline")
    assert [each["type"] for each in timeline.json()["items"]] == [
        "customer.restored",
        "customer.archived",
        "customer.changed",
        "customer.created",
    ]
