"""What the tests of access say in one line: customers and their like, made by whoever asks."""

from typing import Any
from uuid import UUID

import httpx

from tests.contracts.worlds import execute


async def create(client: httpx.AsyncClient, kind: str, /, **values: Any) -> dict[str, Any]:
    """A new record of a kind: a customer, a contact, an opportunity or an activity, as the API shows it."""
    needed = {"contacts": {"first_name": "Eva"}, "activities": {}}.get(kind, {"name": kind})
    given = {name: str(value) if isinstance(value, UUID) else value for name, value in (needed | values).items()}
    answer = await client.post(f"/v1/{kind}", json=given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def change(client: httpx.AsyncClient, kind: str, record: dict[str, Any], **values: Any) -> httpx.Response:
    given = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
    return await client.patch(f"/v1/{kind}/{record['id']}", json=given)


async def status(client: httpx.AsyncClient, kind: str, record: dict[str, Any]) -> int:
    """200 or 404, asked of the record and of the list, which must agree."""
    answer = await client.get(f"/v1/{kind}/{record['id']}")
    listed = await client.get(f"/v1/{kind}", params={"limit": 200, "count": "exact"})
    if listed.status_code == 200 and answer.status_code in (200, 404):
        ids = [each["id"] for each in listed.json()["items"]]
        assert (record["id"] in ids) == (answer.status_code == 200)
        assert listed.json()["total"] == len(ids)
    return answer.status_code


async def grant(profile: str, section: str, action: str, group: str, scope: str) -> None:
    """Give a profile one more rule, in force at once."""
    await execute(
        "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access')"
        " insert into policies (kind, subject, section, action, field_group, scope) values ('p', $1, $2, $3, $4, $5)",
        f"profile:{profile}",
        section,
        action,
        group,
        scope,
    )


async def revoke(profile: str, section: str, action: str, group: str) -> None:
    """Take a profile's rules for a group away, in force at once."""
    await execute(
        "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access')"
        " delete from policies where subject = $1 and section = $2 and action = $3 and field_group in ($4, '*')",
        f"profile:{profile}",
        section,
        action,
        group,
    )
