"""Moving opportunities through their stages over HTTP, and the history of customers' lifecycle stages."""

from typing import Any

from sqlalchemy import text

from app.db.session import transaction
from tests.api.records import at_once, make, opportunity, problems
from tests.conftest import Client


async def move(client: Client, id: str, stage: str, **values: Any) -> Any:
    return await client.post(f"/v1/opportunities/{id}/stage", json={"stage": stage} | values)


async def rows(statement: str, **values: Any) -> list[Any]:
    async with transaction("system") as session:
        return list((await session.execute(text(statement), values)).all())


async def test_a_move_closes_a_stay_and_begins_another(administrator: Client) -> None:
    id = await opportunity(administrator)
    moved = await move(administrator, id, "qualification", note="They called back")
    body = moved.json()
    assert (body["stage"], body["probability"], body["version"]) == ("qualification", 25, 2)
    assert moved.headers["etag"] == '"2"'
    history = (await administrator.get(f"/v1/opportunities/{id}/stages")).json()["items"]
    assert [each["stage"] for each in history] == ["reception", "qualification"]
    first, second = history
    assert first["left_at"] == second["entered_at"] == body["stage_entered_at"]
    assert second["left_at"] is None
    assert (first["note"], second["note"]) == (None, "They called back")
    assert {each["by"] for each in history} == {str(administrator.user_id)}
    assert {each["source"] for each in history} == {"api"}
    assert {each["pipeline_id"] for each in history} == {body["pipeline_id"]}
    [event] = await rows("select changes, version from events where type = 'opportunity.stage_changed'")
    assert event.version == 2
    assert event.changes["stage"] == ["reception", "qualification"]


async def test_the_history_says_how_long(administrator: Client) -> None:
    id = await opportunity(administrator, "qualification")
    await rows(
        "with s as (update stage_stays set entered_at = entered_at - interval '2 days',"
        " left_at = left_at - interval '1 day' where stage = 'reception'),"
        " t as (update stage_stays set entered_at = entered_at - interval '1 day' where stage = 'qualification')"
        " select 1"
    )
    first, second = (await administrator.get(f"/v1/opportunities/{id}/stages")).json()["items"]
    assert abs(first["seconds"] - 86_400) < 5
    assert 86_400 <= second["seconds"] < 86_460


async def test_the_history_is_read_by_whoever_reads_the_opportunity(administrator: Client, as_profile: Any) -> None:
    id = await opportunity(administrator)
    assert (await (await as_profile("marketing")).get(f"/v1/opportunities/{id}/stages")).status_code == 200
    assert (await (await as_profile("sales")).get(f"/v1/opportunities/{id}/stages")).status_code == 404


async def test_winning_closes_and_needs_customer_and_amount(administrator: Client) -> None:
    id = await opportunity(administrator, "qualification", "proposal", "negotiation")
    assert problems(await move(administrator, id, "won")) == {
        ("/customer_id", "required_information"),
        ("/amount", "required_information"),
    }
    customer = await make(administrator, "customers", name="Acme")
    await administrator.patch(f"/v1/opportunities/{id}", json={"customer_id": customer["id"], "amount": "10"})
    won = (await move(administrator, id, "won")).json()
    assert (won["stage_kind"], won["probability"]) == ("won", 100)
    assert won["closed_at"] == won["stage_entered_at"]


async def test_losing_needs_a_reason_and_keeps_it(administrator: Client) -> None:
    id = await opportunity(administrator)
    assert problems(await move(administrator, id, "lost")) == {("/lost_reason", "required_information")}
    wrong = await move(administrator, id, "lost", lost_reason="prise")
    assert problems(wrong) == {("/lost_reason", "unknown_option")}
    assert "price" in wrong.json()["detail"]
    lost = (await move(administrator, id, "lost", lost_reason="price")).json()
    assert (lost["stage_kind"], lost["lost_reason"], lost["probability"]) == ("lost", "price", 0)


async def test_a_move_that_is_not_allowed_says_which_are(administrator: Client) -> None:
    id = await opportunity(administrator)
    answer = await move(administrator, id, "won")
    assert answer.status_code == 409
    body = answer.json()
    assert (body["code"], body["stage"], body["allowed"]) == ("forbidden_move", "reception", ["qualification", "lost"])
    assert problems(await move(administrator, id, "nowhere")) == {("/stage", "unknown_option")}


async def test_reopening_needs_the_right_to_configure_pipelines(administrator: Client, as_profile: Any) -> None:
    seller = await as_profile("sales")
    id = await opportunity(seller, "lost")
    refused = await move(seller, id, "negotiation")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await move(seller, id, "won")).json()["allowed"] == []
    open_stages = ["reception", "qualification", "proposal", "negotiation"]
    assert (await move(administrator, id, "won")).json()["allowed"] == open_stages
    reopened = (await move(administrator, id, "negotiation")).json()
    assert (reopened["stage_kind"], reopened["closed_at"], reopened["lost_reason"]) == ("open", None, None)
    history = (await administrator.get(f"/v1/opportunities/{id}/stages")).json()["items"]
    assert [each["stage"] for each in history] == ["reception", "lost", "negotiation"]
    assert history[-1]["by"] == str(administrator.user_id)


async def test_who_only_sees_an_opportunity_does_not_move_it(administrator: Client, as_profile: Any) -> None:
    id = await opportunity(administrator)
    assert (await move(await as_profile("marketing"), id, "qualification")).status_code == 403
    assert (await move(await as_profile("sales"), id, "qualification")).status_code == 404
    await administrator.delete(f"/v1/opportunities/{id}")
    archived = await move(administrator, id, "qualification")
    assert (archived.status_code, archived.json()["code"]) == (409, "archived")


async def test_a_move_heeds_the_version_that_it_is_meant_for(administrator: Client) -> None:
    id = await opportunity(administrator)
    url = f"/v1/opportunities/{id}"
    await administrator.patch(url, json={"name": "Presses"})
    stale = await administrator.post(f"{url}/stage", json={"stage": "qualification"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "stale", 2)
    assert stale.json()["changed"] == {"name": "Presses"}
    assert (await administrator.get(url)).json()["stage"] == "reception"
    moved = await administrator.post(f"{url}/stage", json={"stage": "qualification"}, headers={"If-Match": '"2"'})
    assert (moved.status_code, moved.json()["stage"], moved.headers["etag"]) == (200, "qualification", '"3"')
    lead = await make(administrator, "leads", first_name="Ana")
    stale = await administrator.post(f"/v1/leads/{lead['id']}/stage", json={"stage": "x"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["version"]) == (412, 1)


async def test_of_fifty_moves_at_once_one_succeeds(administrator: Client) -> None:
    id = await opportunity(administrator)
    answers = await at_once(*(move(administrator, id, "qualification") for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [200] + [409] * 49
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"forbidden_move"}
    assert await rows("select 1 from stage_stays where record_id = :id and stage = 'qualification'", id=id) == [(1,)]
    assert len(await rows("select 1 from events where type = 'opportunity.stage_changed'")) == 1
    assert (await administrator.get(f"/v1/opportunities/{id}")).json()["version"] == 2


async def test_the_lifecycle_stages_of_a_customer_are_its_history(administrator: Client, as_profile: Any) -> None:
    customer = await make(administrator, "customers", name="Acme", lifecycle_stage="possible")
    path = f"/v1/customers/{customer['id']}"
    for stage in ("customer", None, "lost"):
        assert (await administrator.patch(path, json={"lifecycle_stage": stage})).status_code == 200
    assert (await administrator.patch(path, json={"name": "Acme SL"})).status_code == 200
    history = (await administrator.get(f"{path}/lifecycle")).json()["items"]
    assert [each["stage"] for each in history] == ["possible", "customer", "lost"]
    assert history[0]["left_at"] == history[1]["entered_at"]
    assert history[1]["left_at"] < history[2]["entered_at"], "for a while it was in none"
    now = (await administrator.get(path)).json()
    assert (history[2]["entered_at"], history[2]["left_at"]) == (now["lifecycle_stage_entered_at"], None)
    assert {(each["by"], each["source"]) for each in history} == {(str(administrator.user_id), "api")}
    assert history[0].keys() == {"stage", "entered_at", "left_at", "seconds", "by", "source"}

    assert (await (await as_profile("marketing")).get(f"{path}/lifecycle")).json()["items"] == history
    hidden = await (await as_profile("support")).get(f"{path}/lifecycle")
    assert (hidden.status_code, hidden.json()["code"]) == (403, "field_hidden")
    for other in (f"{path}/lifecycle", "/v1/customers/0198c0de-0000-7000-8000-000000000000/lifecycle"):
        missing = await (await as_profile("sales")).get(other)
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_customer_without_a_lifecycle_stage_has_no_history_of_them(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    answer = await administrator.get(f"/v1/customers/{customer['id']}/lifecycle")
    assert (answer.status_code, answer.json()) == (200, {"items": []})
