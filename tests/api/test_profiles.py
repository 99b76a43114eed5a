"""Profiles over HTTP: made, copied, inherited, changed, deleted, and what is refused when they are written."""

import json
import re
from typing import Any

import pytest

from tests.api.records import at_once, make, problems
from tests.conftest import ROOT, Client
from tests.contracts.worlds import fetch, fingerprint

LABELS = {"es": "Dirección comercial", "it": "Direzione commerciale", "en": "Sales director"}
READS = {"section": "customers", "action": "read", "field_group": "open", "reach": "team"}
BILLING = {"section": "customers", "action": "read", "field_group": "billing", "reach": None}


async def profile(administrator: Client, id: str, **values: Any) -> dict[str, Any]:
    return await make(administrator, "profiles", **({"id": id, "labels": LABELS} | values))


async def test_a_profile_is_made_read_changed_and_deleted_and_the_ledger_tells_of_it(administrator: Client) -> None:
    body = {"id": "director", "labels": LABELS, "policies": [READS, BILLING], "inherits": ["sales"]}
    key = {"Idempotency-Key": "once"}
    made = await administrator.post("/v1/profiles", json=body, headers=key)
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, "/v1/profiles/director", '"1"')
    assert body.items() <= made.json().items()
    assert (made.json()["users"], made.json()["second_factor_required"]) == (0, False)
    assert made.json()["created_by"] == made.json()["updated_by"] == str(administrator.user_id)
    again = await administrator.post("/v1/profiles", json=body, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (made.json(), "true")
    assert problems(await administrator.post("/v1/profiles", json=body), 409) == {("/id", "duplicate")}
    url = "/v1/profiles/director"
    assert (await administrator.get(url)).json() == made.json()
    change = {"policies": [BILLING], "inherits": [], "labels": LABELS | {"en": "Director"}}
    changed = await administrator.patch(url, json=change, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert change.items() <= changed.json().items()
    assert (changed.headers["etag"], changed.json()["version"]) == ('"2"', 2)
    assert (await administrator.patch(url, json=change)).headers["etag"] == '"2"'
    for stale in (
        await administrator.patch(url, json={"inherits": []}, headers={"If-Match": '"1"'}),
        await administrator.delete(url, headers={"If-Match": '"1"'}),
    ):
        assert (stale.status_code, stale.json()["version"]) == (412, 2)
    assert (await administrator.delete(url, headers={"If-Match": 'W/"2"'})).status_code == 204
    for none in (url, "/v1/profiles/%00", "/v1/profiles/..%2Fsales", f"/v1/profiles/{'a' * 5000}", "/v1/profiles/*"):
        for gone in (administrator.get(none), administrator.patch(none, json={}), administrator.delete(none)):
            assert (await gone).status_code == 404
    told = await fetch("select type, version, changes::text, actor from events where entity = 'profiles' order by id")
    assert [(row[0], row[1]) for row in told] == [
        ("profile.created", 1),
        ("profile.changed", 2),
        ("profile.deleted", 2),
    ]
    assert '"inherits": [["sales"], []]' in told[1][2]
    assert {row[3] for row in told} == {administrator.user_id}
    assert await fetch("select id from policies where subject = 'profile:director'") == []


async def test_the_profile_of_the_guide_is_one(administrator: Client) -> None:
    guide = (ROOT / "docs" / "how-to" / "edit-profiles.md").read_text()
    policy, whole = (json.loads(each) for each in re.findall(r"```json\n(.*?)```", guide, re.DOTALL))
    made = await administrator.post("/v1/profiles", json=whole | {"policies": [*whole["policies"], policy]})
    assert made.status_code == 201, made.text


async def test_the_list_says_what_each_profile_is_called_and_how_many_active_users_have_it(
    administrator: Client, as_profile: Any
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    await administrator.patch(f"/v1/users/{ben.user_id}", json={"active": False})
    listed = (await administrator.get("/v1/profiles")).json()
    assert (listed["total"], listed["next_cursor"]) == (5, None)
    shown = {each["id"]: each for each in listed["items"]}
    assert list(shown) == ["administrator", "manager", "marketing", "sales", "support"]
    assert {id: each["users"] for id, each in shown.items()} == dict.fromkeys(shown, 0) | {
        "administrator": 1,
        "sales": 1,
    }
    assert shown["sales"]["labels"] == {"es": "Ventas", "it": "Vendite", "en": "Sales"}
    assert {"section": "customers", "action": "read", "field_group": "open", "reach": "own"} in shown["sales"][
        "policies"
    ]
    assert {"section": "*", "action": "*", "field_group": "*", "reach": None} in shown["administrator"]["policies"]
    assert ana.user_id != ben.user_id


async def test_a_copy_begins_as_the_other_is_and_what_is_given_takes_its_place(administrator: Client) -> None:
    await profile(administrator, "head", inherits=["support"], policies=[READS], second_factor_required=True)
    copied = await profile(administrator, "copied", copy_of="head")
    assert (copied["inherits"], copied["policies"], copied["second_factor_required"]) == (["support"], [READS], True)
    own = await profile(administrator, "own", copy_of="head", inherits=[], second_factor_required=False)
    assert (own["inherits"], own["policies"], own["second_factor_required"]) == ([], [READS], False)
    unknown = await administrator.post("/v1/profiles", json={"id": "x", "labels": LABELS, "copy_of": "haed"})
    assert problems(unknown) == {("/copy_of", "unknown_option")}
    assert "head" in unknown.json()["detail"]


async def test_every_shipped_profile_can_be_written_as_it_is_read(administrator: Client) -> None:
    for each in (await administrator.get("/v1/profiles")).json()["items"]:
        same = {name: each[name] for name in ("labels", "inherits", "policies", "second_factor_required")}
        answer = await administrator.patch(f"/v1/profiles/{each['id']}", json=same)
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
        assert (await profile(administrator, f"{each['id']}_2", **same))["policies"] == each["policies"]


@pytest.mark.parametrize(
    ("wrong", "expected", "hint"),
    [
        ({"section": "custmers"}, ("section", "unknown_option"), "customers"),
        ({"section": ""}, ("section", "unknown_option"), None),
        ({"section": "custom*"}, ("section", "unknown_option"), None),
        ({"action": "reed"}, ("action", "unknown_option"), "read"),
        ({"action": " "}, ("action", "unknown_option"), None),
        ({"field_group": "biling", "reach": None}, ("field_group", "unknown_option"), "billing"),
        ({"field_group": "", "reach": None}, ("field_group", "unknown_option"), None),
        ({"section": "users", "field_group": "billing", "reach": None}, ("field_group", "unknown_option"), None),
        ({"section": "*", "field_group": "secrets", "reach": None}, ("field_group", "unknown_option"), None),
        ({"reach": None}, ("reach", "required_information"), None),
        ({"reach": "-"}, ("reach", "literal_error"), None),
        ({"reach": ""}, ("reach", "literal_error"), None),
        ({"field_group": "billing"}, ("reach", "not_applicable"), None),
        ({"field_group": "*"}, ("reach", "not_applicable"), None),
        ({"section": None}, ("section", "string_type"), None),
        ({"fieldgroup": "open"}, ("fieldgroup", "unknown_field"), None),
    ],
)
async def test_a_policy_that_names_nothing_or_says_half_is_refused_with_the_nearest(
    administrator: Client, wrong: dict[str, Any], expected: tuple[str, str], hint: str | None
) -> None:
    before = await fingerprint()
    body = {"id": "director", "labels": LABELS, "policies": [READS, READS | {"action": "update"} | wrong]}
    for answer in (
        await administrator.post("/v1/profiles", json=body),
        await administrator.patch("/v1/profiles/sales", json={"policies": body["policies"]}),
    ):
        assert problems(answer) == {(f"/policies/1/{expected[0]}", expected[1])}
        assert hint is None or f"did you mean {hint}?" in answer.json()["detail"]
    assert await fingerprint() == before


async def test_what_is_given_twice_or_inherited_wrongly_is_refused(administrator: Client) -> None:
    await profile(administrator, "b", inherits=["support"])
    await profile(administrator, "a", inherits=["b"])
    before = await fingerprint()
    url = "/v1/profiles/a"
    twice = await administrator.patch(url, json={"policies": [READS, BILLING, READS], "inherits": ["b", "b"]})
    assert problems(twice) == {("/policies/2", "duplicate"), ("/inherits/1", "duplicate")}
    unknown = await administrator.patch(url, json={"inherits": ["b", "suport"]})
    assert problems(unknown) == {("/inherits/1", "unknown_option")}
    assert "did you mean support?" in unknown.json()["detail"]
    assert problems(await administrator.patch(url, json={"inherits": ["a"]})) == {("/inherits/0", "names_itself")}
    for loop in (
        await administrator.patch("/v1/profiles/b", json={"inherits": ["sales", "a"]}),
        await administrator.patch("/v1/profiles/support", json={"inherits": ["sales", "a"]}),
    ):
        assert problems(loop, 409) == {("/inherits/1", "loop")}
    for body in (
        {"id": "a", "labels": {"en": "Only English"}},
        {"id": "Director!", "labels": LABELS},
        {"id": "", "labels": LABELS},
        {"labels": LABELS},
        {"id": "director"},
        {"id": "director", "labels": LABELS | {"en": ""}},
        {"id": "director", "labels": LABELS, "users": 3},
    ):
        assert (await administrator.post("/v1/profiles", json=body)).status_code == 422, body
    for change in ({"id": "c"}, {"policies": None}, {"labels": None}, {"second_factor_required": None}):
        assert (await administrator.patch(url, json=change)).status_code == 422, change
    assert await fingerprint() == before


async def test_inheritance_goes_over_nine_steps_and_not_over_ten(administrator: Client, as_profile: Any) -> None:
    await profile(administrator, "step0", policies=[READS | {"reach": "all"}])
    for step in range(1, 10):
        await profile(administrator, f"step{step}", inherits=[f"step{step - 1}"])
    user = await as_profile("step9")
    assert (await user.get("/v1/customers")).status_code == 200
    answer = await administrator.post("/v1/profiles", json={"id": "step10", "labels": LABELS, "inherits": ["step9"]})
    assert problems(answer) == {("/inherits", "too_deep")}
    below = await administrator.patch("/v1/profiles/step0", json={"inherits": ["support"]})
    assert problems(below) == {("/inherits", "too_deep")}


async def test_a_star_means_all_that_there_is_and_a_group_alone_opens_nothing(
    administrator: Client, as_profile: Any
) -> None:
    star = {"section": "*", "action": "read", "field_group": "open", "reach": "all"}
    await profile(
        administrator, "reader", policies=[star, star | {"section": "customers", "field_group": "*", "reach": None}]
    )
    sections = (await (await as_profile("reader")).get("/v1/me")).json()["sections"]
    assert {tuple(each["actions"].items()) for each in sections.values()} == {(("read", "all"),)}
    assert "profiles" in sections
    assert "billing" in sections["customers"]["readable"]
    assert sections["contacts"]["readable"] == ["open"]
    await profile(administrator, "group", policies=[BILLING])
    assert (await (await as_profile("group")).get("/v1/customers")).status_code == 403


async def test_only_who_configures_profiles_reads_and_writes_them_and_everybody_is_told_their_own(
    administrator: Client, as_profile: Any
) -> None:
    manager = await as_profile("manager")
    before = await fingerprint()
    for answer in (
        await manager.get("/v1/profiles"),
        await manager.get("/v1/profiles/manager"),
        await manager.get("/v1/profiles/nothing"),
        await manager.post("/v1/profiles", json={"id": "x", "labels": LABELS}),
        await manager.patch("/v1/profiles/manager", json={"policies": []}),
        await manager.delete("/v1/profiles/support"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await fingerprint() == before
    assert (await manager.get("/v1/me")).json()["sections"]["customers"]["actions"]["merge"] == "team"


async def test_a_profile_that_something_uses_is_not_deleted_and_a_shipped_one_is_like_any_other(
    administrator: Client, as_profile: Any
) -> None:
    ana = await as_profile("support")
    await administrator.delete(f"/v1/users/{ana.user_id}")
    await profile(administrator, "a", inherits=["marketing"])
    [workflow] = [
        each for each in (await administrator.get("/v1/workflows")).json()["items"] if each["key"] == "web_lead"
    ]
    assert (await administrator.get("/v1/profiles/sales")).json()["users"] == 0
    for id, by in (
        ("administrator", "users"),
        ("support", "users"),
        ("marketing", "profiles that inherit it"),
        ("sales", "workflows"),
    ):
        answer = await administrator.delete(f"/v1/profiles/{id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert by in answer.json()["detail"]
    options = {"profiles": ["manager"]}
    assert (await administrator.patch(f"/v1/workflows/{workflow['id']}", json={"options": options})).status_code == 200
    assert (await administrator.delete("/v1/profiles/sales")).status_code == 204
    assert (await administrator.delete("/v1/profiles/a")).status_code == 204
    assert (await administrator.delete("/v1/profiles/marketing")).status_code == 204
    refused = await administrator.post("/v1/users", json={"name": "Ana", "username": "ana", "profile_id": "sales"})
    assert problems(refused) == {("/profile_id", "unknown_option")}


async def test_a_deletion_and_a_user_who_gets_the_profile_at_once_do_not_both_succeed(administrator: Client) -> None:
    await profile(administrator, "brief")
    body = {"name": "Ana", "username": "ana", "profile_id": "brief"}
    deleted, made = await at_once(
        administrator.delete("/v1/profiles/brief"), administrator.post("/v1/users", json=body)
    )
    assert (deleted.status_code, made.status_code) in {(204, 422), (204, 409), (409, 201)}
