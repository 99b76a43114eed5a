"""Workflows over HTTP: seen, switched on and off, set, foretold, and what they did."""

from sqlalchemy import text

from app.db.session import transaction
from tests.api.records import make, problems
from tests.conftest import Client
from tests.jobs.company import sweep


async def by_key(client: Client, key: str) -> dict[str, object]:
    answer = await client.get("/v1/workflows", params={"key": key})
    found: dict[str, object] = answer.json()["items"][0]
    return found


async def test_both_workflows_are_there_switched_off_in_three_languages(administrator: Client) -> None:
    found = (await administrator.get("/v1/workflows", params={"sort": "key"})).json()["items"]
    assert [(each["key"], each["enabled"], each["owner_id"]) for each in found] == [
        ("stalled_opportunity", False, None),
        ("web_lead", False, None),
    ]
    assert found[0]["labels"] == {
        "es": "Oportunidad estancada",
        "it": "Opportunità ferma",
        "en": "Stalled opportunity",
    }
    assert found[0]["options"] == {"days": 10, "include_imported": False, "start_from_now": False}
    assert found[1]["options"] == {"profiles": ["sales"], "create_opportunity": False}
    assert found[1]["trigger"] == {"kind": "event", "event": "lead.created", "sources": ["form"]}


async def test_options_are_checked_kept_where_left_out_and_not_overwritten_unseen(administrator: Client) -> None:
    workflow = await by_key(administrator, "stalled_opportunity")
    path = f"/v1/workflows/{workflow['id']}"
    answer = await administrator.patch(path, json={"enabled": True, "options": {"days": 14}})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json()["options"] == {"days": 14, "include_imported": False, "start_from_now": False}
    bad = await administrator.patch(path, json={"options": {"days": 0, "dais": 3, "include_imported": "perhaps"}})
    assert problems(bad) == {
        ("/options/days", "greater_than_equal"),
        ("/options/dais", "unknown_field"),
        ("/options/include_imported", "bool_parsing"),
    }
    assert "did you mean days?" in bad.text
    stale = await administrator.patch(path, json={"enabled": False}, headers={"If-Match": '"1"'})
    assert (stale.status_code, sorted(stale.json()["changed"])) == (412, ["enabled", "options"])
    assert problems(await administrator.patch(path, json={"key": "mine"})) == {("/key", "read_only_field")}
    assert problems(await administrator.patch(path, json={"enabled": None})) == {("/enabled", "bool_type")}


async def test_profiles_that_take_turns_must_exist(administrator: Client) -> None:
    workflow = await by_key(administrator, "web_lead")
    answer = await administrator.patch(f"/v1/workflows/{workflow['id']}", json={"options": {"profiles": ["seles"]}})
    assert problems(answer) == {("/options/profiles/0", "unknown_option")}


async def test_before_it_is_switched_on_it_says_how_many_records_it_hits_and_then_what_it_did(
    administrator: Client,
) -> None:
    for name in ("Presses", "Lathes"):
        await make(administrator, "opportunities", name=name)
    path = f"/v1/workflows/{(await by_key(administrator, 'stalled_opportunity'))['id']}"
    async with transaction("system") as session:
        await session.execute(text("update stage_stays set entered_at = entered_at - interval '12 days'"))

    async def hits(**asked: object) -> int:
        answer = await administrator.get(f"{path}/preview", params=asked)
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["records"]
        return number

    assert (await hits(), await hits(days=12), await hits(days=13)) == (2, 2, 0)
    assert problems(await administrator.get(f"{path}/preview", params={"days": 0})) == {
        ("/query/days", "greater_than_equal")
    }
    await administrator.patch(path, json={"enabled": True})
    await sweep()
    assert await hits() == 0
    found = (await administrator.get(f"{path}/runs", params={"count": "exact", "sort": "-due_at", "limit": 1})).json()
    assert (found["total"], len(found["items"]), found["items"][0]["state"]) == (2, 1, "done")
    rest = await administrator.get(
        f"{path}/runs", params={"sort": "-due_at", "limit": 1, "cursor": found["next_cursor"]}
    )
    assert len(rest.json()["items"]) == 1
    skipped = await administrator.get(f"{path}/runs", params={"state": "skipped"})
    assert skipped.json()["items"] == []
    # The path's id is the workflow's, so that no other is asked for.
    refused = await administrator.get(f"{path}/runs", params={"id": str(administrator.user_id), "workflow_id__ne": "x"})
    assert problems(refused) == {("/query/id", "unknown_parameter"), ("/query/workflow_id__ne", "unknown_parameter")}
    other = await by_key(administrator, "web_lead")
    assert (await administrator.get(f"/v1/workflows/{other['id']}/runs")).json()["items"] == []
    assert (await administrator.get(f"/v1/workflows/{other['id']}/preview")).json() == {"records": 0}
    assert (await administrator.get(f"/v1/workflows/{administrator.user_id}/runs")).status_code == 404
    assert (await administrator.get(f"/v1/workflows/{administrator.user_id}/preview")).status_code == 404
