"""Nobody gives what they lack, neither to a profile nor to a person, and somebody who lets people in remains."""

import asyncio
from typing import Any

import pytest

from app.db.session import transaction
from app.domain import profiles
from app.domain.entities.profiles import ProfileUpdate
from app.errors import NotFound
from app.policies.callers import access_of
from tests.api.records import at_once, make, problems
from tests.conftest import Client, People
from tests.contracts.worlds import fingerprint
from tests.loading import errors_of, loaded

LABELS = {"es": "Otro", "it": "Altro", "en": "Other"}
EXCEEDS = "exceeds_own_profile"


def rule(section: str, action: str, group: str = "open", reach: str | None = None) -> dict[str, Any]:
    return {"section": section, "action": action, "field_group": group, "reach": reach}


# Configures profiles and users, and beside that may do what a seller may.
DELEGATE = [
    rule("profiles", "configure", reach="all"),
    *(rule("users", action, reach="all") for action in ("read", "create", "update", "delete", "import", "configure")),
    *(rule("users", action, "account") for action in ("read", "create", "update")),
    rule("imports", "read", reach="own"),
]


@pytest.fixture
async def delegate(administrator: Client, people: People) -> Client:
    body = {"id": "delegate", "labels": LABELS, "inherits": ["sales"], "policies": DELEGATE}
    await make(administrator, "profiles", **body)
    return await people.client(await people.user("delegate"))


def refused(answer: Any, *pointers: str) -> bool:
    assert answer.status_code == 403, answer.text
    found = [each["pointer"] for each in answer.json().get("errors", [])]
    return (answer.json()["code"], found) == (EXCEEDS, list(pointers))


async def test_a_profile_is_granted_nothing_that_who_writes_it_lacks(administrator: Client, delegate: Client) -> None:
    await make(administrator, "profiles", id="child", labels=LABELS, inherits=["support"])
    before = await fingerprint()
    own = rule("customers", "read", reach="own")
    for policy in (
        rule("customers", "read", reach="team"),  # wider
        rule("customers", "delete", reach="own"),
        rule("customers", "update", "billing"),
        rule("settings", "read", reach="own"),
        rule("*", "read", reach="own"),
        rule("customers", "*", reach="own"),
        rule("customers", "update", "*"),
    ):
        body = {"id": "x", "labels": LABELS, "policies": [own, policy]}
        assert refused(await delegate.post("/v1/profiles", json=body), "/policies/1"), policy
        assert refused(await delegate.patch("/v1/profiles/delegate", json={"policies": [own, policy]}), "/policies/1")
    inheriting = {"id": "x", "labels": LABELS, "inherits": ["sales", "child"]}
    assert refused(await delegate.post("/v1/profiles", json=inheriting), "/inherits/1")
    assert refused(
        await delegate.post("/v1/profiles", json={"id": "x", "labels": LABELS, "copy_of": "manager"}), "/copy_of"
    )
    copied = {"id": "x", "labels": LABELS, "copy_of": "child", "policies": [own]}
    assert refused(await delegate.post("/v1/profiles", json=copied), "/copy_of")
    # What a profile grants, those grant that inherit it.
    wider = [*(await administrator.get("/v1/profiles/support")).json()["policies"], rule("leads", "read", reach="all")]
    assert refused(
        await delegate.patch("/v1/profiles/support", json={"policies": wider}), f"/policies/{len(wider) - 1}"
    )
    assert await fingerprint() == before
    # What it granted before, it may go on granting: others' profiles can be changed, and lose what oneself has.
    assert (await delegate.patch("/v1/profiles/support", json={"labels": LABELS})).status_code == 200
    fewer = [each for each in wider if each["section"] not in ("leads", "products")]
    assert (await delegate.patch("/v1/profiles/support", json={"policies": fewer})).status_code == 200
    assert (await delegate.patch("/v1/profiles/support", json={"policies": wider[:-1]})).status_code == 200
    equal = {"id": "equal", "labels": LABELS, "copy_of": "delegate"}
    assert (await delegate.post("/v1/profiles", json=equal)).status_code == 201


async def test_nobody_makes_those_who_may_do_more_do_less_to_take_them_over(
    administrator: Client, delegate: Client, people: People
) -> None:
    boss = await people.user("manager", username="boss")
    before = await fingerprint()
    policies = (await administrator.get("/v1/profiles/manager")).json()["policies"]
    narrower = [each | {"reach": each["reach"] and "own"} for each in policies]
    for change in ({"policies": []}, {"policies": narrower}, {"policies": policies[1:]}):
        assert refused(await delegate.patch("/v1/profiles/manager", json=change)), change
    password = {"password": "la gata bebe leche"}
    assert refused(await delegate.post(f"/v1/users/{boss}/password", json=password))
    assert await fingerprint() == before
    heir = {"id": "heir", "labels": LABELS, "inherits": ["manager"]}
    await make(administrator, "profiles", **heir)
    assert refused(await delegate.patch("/v1/profiles/heir", json={"inherits": []}))
    assert (await administrator.patch("/v1/profiles/manager", json={"policies": []})).status_code == 200


async def test_who_locked_themselves_out_is_let_in_again_from_the_command_line(administrator: Client) -> None:
    url = "/v1/profiles/administrator"
    shipped = (await administrator.get(url)).json()
    keys = [rule("profiles", "configure", reach="all"), rule("users", "*", reach="all")]
    assert (await administrator.patch(url, json={"policies": keys})).status_code == 200
    lost = await administrator.patch(url, json={"policies": shipped["policies"]})
    assert (lost.status_code, (await administrator.get("/v1/customers")).status_code) == (403, 403)
    await profiles.reset_from_command_line("administrator")
    assert (await administrator.get(url)).json()["policies"] == shipped["policies"]
    assert (await administrator.get("/v1/customers")).status_code == 200
    before = await fingerprint()
    await profiles.reset_from_command_line("administrator")
    for id in ("nobody", "delegate"):
        with pytest.raises(NotFound):
            await profiles.reset_from_command_line(id)
    assert await fingerprint() == before


async def test_a_second_factor_is_not_waived_for_those_who_may_do_more(administrator: Client, delegate: Client) -> None:
    demanding = {"second_factor_required": True}
    await administrator.patch("/v1/profiles/sales", json=demanding)
    for id in ("manager", "marketing"):
        assert (await delegate.patch(f"/v1/profiles/{id}", json=demanding)).status_code == 200
        waived = await delegate.patch(f"/v1/profiles/{id}", json={"second_factor_required": False})
        assert refused(waived, "/second_factor_required")
    assert (await delegate.patch("/v1/profiles/sales", json={"second_factor_required": False})).status_code == 200


async def test_nobody_gives_a_person_more_than_they_may_do(
    administrator: Client, delegate: Client, people: People
) -> None:
    ana, boss = await people.user("sales", username="ana"), await people.user("manager", username="boss")
    eva = {"name": "Eva", "username": "eva"}
    before = await fingerprint()
    for answer in (
        await delegate.post("/v1/users", json=eva | {"profile_id": "manager"}),
        await delegate.put("/v1/users/by/hr/1", json=eva | {"profile_id": "administrator"}),
        await delegate.patch(f"/v1/users/{ana}", json={"profile_id": "manager"}),
        await delegate.patch(f"/v1/users/{delegate.user_id}", json={"profile_id": "administrator"}),
    ):
        assert refused(answer, "/profile_id")
    url = f"/v1/users/{boss}"
    for answer in (
        await delegate.patch(url, json={"department": None}),
        await delegate.patch(url, json={"profile_id": "sales"}),
        await delegate.patch(url, json={"active": False}),
        await delegate.delete(url),
        await delegate.post(f"{url}/password", json={"password": "la gata bebe leche"}),
    ):
        assert refused(answer)
    assert await fingerprint() == before
    assert (
        await delegate.post(f"/v1/users/{ana}/password", json={"password": "la gata bebe leche"})
    ).status_code == 204
    assert (await delegate.post("/v1/users", json=eva | {"profile_id": "delegate"})).status_code == 201
    assert (await delegate.patch(f"/v1/users/{ana}", json={"profile_id": "delegate", "tags": ["x"]})).status_code == 200
    assert (await delegate.delete(f"/v1/users/{ana}")).status_code == 204
    assert (await delegate.post(f"/v1/users/{ana}/restore")).status_code == 200
    assert (await administrator.delete(url)).status_code == 204
    assert refused(await delegate.post(f"{url}/restore"))
    unknown = await delegate.post("/v1/users", json=eva | {"username": "eve", "profile_id": "sals"})
    assert problems(unknown) == {("/profile_id", "unknown_option")}


async def test_nobody_comes_above_those_who_may_do_more(
    administrator: Client, delegate: Client, people: People
) -> None:
    """Who is above somebody sees what they see, and what their team does."""
    eva = await people.user("sales", username="eva")
    ana = await people.user("sales", username="ana", manager_id=eva)
    boss = await people.user("manager", username="boss", manager_id=ana)
    me = str(delegate.user_id)
    absence = {"substitute_id": me, "from_on": "2000-01-01", "until_on": "2100-01-01"}
    mapping = {"match_on": "username", "columns": {"user": "username", "manager": {"to": "manager", "by": "username"}}}
    name = (await administrator.get(f"/v1/users/{me}")).json()["username"]
    before = await fingerprint()
    for user in (eva, ana):
        assert refused(await delegate.patch(f"/v1/users/{user}", json={"manager_id": me}), "/manager_id")
        assert refused(await delegate.patch(f"/v1/users/{user}", json={"absence": absence}), "/absence")
        assert refused(await delegate.post(f"/v1/users/{user}/hand-over", json={"to": [me]}))
        assert refused(await delegate.post(f"/v1/users/{user}/hand-over", json={"to": [me], "dry_run": True}))
    assert await fingerprint() == before
    done = await loaded(delegate, "users", f"user,manager\neva,{name}\nana,\n", mapping)
    assert [(each["row"], each["field"], each["code"]) for each in await errors_of(delegate, done)] == [
        (2, "manager_id", EXCEEDS)
    ]
    assert (await administrator.get(f"/v1/users/{eva}")).json()["manager_id"] is None
    assert (await administrator.patch(f"/v1/users/{boss}", json={"manager_id": None})).status_code == 200
    assert (await delegate.patch(f"/v1/users/{eva}", json={"absence": absence})).status_code == 200
    assert (await delegate.patch(f"/v1/users/{eva}", json={"manager_id": me})).status_code == 200


async def test_a_file_of_users_gives_nobody_more_either(
    administrator: Client, delegate: Client, people: People
) -> None:
    ana = await people.user("sales", "Ana", username="ana")
    await people.user("sales", "Ben", username="ben")
    boss = await people.user("manager", "Boss", username="boss")
    columns = {"name": "name", "username": "username", "profile": "profile_id"}
    columns |= {"manager": {"to": "manager", "by": "username"}}  # type: ignore[dict-item]
    mapping = {"match_on": "username", "columns": columns}
    file = "name,username,profile,manager\nAna 2,ana,manager,\nBoss 2,boss,,\nEva,eva,manager,\nLeo,leo,delegate,\n"
    done = await loaded(delegate, "users", file + "Pia,pia,sales,eva\nBen 2,ben,,boss\n", mapping)
    found = {(each["row"], each["code"]) for each in await errors_of(delegate, done)}
    assert found == {(2, EXCEEDS), (3, EXCEEDS), (4, EXCEEDS), (6, "unknown_reference")}
    assert (done["counts"]["created"], done["counts"]["updated"], done["counts"]["refused"]) == (1, 1, 4)
    assert (await administrator.get(f"/v1/users/{boss}")).json()["name"] == "Boss"
    assert (await administrator.get(f"/v1/users/{ana}")).json()["profile_id"] == "sales"


async def test_somebody_remains_who_configures_profiles_and_users_whatever_their_profile_is_called(
    administrator: Client, as_profile: Any
) -> None:
    async def last(answer: Any) -> None:
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")

    url = f"/v1/users/{administrator.user_id}"
    weaker = [rule("*", "*", reach="team"), rule("*", "*", "*")]
    lesser = [
        rule("profiles", "configure", reach="all"),
        rule("users", "configure", reach="team"),
        rule("users", "*", "*"),
    ]
    before = await fingerprint()
    for policies in (weaker, lesser, [], [rule("users", "*", reach="all")], [rule("profiles", "*", reach="all")]):
        await last(await administrator.patch("/v1/profiles/administrator", json={"policies": policies}))
    await last(await administrator.patch(url, json={"active": False}))
    assert await fingerprint() == before
    program = {"name": "Robot", "username": "robot", "profile_id": "administrator", "service": True}
    await make(administrator, "users", **program)
    await last(await administrator.patch(url, json={"active": False}))
    keys = [rule("profiles", "configure", reach="all"), rule("users", "*", reach="all")]
    await make(administrator, "profiles", id="keys", labels=LABELS, policies=keys)
    await make(administrator, "profiles", id="heir", labels=LABELS, inherits=["keys"])
    await last(await administrator.patch(url, json={"profile_id": "sales"}))
    heir = await as_profile("heir")
    assert (await administrator.patch(url, json={"profile_id": "sales"})).status_code == 200
    await last(await heir.patch("/v1/profiles/keys", json={"policies": keys[:1]}))
    await last(await heir.patch("/v1/profiles/heir", json={"inherits": []}))
    await last(await heir.patch(f"/v1/users/{heir.user_id}", json={"active": False}))


async def test_two_who_each_leave_it_to_the_other_do_not_both_go(administrator: Client, as_profile: Any) -> None:
    await make(administrator, "profiles", id="second", labels=LABELS, copy_of="administrator")
    other = await as_profile("second")
    async with transaction() as session:
        access = await access_of(session, administrator.user_id)
        await profiles.change(session, access, "second", ProfileUpdate.model_validate({"policies": []}), None)
        deactivating = asyncio.create_task(
            other.patch(f"/v1/users/{administrator.user_id}", json={"active": False}),
        )
        assert (await asyncio.wait({deactivating}, timeout=0.3))[0] == set(), "it waits for who came first"
    assert (await deactivating).status_code == 404, "what it may do is asked anew, and is nothing any more"
    assert (await administrator.get("/v1/profiles")).status_code == 200


async def test_of_many_at_once_who_deactivate_each_other_one_remains(administrator: Client, as_profile: Any) -> None:
    all_of_them = [administrator, *[await as_profile("administrator") for _ in range(3)]]
    following = [*all_of_them[1:], all_of_them[0]]
    answers = await at_once(
        *(
            each.patch(f"/v1/users/{next_one.user_id}", json={"active": False})
            for each, next_one in zip(all_of_them, following, strict=True)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 401, 409}
    assert 1 <= len([each for each in all_of_them if (await each.get("/v1/profiles")).status_code == 200]) < 4
