"""When the next activity is and when the last was, on customers and opportunities, by every way there is."""

from typing import Any

from tests.api.records import at_once, found, make
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.loading import errors_of, loaded

CALL = {"kind": "call", "subject": "Call"}
DONE = {"state": "done", "outcome": "reached"}


def at(day: int) -> str:
    return f"2020-01-{day:02}T10:00:00.000000Z"


async def when(client: Client, entity: str, record: dict[str, Any]) -> tuple[int | None, int | None]:
    """The days of the next and the last activity; the record itself is as it was made."""
    now = (await client.get(f"/v1/{entity}/{record['id']}")).json()
    if now["archived_at"] is None and record["archived_at"] is None and "kept" not in record:
        assert (now["version"], now["updated_at"]) == (record["version"], record["updated_at"])
    days = [now[name] and int(now[name][8:10]) for name in ("next_activity_at", "last_activity_at")]
    return days[0], days[1]


async def test_they_follow_every_change_of_an_activity(administrator: Client) -> None:
    acme, beta = [await make(administrator, "customers", name=name) for name in ("Acme", "Beta")]
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    plan = await make(administrator, "activities", **CALL, opportunity_id=deal["id"], due_at=at(9))
    await make(administrator, "activities", **CALL, customer_id=acme["id"], due_at=at(12))
    await make(administrator, "activities", **CALL, customer_id=acme["id"], **DONE, done_at=at(3))
    await make(administrator, "activities", **CALL, customer_id=acme["id"])
    url = f"/v1/activities/{plan['id']}"

    async def all_three() -> tuple[Any, Any, Any]:
        return (
            await when(administrator, "customers", acme),
            await when(administrator, "opportunities", deal),
            await when(administrator, "customers", beta),
        )

    assert await all_three() == ((9, 3), (9, None), (None, None))
    elsewhere = {"opportunity_id": None, "customer_id": beta["id"]}
    for change, expected in (
        ({"due_at": at(14)}, ((12, 3), (14, None), (None, None))),
        ({"due_at": at(8)}, ((8, 3), (8, None), (None, None))),
        ({"state": "cancelled"}, ((12, 3), (None, None), (None, None))),
        ({"state": "planned"}, ((8, 3), (8, None), (None, None))),
        (elsewhere, ((12, 3), (None, None), (8, None))),
        ({"opportunity_id": deal["id"], "customer_id": acme["id"]}, ((8, 3), (8, None), (None, None))),
    ):
        answer = await administrator.patch(url, json=change)
        assert answer.status_code == 200, answer.text
        assert await all_three() == expected, change
    following = {**CALL, "due_at": at(20)}
    report = {"outcome": "reached", "done_at": at(5), "next_activity": following}
    assert (await administrator.post(f"{url}/done", json=report)).status_code == 200
    assert await all_three() == ((12, 5), (20, 5), (None, None))
    await administrator.patch(url, json={"done_at": at(2)})
    assert await all_three() == ((12, 3), (20, 2), (None, None))
    await administrator.patch(url, json={"state": "planned"})
    assert await all_three() == ((8, 3), (8, None), (None, None))
    await administrator.delete(url)
    assert await all_three() == ((12, 3), (20, None), (None, None))
    await administrator.post(f"{url}/restore")
    assert await all_three() == ((8, 3), (8, None), (None, None))
    events = await fetch("select from events where record_id = any($1::uuid[])", [acme["id"], deal["id"]])
    assert len(events) == 2, "no more than that they were made"


async def test_they_follow_what_happens_to_what_it_is_about(administrator: Client) -> None:
    acme, beta = [await make(administrator, "customers", name=name) | {"kept": 0} for name in ("Acme", "Beta")]
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"]) | {"kept": 0}
    await make(administrator, "activities", **CALL, opportunity_id=deal["id"], due_at=at(9))
    await make(administrator, "activities", **CALL, opportunity_id=deal["id"], **DONE, done_at=at(3))
    await administrator.patch(f"/v1/opportunities/{deal['id']}", json={"customer_id": beta["id"]})
    customers = [await when(administrator, "customers", each) for each in (acme, beta)]
    assert (customers, await when(administrator, "opportunities", deal)) == ([(None, None), (9, 3)], (9, 3))
    for path, back in ((f"/v1/opportunities/{deal['id']}", (9, 3)), (f"/v1/customers/{beta['id']}", (9, 3))):
        assert (await administrator.delete(path)).status_code == 204
        assert await when(administrator, "customers", beta) == (None, None)
        assert await when(administrator, "opportunities", deal) == (None, None)
        assert (await administrator.post(f"{path}/restore")).status_code == 200
        assert await when(administrator, "customers", beta) == back
        assert await when(administrator, "opportunities", deal) == back


async def test_many_at_once_are_all_counted(administrator: Client) -> None:
    acme = await make(administrator, "customers", name="Acme")
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    body = {**CALL, "opportunity_id": deal["id"]}
    answers = await at_once(
        *(administrator.post("/v1/activities", json=body | {"due_at": at(day)}) for day in (9, 8, 7, 6, 5))
    )
    assert {each.status_code for each in answers} == {201}
    assert await when(administrator, "customers", acme) == (5, None)
    urls = [f"/v1/activities/{each.json()['id']}/done" for each in answers]
    ended = await at_once(
        *(administrator.post(url, json={"outcome": "reached", "done_at": at(day)}) for day, url in enumerate(urls, 11))
    )
    assert {each.status_code for each in ended} == {200}
    assert await when(administrator, "customers", acme) == (None, 15)
    assert await when(administrator, "opportunities", deal) == (None, 15)


async def test_lists_filter_and_sort_by_them_with_nothing_last_both_ways(administrator: Client) -> None:
    for entity, name in (("customers", "customer_id"), ("opportunities", "opportunity_id")):
        for called, day in (("Late", 20), ("None", None), ("Soon", 10)):
            record = await make(administrator, entity, name=called)
            if day:
                await make(administrator, "activities", **CALL, **{name: record["id"]}, due_at=at(day))
                await make(administrator, "activities", **CALL, **{name: record["id"]}, **DONE, done_at=at(day))
        for sort, names in (
            ("next_activity_at", ["Soon", "Late", "None"]),
            ("-next_activity_at", ["Late", "Soon", "None"]),
            ("last_activity_at", ["Soon", "Late", "None"]),
            ("-last_activity_at", ["Late", "Soon", "None"]),
        ):
            assert await found(administrator, entity, sort=sort) == names
        assert await found(administrator, entity, next_activity_at__is_null=True) == ["None"]
        assert await found(administrator, entity, last_activity_at__lt=at(15)) == ["Soon"]


async def test_a_file_of_activities_is_summed_up_and_takes_the_customers_of_what_it_is_about(
    administrator: Client, as_profile: Any
) -> None:
    ana = await as_profile("sales", username="ana")
    acme, beta = [await make(administrator, "customers", name=name) for name in ("Acme", "Beta")]
    for entity, id, customer in (("opportunities", "o1", acme), ("leads", "l1", beta)):
        body = {"name": "Deal"} if entity == "opportunities" else {"last_name": "Ruiz"}
        answer = await administrator.put(f"/v1/{entity}/by/erp/{id}", json=body | {"customer_id": customer["id"]})
        assert answer.status_code == 201, answer.text
    deal = answer = (await administrator.get("/v1/opportunities")).json()["items"][0]
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {
            "id": ["external_id", "subject"],
            "customer": "customer",
            "deal": {"to": "opportunity", "by": "external_id"},
            "lead": {"to": "lead", "by": "external_id"},
            "owner": {"to": "owner", "by": "username"},
            "due": "due_at",
            "done": "done_at",
            "outcome": "outcome",
        },
        "constants": {"kind": "call"},
    }
    options = {"date_order": "dmy"}
    header = "id,customer,deal,lead,owner,due,done,outcome\n"
    rows = "1,,o1,,ana,09/01/2020,,\n2,Acme,o1,,ana,,03/01/2020,reached\n3,,,l1,,,04/01/2020,reached\n"
    wrong = "4,Beta,o1,,,,,\n5,Acme,,,,,04/01/2020,\n6,,o1,l1,,,,\n7,,o9,,,,,\n"
    done = await loaded(administrator, "activities", header + rows + wrong, mapping, options)
    assert (done["counts"]["created"], done["counts"]["refused"]) == (3, 4)
    errors = {(each["row"], each["field"], each["code"]) for each in await errors_of(administrator, done)}
    assert errors == {
        (5, "customer_id", "customer_mismatch"),
        (6, "outcome", "required_information"),
        (7, "lead_id", "about_several"),
        (8, "opportunity_id", "unknown_reference"),
    }
    assert await when(administrator, "customers", acme) == (9, 3)
    assert await when(administrator, "customers", beta) == (None, 4)
    assert await when(administrator, "opportunities", deal) == (9, 3)
    assert (await ana.get(f"/v1/customers/{acme['id']}")).status_code == 200, "one is planned for her"
    timeline = (await administrator.get(f"/v1/customers/{beta['id']}/timeline")).json()["items"]
    assert timeline[-1]["occurred_at"].startswith("2020-01-04"), "history happened long ago"
    columns = mapping["columns"] | {"state": "state"}  # type: ignore[operator]
    later = "1,,,,,,05/01/2020,reached,done\n2,Beta,,l1,,,03/01/2020,reached,done\n3,,,l1,,,04/01/2020,reached,done\n"
    table = header.replace("outcome", "outcome,state") + later
    changed = await loaded(administrator, "activities", table, mapping | {"columns": columns}, options)
    assert [changed["counts"][name] for name in ("updated", "unchanged", "refused")] == [1, 1, 1]
    assert [each["code"] for each in await errors_of(administrator, changed)] == ["customer_mismatch"]
    assert await when(administrator, "customers", acme) == (None, 5)
    assert (await ana.get(f"/v1/customers/{acme['id']}")).status_code == 404, "nothing is left for her to do"


async def test_an_activity_planned_while_its_opportunity_moves_has_the_customer_that_it_has(
    administrator: Client,
) -> None:
    acme, beta = [await make(administrator, "customers", name=name) for name in ("Acme", "Beta")]
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    body = {**CALL, "opportunity_id": deal["id"]}
    requests = [administrator.post("/v1/activities", json=body | {"due_at": at(day)}) for day in (9, 8, 7)]
    move = administrator.patch(f"/v1/opportunities/{deal['id']}", json={"customer_id": beta["id"]})
    answers = await at_once(requests[0], requests[1], move, requests[2])
    assert {each.status_code for each in answers} <= {200, 201}
    activities = (await administrator.get("/v1/activities")).json()["items"]
    assert {each["customer_id"] for each in activities} == {beta["id"]}
    assert await when(administrator, "customers", beta) == (7, None)
    assert await when(administrator, "customers", acme) == (None, None)


async def test_what_is_due_on_a_day_stays_on_it_where_the_companys_time_zone_changes(administrator: Client) -> None:
    acme = await make(administrator, "customers", name="Acme")
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    of = {"opportunity_id": deal["id"]}
    day = await make(administrator, "activities", **CALL, **of, due_at="2026-03-29T12:00:00Z", all_day=True)
    hour = await make(administrator, "activities", **CALL, **of, due_at="2026-03-30T12:00:00Z")
    assert day["due_at"] == "2026-03-28T23:00:00.000000Z"
    for zone, begins in (
        ("America/Mexico_City", "2026-03-29T06:00:00.000000Z"),
        ("Asia/Tokyo", "2026-03-28T15:00:00.000000Z"),
        ("Europe/Madrid", "2026-03-28T23:00:00.000000Z"),
    ):
        assert (await administrator.patch("/v1/settings", json={"time_zone": zone})).status_code == 200
        for each, due_at in ((day, begins), (hour, hour["due_at"])):
            url = f"/v1/activities/{each['id']}"
            assert (await administrator.get(url)).json() == each | {"due_at": due_at}
        again = await administrator.patch(f"/v1/activities/{day['id']}", json={"all_day": True})
        assert (again.json()["due_at"], again.json()["version"]) == (begins, 1)
        for kind, record in (("customers", acme), ("opportunities", deal)):
            assert (await administrator.get(f"/v1/{kind}/{record['id']}")).json()["next_activity_at"] == begins
    trying = {"X-Dry-Run": "true"}
    await administrator.patch("/v1/settings", json={"time_zone": "Asia/Tokyo"}, headers=trying)
    assert (await administrator.get(f"/v1/activities/{day['id']}")).json()["due_at"] == day["due_at"]
