"""What does `with=can` say of a record? What the caller may really do with it, and nothing where nobody asks."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.policies.access import CLAIMED
from tests.conftest import Client
from tests.contracts.matrix import PROFILES
from tests.policies.steps import create

AsProfile = Callable[..., Awaitable[Client]]
NOTHING = {"update": False, "delete": False, "restore": False, "assign": False, "claim": False}
OWNED: dict[str, dict[str, Any]] = {
    "customers": {"name": "Acero"},
    "opportunities": {"name": "Renewal"},
    "leads": {"company_name": "Acero"},
    "activities": {"kind": "call", "subject": "Call"},
    "messages": {"channel": "phone", "subject": "Call"},
}


async def can(client: Client, kind: str, id: str) -> dict[str, bool] | None:
    """As the record says it; the list says the same."""
    alone = await client.get(f"/v1/{kind}/{id}", params={"with": "can"})
    if alone.status_code == 404:
        return None
    said: dict[str, bool] = alone.json()["can"]
    archived = str(alone.json()["archived_at"] is not None).lower()
    listed = await client.get(
        f"/v1/{kind}", params={"with": "can", "id": id, "archived": archived, "fields": "version"}
    )
    assert [each["can"] for each in listed.json()["items"]] == [said]
    return said


async def test_can_is_only_there_when_asked_for(administrator: Client) -> None:
    customer = await create(administrator, "customers")
    path = f"/v1/customers/{customer['id']}"
    assert "can" not in customer
    assert "can" not in (await administrator.get(path)).json()
    assert "can" not in (await administrator.get("/v1/customers")).json()["items"][0]
    may = NOTHING | {"update": True, "delete": True, "assign": True}
    assert (await administrator.get(path, params={"with": "can"})).json()["can"] == may
    for asked in (path, "/v1/customers"):
        refused = await administrator.get(asked, params={"with": "cann,owner"})
        assert refused.status_code == 422
        assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
            ("/query/with", "unknown_with")
        ] * 2
        assert "did you mean can?" in refused.json()["errors"][0]["message"]


async def test_an_archived_record_is_restored_and_nothing_else_by_whoever_may_delete_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana = await as_profile("sales")
    customer = await create(ana, "customers")
    assert await can(ana, "customers", customer["id"]) == NOTHING | {"update": True}
    assert (await administrator.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    assert await can(ana, "customers", customer["id"]) == NOTHING
    assert await can(administrator, "customers", customer["id"]) == NOTHING | {"restore": True}
    refused = await administrator.patch(f"/v1/customers/{customer['id']}", json={"name": "New"})
    assert refused.status_code == 409


def test_what_can_be_claimed_is_what_has_the_route() -> None:
    from app.main import app

    assert {path.split("/")[2] for path in app.openapi()["paths"] if path.endswith("/{id}/claim")} == CLAIMED


async def test_what_is_not_changed_over_the_api_can_be_changed_by_nobody(administrator: Client) -> None:
    for kind in ("picklists", "pipelines", "workflows", "users"):
        item = (await administrator.get(f"/v1/{kind}", params={"with": "can"})).json()["items"][0]
        changed = kind in ("workflows", "users")
        assert item["can"] == NOTHING | {"update": changed, "delete": kind == "users"}, kind


@pytest.mark.parametrize("profile", PROFILES)
async def test_can_assign_and_claim_exactly_where_that_is_done(
    administrator: Client, as_profile: AsProfile, profile: str
) -> None:
    """For one's own, one's team's, a stranger's and nobody's; the other verbs are held against the matrix."""
    asking = await as_profile(profile)
    member, stranger = await as_profile("sales", manager=asking.user_id), await as_profile("sales")
    owners = [str(each.user_id) for each in (asking, member, stranger)] + [None]
    found: list[bool | None] = []
    claims: list[str] = []
    customer_id = ""
    for owner in owners:
        for kind, values in OWNED.items():
            above = {} if kind == "customers" else {"customer_id": customer_id}
            made = await administrator.post(f"/v1/{kind}", json=values | above | {"owner_id": owner})
            if owner == owners[0] and (await asking.get(f"/v1/{kind}")).status_code == 403:
                assert made.json()["code"] == "cannot_take_over"
                continue
            record_id = made.json()["id"]
            customer_id = record_id if kind == "customers" else customer_id
            said = await can(asking, kind, record_id)
            if kind in CLAIMED and said and owner is None:
                claimed = await asking.post(f"/v1/{kind}/{record_id}/claim")
                assert claimed.status_code == (200 if said["claim"] else 403), (profile, kind)
                said = await can(asking, kind, record_id)
                claims.append(kind)
            assert said is None or said["claim"] is False
            other = stranger if owner != str(stranger.user_id) else member
            changed = await asking.patch(f"/v1/{kind}/{record_id}", json={"owner_id": str(other.user_id)})
            found.append(said and said["assign"])
            assert changed.status_code == (404 if said is None else 200 if said["assign"] else 403), (owner, kind)
            await administrator.patch(f"/v1/{kind}/{record_id}", json={"owner_id": owner})
    assert any(found) is (profile in ("administrator", "manager", "marketing"))
    seen = {"sales": 0, "support": 2}.get(profile, len(CLAIMED))
    assert len(claims) == seen
