"""Why can somebody see a record, change it, see one of its fields, or why not? As `GET /v1/access/explain` tells it.

That its verdict is the answer, for every profile, relation and action, is held against the matrix (`tests/contracts`).
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import clock
from app.policies.explaining import naming
from app.policies.profiles import Rule, compiled, enforcer, scope_ge
from tests.conftest import Client
from tests.contracts.matrix import PROFILES
from tests.contracts.worlds import execute
from tests.policies.steps import change, create, grant, revoke
from tests.policies.test_grants import POLICY

AsProfile = Callable[..., Awaitable[Client]]
# A field of each group, and what to write into it.
FIELDS: dict[str, Any] = {
    "description": "New",
    "phones": [{"number": "+34910000000"}],
    "sector": "retail",
    "tax_id": "B99",
    "hobbies": ["chess"],
}


async def explain(
    administrator: Client, person: Client, entity: str, id: str, action: str = "read", **more: str
) -> dict[str, Any]:
    asked = {"user_id": str(person.user_id), "entity": entity, "id": id, "action": action} | more
    answer = await administrator.get("/v1/access/explain", params=asked)
    assert answer.status_code == 200, answer.text
    explained: dict[str, Any] = answer.json()
    assert all({"es", "it", "en"} == reason["labels"].keys() for reason in explained["reasons"])
    return explained


def codes(explained: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in explained["reasons"]]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_field_is_explained_as_it_is_read_and_changed(
    administrator: Client, as_profile: AsProfile, profile: str
) -> None:
    person = await as_profile(profile)
    customer = await create(administrator, "customers", owner_id=person.user_id)
    read = (await person.get(f"/v1/customers/{customer['id']}")).json()
    named = (await person.get("/v1/me")).json()["sections"]["customers"]["fields"]
    verdicts = set()
    for field, value in FIELDS.items():
        seen = await explain(administrator, person, "customers", customer["id"], field=field)
        assert seen["code"] == (None if field in read else "field_hidden"), field
        written = await explain(administrator, person, "customers", customer["id"], "update", field=field)
        answer = await person.patch(f"/v1/customers/{customer['id']}", json={field: value})
        assert written["code"] == (None if answer.status_code == 200 else answer.json()["code"]), field
        assert (field in named["read"], field in named.get("update", ())) == (seen["allowed"], written["allowed"])
        assert written["allowed"] == (written["code"] is None)
        last = written["steps"][-1]["levels"][0]
        assert bool(last["policies"]) == last["granted"]
        verdicts |= {seen["code"], written["code"]}
    assert verdicts == {
        "administrator": {None}, "manager": {None, "field_hidden"}, "sales": {None, "field_hidden"},
        "marketing": {None, "field_hidden", "forbidden"}, "support": {None, "field_hidden"},
    }[profile]  # fmt: skip


async def test_a_field_that_is_not_written_says_so(administrator: Client) -> None:
    customer = await create(administrator, "customers")
    explained = await explain(administrator, administrator, "customers", customer["id"], "update", field="number")
    refused = await change(administrator, "customers", customer, number="C-9")
    assert refused.json()["errors"][0]["code"] == explained["code"] == "read_only_field"
    assert codes(explained) == ["not_written"]


async def test_a_field_that_sums_up_more_than_is_reached_says_so(administrator: Client, as_profile: AsProfile) -> None:
    support = await as_profile("support")
    customer = await create(administrator, "customers")
    await revoke("support", "activities", "read", "open")
    await grant("support", "activities", "read", "open", "own")
    read = (await support.get(f"/v1/customers/{customer['id']}")).json()
    assert "next_activity_at" not in read
    explained = await explain(administrator, support, "customers", customer["id"], field="next_activity_at")
    assert (explained["code"], codes(explained)) == ("field_hidden", ["sums_up_more"])
    assert [level["section"] for level in explained["steps"][-1]["levels"]] == ["activities"]
    assert explained["steps"][-1]["reach"] == "own"


async def test_levels_and_policies_are_named_with_the_profile_in_which_they_stand(
    administrator: Client, as_profile: AsProfile
) -> None:
    """What belongs to a customer is read under the narrower of the two; a policy may be inherited."""
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer = await create(ana, "customers")
    opportunity = await create(ana, "opportunities", customer_id=customer["id"])
    await execute(
        "with noticed as (update versions set xid = pg_current_xact_id() where name = 'access')"
        " insert into policies (kind, subject, section, action, field_group, scope)"
        " values ('g', 'profile:sales', 'profile:support', '', '', '')"
    )
    await grant("support", "opportunities", "read", "open", "all")
    await revoke("support", "customers", "read", "open")
    explained = await explain(administrator, ben, "opportunities", opportunity["id"])
    assert (explained["code"], codes(explained)) == ("not_found", ["not_assigned"])
    [step] = explained["steps"]
    assert step["reach"] == "own"
    assert [(level["section"], level["reach"]) for level in step["levels"]] == [
        ("opportunities", "all"), ("customers", "own"),
    ]  # fmt: skip
    assert [(each["profile"], each["inherited"], each["reach"]) for each in step["levels"][0]["policies"]] == [
        ("sales", False, "own"), ("support", True, "all"),
    ]  # fmt: skip


async def test_assignments_are_named_with_their_reasons_and_how_the_person_reaches_them(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager = await as_profile("manager")
    ana = await as_profile("sales", manager=manager.user_id)
    today = clock.now().astimezone(ZoneInfo("Europe/Madrid")).date()
    absence = {"substitute_id": None, "from_on": str(today - timedelta(days=1)), "until_on": str(today)}
    ben, eva = await as_profile("sales"), await as_profile("sales")
    customer = await create(administrator, "customers", owner_id=ana.user_id)
    theirs = await create(administrator, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)

    through_team = await explain(administrator, manager, "customers", customer["id"])
    assert (through_team["allowed"], codes(through_team)) == (True, ["assigned"])
    owner, other = through_team["assignments"]
    if owner["user_id"] != str(ana.user_id):
        owner, other = other, owner
    assert owner == {
        "user_id": str(ana.user_id), "role": "owner", "because": [], "reached": "team",
        "ways": [{"via": "team", "from_on": None, "until_on": None}],
    }  # fmt: skip
    assert other == {
        "user_id": str(ben.user_id), "role": None, "reached": None, "ways": [],
        "because": [{"entity": "opportunities", "record_id": theirs["id"]}],
    }  # fmt: skip
    assert through_team["owner"]["reached"] == "team"

    assert codes(await explain(administrator, eva, "customers", customer["id"])) == ["not_assigned"]
    absent = await administrator.patch(
        f"/v1/users/{ben.user_id}", json={"absence": absence | {"substitute_id": str(eva.user_id)}}
    )
    assert absent.status_code == 200, absent.text
    standing_in = await explain(administrator, eva, "customers", customer["id"])
    assert (standing_in["allowed"], codes(standing_in)) == (True, ["assigned"])
    bens = next(each for each in standing_in["assignments"] if each["user_id"] == str(ben.user_id))
    assert bens["reached"] == "own"
    assert bens["ways"] == [{"via": "substitute", "from_on": absence["from_on"], "until_on": absence["until_on"]}]

    seen_only = await explain(administrator, ana, "opportunities", theirs["id"], "update")
    assert (seen_only["code"], codes(seen_only)) == ("forbidden", ["not_owner"])
    assert (seen_only["owner"]["user_id"], seen_only["owner"]["reached"]) == (str(ben.user_id), None)
    naming = await explain(administrator, ana, "customers", customer["id"], "assign")
    assert (naming["code"], codes(naming)) == ("forbidden", ["assign_not_granted"])


async def test_what_is_nobodys_archived_or_about_something_is_told(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, ana = await as_profile("manager"), await as_profile("sales")
    customer = await create(administrator, "customers", owner_id=None)
    assert codes(await explain(administrator, manager, "customers", customer["id"], "update")) == ["nobodys"]
    assert codes(await explain(administrator, ana, "customers", customer["id"])) == ["not_assigned"]
    assert (await administrator.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    for action, code, reason in (
        ("update", "archived", "archived"), ("restore", None, "nobodys"), ("read", None, "nobodys")
    ):  # fmt: skip
        explained = await explain(administrator, manager, "customers", customer["id"], action)
        assert (explained["code"], codes(explained)) == (code, [reason]), action
    opportunity = await create(ana, "opportunities")
    made = await administrator.post(
        "/v1/activities",
        json={"kind": "call", "subject": "Call", "owner_id": None, "opportunity_id": opportunity["id"]},
    )
    about = await explain(administrator, ana, "activities", made.json()["id"])
    assert (about["allowed"], codes(about)) == ((await ana.get(f"/v1/activities/{about['id']}")).is_success, ["about"])
    picklist = (await administrator.get("/v1/picklists")).json()["items"][0]["id"]
    assert (await explain(administrator, ana, "picklists", picklist, "update"))["code"] == "method_not_allowed"
    assert codes(await explain(administrator, ana, "users", str(ana.user_id), "delete")) == ["not_granted"]


async def test_somebody_who_is_not_active_may_do_nothing(administrator: Client, as_profile: AsProfile) -> None:
    ana = await as_profile("sales")
    customer = await create(ana, "customers")
    await execute("update users set active = false where id = $1", ana.user_id)
    explained = await explain(administrator, ana, "customers", customer["id"])
    assert (explained["allowed"], explained["code"], codes(explained)) == (False, "session_ended", ["inactive"])


async def test_nobody_is_told_what_they_may_not_see_themselves(administrator: Client, as_profile: AsProfile) -> None:
    """One who configures users and sees their own customers asks about what they see, and nothing else."""
    ben, ana = await as_profile("sales"), await as_profile("sales")
    bens, anas = await create(ben, "customers"), await create(ana, "customers")
    asked = {"user_id": str(ben.user_id), "entity": "customers", "id": anas["id"]}
    for profile in PROFILES[1:]:
        person = ana if profile == "sales" else await as_profile(profile)
        assert (await person.get("/v1/access/explain", params=asked)).status_code == 403
    await grant("sales", "users", "configure", "open", "all")
    deal = await create(administrator, "opportunities", customer_id=anas["id"], owner_id=ben.user_id)
    explained = await explain(ana, ben, "customers", anas["id"])
    assert codes(explained) == ["assigned"]
    because = [reason for each in explained["assignments"] for reason in each["because"]]
    assert {"entity": "opportunities", "record_id": deal["id"]} in because
    await revoke("sales", "opportunities", "read", "open")
    explained = await explain(ana, ben, "customers", anas["id"])
    assert [each["because"] for each in explained["assignments"]] == [[], []]
    answers = []
    for id in (bens["id"], str(ana.user_id)):
        answer = await ana.get("/v1/access/explain", params=asked | {"id": id})
        answers.append((answer.status_code, answer.json() | {"request_id": ""}))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    hidden = await ana.get("/v1/access/explain", params=asked | {"field": "credit_limit"})
    assert hidden.status_code == 200
    await revoke("sales", "customers", "read", "billing")
    hidden = await ana.get("/v1/access/explain", params=asked | {"field": "credit_limit"})
    assert (hidden.status_code, hidden.json()["code"]) == (403, "field_hidden")
    await revoke("sales", "users", "read", "open")
    assert (await ana.get("/v1/access/explain", params=asked)).status_code == 404


async def test_what_does_not_exist_is_not_explained(administrator: Client) -> None:
    asked = {"user_id": str(administrator.user_id), "entity": "customers", "id": str(administrator.user_id)}
    for wrong, code in (
        ({"entity": "costumers"}, "unknown_entity"),
        ({"field": "nmae"}, "unknown_field"),
        ({"field": "name", "action": "delete"}, "not_applicable"),
    ):
        refused = await administrator.get("/v1/access/explain", params=asked | wrong)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
    assert (
        "customers"
        in (await administrator.get("/v1/access/explain", params=asked | {"entity": "costumers"})).json()["errors"][0][
            "message"
        ]
    )
    assert (await administrator.get("/v1/access/explain", params=asked)).status_code == 404


@settings(max_examples=40, deadline=None)
@given(rules=POLICY, profile=st.sampled_from(["a", "b"]))
def test_the_named_policies_grant_what_is_granted_and_nothing_else_does(rules: list[Rule], profile: str) -> None:
    grants = compiled(enforcer(rules), profile)
    rights = {*grants, ("customers", "read", "open"), ("leads", "update", "contact_details")}
    for right in rights:
        named = [each["reach"] or "-" for each in naming(rules, profile, right)]
        widest = next((scope for scope in named if all(scope_ge(scope, other) for other in named)), None)
        assert widest == grants.get(right)
