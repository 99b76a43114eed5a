"""A customer's timeline."""

import re
from collections.abc import Awaitable, Callable

from app.api.timeline import VERBS
from app.settings import PROJECT
from tests.api.records import make, problems
from tests.conftest import Client


async def test_the_timeline_is_newest_first_and_paged_by_key(administrator: Client) -> None:
    customer = (await administrator.post("/v1/customers", json={"name": "Rossi S.r.l."})).json()
    for sector in ("retail", "medical", "software"):
        await administrator.patch(f"/v1/customers/{customer['id']}", json={"sector": sector})
    path, cursor, seen = f"/v1/customers/{customer['id']}/timeline", None, []
    while True:
        page = (await administrator.get(path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        if not (cursor := page["next_cursor"]):
            break
    assert [each["version"] for each in seen] == [4, 3, 2, 1]
    assert seen[0]["changes"] == {"sector": ["medical", "software"]}
    assert seen[3]["changes"]["name"] == [None, "Rossi S.r.l."]
    assert len({each["operation_id"] for each in seen}) == 4


# Of which there is no equal in UTC.
LAST_MOMENT = "9999-12-31T23:59:59-23:59_1"


async def test_a_cursor_that_is_none_is_refused(administrator: Client) -> None:
    customer = (await administrator.post("/v1/customers", json={"name": "Rossi S.r.l."})).json()
    for cursor in ("x", "_", "2026-01-01_1", "2026-01-01T00:00:00Z_²", "2026-01-01T00:00:00Z_" + "9" * 30, LAST_MOMENT):
        answer = await administrator.get(f"/v1/customers/{customer['id']}/timeline", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_only_types_that_there_are_are_asked_for(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    path = f"/v1/customers/{customer['id']}/timeline"
    await administrator.patch(f"/v1/customers/{customer['id']}", json={"name": "Beta"})
    for types, found in ((["customer.changed"], 1), (["customer.changed", "customer.created"], 2), (["lead.done"], 0)):
        answer = await administrator.get(path, params={"type": types})
        assert len(answer.json()["items"]) == found
    answer = await administrator.get(path, params={"type": ["customer.changd"]})
    assert problems(answer) == {("/query/type", "unknown_option")}
    assert "customer.changed" in answer.json()["detail"]


def test_all_that_happens_to_records_of_customers_can_be_asked_for() -> None:
    source = "".join(path.read_text() for path in (PROJECT / "app").rglob("*.py"))
    said = set(re.findall(r'verb(?:: str)? ?= ?"(\w+)"', source)) - {"taken"}  # of submissions
    assert {"changed", "converted", "claimed", "done"} <= said <= set(VERBS)


async def test_what_somebody_may_not_see_is_not_in_the_changes_they_read(
    administrator: Client, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    body = {"name": "Acme", "tax_id": "B-1", "sector": "retail", "owner_id": str(administrator.user_id)}
    customer = await make(administrator, "customers", **body)
    path = f"/v1/customers/{customer['id']}/timeline"
    (mine,) = (await administrator.get(path)).json()["items"]
    (theirs,) = (await (await as_profile("marketing")).get(path)).json()["items"]
    assert mine["changes"]["tax_id"] == [None, "B-1"]
    assert theirs["changes"].keys() < mine["changes"].keys()
    assert theirs["changes"]["sector"] == [None, "retail"]
    assert "tax_id" not in theirs["changes"]
