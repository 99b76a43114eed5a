"""Does another system see each change, if it asks for what changed since it last asked?"""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app import clock
from tests.conftest import Client, People
from tests.loading import everything, loaded

COPIED = ("customers", "contacts", "leads", "opportunities", "activities")
Found = dict[tuple[str, bool], set[str]]
MATCHED = {"match_on": "name", "columns": {"name": "name", "employees": "employees"}}


async def found_since(client: Client, since: str) -> Found:
    """What changed, by kind and whether it is archived, as a caller without memory asks for it."""
    found: Found = {}
    for entity in COPIED:
        for archived in (False, True):
            asked = {"updated_at__gte": since, "fields": "id", "archived": archived}
            items = await everything(client, f"/v1/{entity}", **asked)
            if items:
                found[entity, archived] = {each["id"] for each in items}
    return found


async def test_each_change_is_found_and_nothing_else(
    administrator: Client, people: People, ids: dict[str, str]
) -> None:
    ana, ben = str(await people.user("sales")), str(await people.user("sales"))

    def at(entity: str) -> str:
        return f"/v1/{entity}/{ids[entity]}"

    async def changed(change: Callable[[], Awaitable[Any]], *entities: str, archived: bool = False) -> None:
        since = clock.now().isoformat()
        answer = await change()
        assert not isinstance(answer, httpx.Response) or answer.is_success, answer.text
        assert await found_since(administrator, since) == {(entity, archived): {ids[entity]} for entity in entities}

    linked = await administrator.patch(at("activities"), json={"customer_id": ids["customers"]})
    assert linked.is_success, linked.text
    of_customer = ("customers", "contacts", "opportunities", "activities")
    await changed(lambda: administrator.patch(at("customers"), json={"employees": 7}), "customers")
    await changed(lambda: administrator.patch(at("customers"), json={"employees": 7}))
    await changed(lambda: administrator.patch(at("contacts"), json={"first_name": "Eva"}), "contacts")
    await changed(lambda: administrator.post(at("leads") + "/stage", json={"stage": "contacted"}), "leads")
    move = {"stage": "qualification"}
    await changed(lambda: administrator.post(at("opportunities") + "/stage", json=move), "opportunities")
    await changed(lambda: administrator.post(at("activities") + "/done", json={"outcome": "reached"}), "activities")
    await changed(lambda: administrator.put(at("customers") + f"/assignees/{ana}"), "customers")
    await changed(lambda: loaded(administrator, "customers", "name,employees\nAcme,8\n", MATCHED), "customers")
    await changed(lambda: loaded(administrator, "customers", "name,employees\nAcme,8\n", MATCHED))
    given = {"owner_id": ana}
    await changed(lambda: administrator.patch(at("opportunities"), json=given), "opportunities")
    hand_over = {"to": [ben]}
    await changed(
        lambda: administrator.post(f"/v1/users/{ana}/hand-over", json=hand_over), "customers", "opportunities"
    )
    await changed(lambda: administrator.delete(at("customers")), *of_customer, archived=True)
    await changed(lambda: administrator.post(at("customers") + "/restore"), *of_customer)
