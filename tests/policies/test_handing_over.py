"""What somebody works on becomes others' before they leave: all of it, at once, and nobody leaves with it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from tests.conftest import Client, People
from tests.contracts.worlds import execute, fetch, fingerprint
from tests.loading import loaded
from tests.policies.steps import change, create, grant, revoke, status

AsProfile = Callable[..., Awaitable[Client]]


async def made(client: Client, kind: str, **values: Any) -> dict[str, Any]:
    needed = {"leads": {"company_name": "Acero"}, "activities": {"kind": "call", "subject": "Call"}}
    given = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
    answer = await client.post(f"/v1/{kind}", json=needed.get(kind, {"name": "Acero"}) | given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def hand_over(client: Client, user: Client, *to: Client, **said: Any) -> Any:
    body = {"to": [str(each.user_id) for each in to]} | said
    return await client.post(f"/v1/users/{user.user_id}/hand-over", json=body)


async def owners(kind: str) -> dict[str, UUID]:
    """Each record's owner, by its id."""
    return {str(row[0]): row[1] for row in await fetch(f"select id, owner_id from {kind}")}


async def test_all_that_is_open_goes_to_another_at_once_and_what_is_closed_stays(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana, ben, eva = await as_profile("sales"), await as_profile("sales"), await as_profile("sales")
    below = await as_profile("sales", manager=ana.user_id)
    customer, foreign = await create(ana, "customers"), await create(eva, "customers")
    archived = await create(ana, "customers")
    await administrator.delete(f"/v1/customers/{archived['id']}")
    lead, converted = await made(ana, "leads"), await made(ana, "leads", company_name="Won")
    won = await ana.post(f"/v1/leads/{converted['id']}/convert", json={"opportunity": None})
    assert won.status_code == 200, won.text
    deal = await made(administrator, "opportunities", customer_id=foreign["id"], owner_id=ana.user_id)
    lost = await made(ana, "opportunities")
    gone = await ana.post(f"/v1/opportunities/{lost['id']}/stage", json={"stage": "lost", "lost_reason": "price"})
    assert gone.status_code == 200, gone.text
    planned = await made(administrator, "activities", customer_id=foreign["id"], owner_id=ana.user_id)
    done = await made(ana, "activities", customer_id=customer["id"], state="done", outcome="reached")
    by_hand = await create(eva, "customers")
    assigned = await administrator.put(f"/v1/customers/{by_hand['id']}/assignees/{ana.user_id}")
    assert assigned.status_code == 200, assigned.text

    counts = {"customers": 2, "leads": 1, "opportunities": 1, "activities": 1, "messages": 0, "assigned": 1, "team": 1}
    before = await fingerprint()
    tried = await hand_over(administrator, ana, ben, dry_run=True)
    assert tried.json() == counts | {"operation_id": tried.json()["operation_id"], "dry_run": True}
    assert await fingerprint() == before
    answer = await hand_over(administrator, ana, ben)
    assert answer.status_code == 200, answer.text
    assert answer.json() == counts | {"operation_id": answer.json()["operation_id"], "dry_run": False}

    assert {(await owners("customers"))[each["id"]] for each in (customer, archived)} == {ben.user_id, ana.user_id}
    for kind, moved, kept in (
        ("leads", lead, converted), ("opportunities", deal, lost), ("activities", planned, done),
    ):  # fmt: skip
        of = await owners(kind)
        assert (of[moved["id"]], of[kept["id"]]) == (ben.user_id, ana.user_id), kind
    for kind, record in (("customers", customer), ("customers", foreign), ("customers", by_hand), ("leads", lead)):
        assert await status(ben, kind, record) == 200
        assert await status(ana, kind, record) == 404
    assert await status(ben, "opportunities", deal) == 200
    reached = await fetch("select 1 from user_reach where (user_id, reached_id) = ($1, $2)", ben.user_id, below.user_id)
    assert len(reached) == 1
    told = await fetch(
        "select entity, type, version from events where operation_id = $1", UUID(answer.json()["operation_id"])
    )
    assert len(told) == sum(counts.values())
    assert {row["type"].partition(".")[2] for row in told} == {"handed_over"}
    timeline = (await ben.get(f"/v1/customers/{foreign['id']}/timeline")).json()["items"]
    assert {each["type"] for each in timeline[:2]} == {"opportunity.handed_over", "activity.handed_over"}
    assert timeline[0]["changes"] == {"owner_id": [str(ana.user_id), str(ben.user_id)]}
    pairs = await fetch("select customer_id from customer_assignees where user_id = $1", ana.user_id)
    # What is closed and archived is theirs to look at, with its customer.
    assert {str(row[0]) for row in pairs} == {archived["id"], won.json()["customer_id"]}
    again = await hand_over(administrator, ana, ben)
    assert sum(again.json()[name] for name in counts) == 0
    freed = await administrator.patch(f"/v1/users/{ana.user_id}", json={"active": False})
    assert freed.status_code == 200, freed.text


async def test_several_take_in_turn_and_what_is_open_at_a_customer_goes_with_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana, ben, eva, leo = [await as_profile("sales") for _ in range(4)]
    customers = [await create(ana, "customers") for _ in range(4)]
    deals = [await made(ana, "opportunities", customer_id=each["id"]) for each in reversed(customers)]
    lead = await made(ana, "leads")
    answer = await hand_over(administrator, ana, ben, eva, leads=[str(leo.user_id)])
    assert answer.status_code == 200, answer.text
    of = await owners("customers")
    assert [of[each["id"]] for each in customers] == [ben.user_id, eva.user_id] * 2
    with_customer = await owners("opportunities")
    assert all(with_customer[each["id"]] == of[each["customer_id"]] for each in deals)
    assert (await owners("leads"))[lead["id"]] == leo.user_id
    pairs = await fetch("select count(*), count(distinct customer_id) from customer_assignees")
    assert tuple(pairs[0]) == (4, 4)


async def test_a_manager_hands_over_for_the_team_where_they_may_assign_and_nobody_else_does(
    administrator: Client, as_profile: AsProfile
) -> None:
    manager, stranger = await as_profile("manager"), await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    marketing = await as_profile("marketing")
    customer = await create(ana, "customers")
    await made(ana, "opportunities", customer_id=customer["id"])
    await as_profile("sales", manager=ana.user_id)
    before = await fingerprint()
    for who in (ana, ben, stranger, marketing):
        for dry_run in (True, False):
            refused = await hand_over(who, ana, ben, dry_run=dry_run)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await hand_over(manager, ana, ben, team=str(ben.user_id))).status_code == 403
    assert await fingerprint() == before
    answer = await hand_over(manager, ana, ben)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["customers"], answer.json()["opportunities"], answer.json()["team"]) == (1, 1, 0)
    await revoke("manager", "opportunities", "assign", "open")
    leo = await as_profile("sales", manager=manager.user_id)
    await made(leo, "opportunities")
    refused = await hand_over(manager, leo, ben)
    assert (refused.status_code, "opportunities" in refused.json()["detail"]) == (403, True)


async def test_who_configures_users_hands_nothing_over_of_those_who_may_do_more(
    administrator: Client, as_profile: AsProfile
) -> None:
    """Whoever takes a team over sees its work, and whoever takes the work over has it: a way up, as a password is."""
    rights = [("users", action, "all") for action in ("read", "update", "configure")] + [("customers", "read", "team")]
    policies = [
        {"section": section, "action": action, "field_group": "open", "reach": reach}
        for section, action, reach in rights
    ]
    labels = {"es": "Personal", "it": "Personale", "en": "Staff"}
    profile = await administrator.post("/v1/profiles", json={"id": "staff", "labels": labels, "policies": policies})
    assert profile.status_code == 201, profile.text
    staff, taker = await as_profile("staff"), await as_profile("staff")
    director, above = await as_profile("administrator"), await as_profile("staff")
    below = await as_profile("administrator", manager=above.user_id)
    customer = await create(below, "customers")
    before = await fingerprint()
    for whose in (director, above):
        for dry_run in (True, False):
            refused = await hand_over(staff, whose, staff, dry_run=dry_run)
            assert (refused.status_code, refused.json()["code"]) == (403, "exceeds_own_profile"), refused.text
    assert await fingerprint() == before
    assert await status(staff, "customers", customer) == 404
    assert (await hand_over(administrator, above, taker)).json()["team"] == 1
    assert (await hand_over(staff, staff, taker)).status_code == 200, "of those who may do as much"


async def test_nobody_is_given_work_that_they_cannot_open(
    administrator: Client, as_profile: AsProfile, people: People
) -> None:
    ana, support, ben = await as_profile("sales"), await as_profile("support"), await as_profile("sales")
    gone = await people.client(await people.user("sales", active=False))
    robot = await people.client(await people.user("sales", service=True))
    customer = await create(ana, "customers")
    await made(ana, "opportunities", customer_id=customer["id"])
    before = await fingerprint()
    for taker in (support, gone, robot, ana):
        refused = await hand_over(administrator, ana, taker)
        assert (refused.status_code, refused.json()["code"]) == (422, "cannot_take_over"), refused.text
        assert refused.json()["errors"][0]["pointer"] == "/to/0"
    refused = await hand_over(administrator, ana, ben, opportunities=[str(support.user_id)])
    assert refused.json()["errors"][0]["pointer"] == "/opportunities/0"
    missing = await hand_over(administrator, ana, customers=[customer["id"]], to=[customer["id"]])
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    for body in ({"to": []}, {}, {"to": [str(ben.user_id)], "owner": 1}):
        assert (await administrator.post(f"/v1/users/{ana.user_id}/hand-over", json=body)).status_code == 422
    assert await fingerprint() == before
    divided = await hand_over(administrator, ana, support, opportunities=[str(ben.user_id)])
    assert divided.status_code == 200, divided.text


async def test_a_team_goes_to_one_of_it_without_anybody_above_themselves(
    administrator: Client, as_profile: AsProfile
) -> None:
    director = await as_profile("manager")
    ana = await as_profile("manager", manager=director.user_id)
    ben, eva = await as_profile("manager", manager=ana.user_id), await as_profile("sales", manager=ana.user_id)
    leo = await as_profile("sales", manager=eva.user_id)
    refused = await hand_over(administrator, ana, leo)
    assert (refused.status_code, refused.json()["code"]) == (409, "loop")
    assert (await hand_over(administrator, ana, director, team=str(ben.user_id))).status_code == 200
    managers = {row[0]: row[1] for row in await fetch("select id, manager_id from users where manager_id is not null")}
    assert managers == {
        ana.user_id: director.user_id, ben.user_id: director.user_id, eva.user_id: ben.user_id, leo.user_id: eva.user_id
    }  # fmt: skip


async def test_nobody_leaves_with_work_unless_that_is_confirmed(administrator: Client, as_profile: AsProfile) -> None:
    ana, ben, eva = await as_profile("sales"), await as_profile("sales"), await as_profile("sales")
    await create(ana, "customers")
    await made(ana, "activities")
    await made(ben, "leads")
    owns = {"customers": 1, "leads": 0, "opportunities": 0, "activities": 1}
    before = await fingerprint()
    path = f"/v1/users/{ana.user_id}"
    for refused in (await administrator.patch(path, json={"active": False}), await administrator.delete(path)):
        assert (refused.status_code, refused.json()["code"], refused.json()["owns"]) == (409, "owns_work", owns)
    assert (await administrator.patch(path, json={"active": False}, params={"confirm": "no"})).status_code == 409
    assert await fingerprint() == before
    await execute("insert into external_ids values ('users', 'hr', '1', $1)", ana.user_id)
    put = await administrator.put("/v1/users/by/hr/1", json={"active": False})
    assert (put.status_code, put.json()["code"]) == (409, "owns_work")
    for path, method in ((f"/v1/users/{ana.user_id}", "PATCH"), (f"/v1/users/{ben.user_id}", "DELETE")):
        body = {"json": {"active": False}} if method == "PATCH" else {}
        left = await administrator.request(method, path, params={"confirm": "true"}, **body)
        assert left.status_code in (200, 204), left.text
    assert (await administrator.patch(f"/v1/users/{eva.user_id}", json={"active": False})).status_code == 200
    assert (await change(ana, "users", {"id": ana.user_id}, active=True)).status_code == 401


async def test_a_file_lets_nobody_leave_with_work(administrator: Client, as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales", username="ana"), await as_profile("sales", username="ben")
    await create(ana, "customers")
    mapping = {"match_on": "username", "columns": {"username": "username", "active": "active"}}
    done = await loaded(administrator, "users", "username,active\nana,no\nben,no\n", mapping)
    assert (done["counts"]["updated"], done["counts"]["refused"]) == (1, 1)
    errors = (await administrator.get(f"/v1/imports/{done['id']}/errors")).json()["items"]
    assert [(each["row"], each["field"], each["code"]) for each in errors] == [(2, "active", "owns_work")]
    assert ((await ana.get("/v1/me")).status_code, (await ben.get("/v1/me")).status_code) == (200, 401)


async def test_nobody_gets_a_profile_that_does_not_read_their_work_unless_that_is_confirmed(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana, ben = await as_profile("sales", username="ana"), await as_profile("sales", username="ben")
    await create(ana, "customers")
    await made(ana, "leads")
    await create(ben, "customers")
    path = f"/v1/users/{ana.user_id}"
    before = await fingerprint()
    refused = await administrator.patch(path, json={"profile_id": "support"})
    assert (refused.status_code, refused.json()["code"]) == (409, "owns_work")
    assert refused.json()["owns"] == {"leads": 1, "opportunities": 0}, "the rest support reads"
    assert await fingerprint() == before
    mapping = {"match_on": "username", "columns": {"username": "username", "profile": "profile_id"}}
    done = await loaded(administrator, "users", "username,profile\nana,support\nben,support\n", mapping)
    assert (done["counts"]["updated"], done["counts"]["refused"]) == (1, 1)
    errors = (await administrator.get(f"/v1/imports/{done['id']}/errors")).json()["items"]
    assert [(each["row"], each["field"], each["code"]) for each in errors] == [(2, "profile_id", "owns_work")]
    assert (await administrator.patch(path, json={"profile_id": "manager"})).status_code == 200
    confirmed = await administrator.patch(path, json={"profile_id": "support"}, params={"confirm": "true"})
    assert confirmed.status_code == 200
    # Who has left already leaves nothing behind.
    left = {"json": {"active": False, "profile_id": "sales"}, "params": {"confirm": "true"}}
    assert (await administrator.patch(path, **left)).status_code == 200
    done = await loaded(administrator, "users", "username,profile\nana,support\n", mapping)
    assert done["counts"]["updated"] == 1


async def test_how_much_somebody_owns_is_told_of_sections_that_one_sees(
    administrator: Client, as_profile: AsProfile
) -> None:
    support, other = await as_profile("support"), await as_profile("sales")
    await made(administrator, "leads", owner_id=other.user_id)
    to_support = {"json": {"profile_id": "support"}, "params": {"confirm": "true"}}
    assert (await administrator.patch(f"/v1/users/{other.user_id}", **to_support)).status_code == 200
    await grant("support", "users", "update", "open", "all")
    refused = await change(support, "users", {"id": other.user_id}, active=False)
    assert (refused.status_code, refused.json()["code"]) == (409, "owns_work")
    assert refused.json()["owns"] == {"customers": 0, "activities": 0}
