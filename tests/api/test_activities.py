"""Activities over HTTP: what they are about, what fits their kind, how they end, who can open what they are given."""

from datetime import timedelta
from typing import Any

from app import clock
from tests.api.records import make, problems
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.policies.steps import status

CALL = {"kind": "call", "subject": "Call"}


async def test_an_activity_has_the_customer_of_what_it_is_about(administrator: Client) -> None:
    acme = await make(administrator, "customers", name="Acme")
    beta = await make(administrator, "customers", name="Beta")
    ana = await make(administrator, "contacts", first_name="Ana", customer_id=acme["id"])
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    early = await make(administrator, "opportunities", name="Early")
    lead = await make(administrator, "leads", last_name="Ruiz", customer_id=beta["id"])
    made = await make(
        administrator, "activities", **CALL, opportunity_id=deal["id"], contacts=[{"contact_id": ana["id"]}]
    )
    assert (made["customer_id"], made["owner_id"], made["state"]) == (acme["id"], str(administrator.user_id), "planned")
    given = await make(administrator, "activities", **CALL, lead_id=lead["id"], customer_id=beta["id"])
    assert given["customer_id"] == beta["id"]
    assert (await make(administrator, "activities", **CALL, lead_id=lead["id"], customer_id=None))["customer_id"]
    for wrong, problem in (
        ({"opportunity_id": deal["id"], "lead_id": lead["id"]}, ("/lead_id", "about_several")),
        ({"opportunity_id": deal["id"], "customer_id": beta["id"]}, ("/customer_id", "customer_mismatch")),
        ({"opportunity_id": early["id"], "customer_id": beta["id"]}, ("/customer_id", "customer_mismatch")),
        ({"customer_id": beta["id"], "contacts": made["contacts"]}, ("/contacts/0/contact_id", "customer_mismatch")),
        ({"contacts": made["contacts"]}, ("/contacts/0/contact_id", "customer_mismatch")),
    ):
        assert problems(await administrator.post("/v1/activities", json=CALL | wrong)) == {problem}
    nobody = {"opportunity_id": administrator.user_id.hex}
    assert problems(await administrator.post("/v1/activities", json=CALL | nobody), 404) == {
        ("/opportunity_id", "not_found")
    }
    url = f"/v1/activities/{made['id']}"
    for wrong, problem in (
        ({"lead_id": lead["id"]}, ("/lead_id", "about_several")),
        ({"customer_id": beta["id"]}, ("/customer_id", "customer_mismatch")),
        ({"customer_id": None}, ("/customer_id", "customer_mismatch")),
        ({"lead_id": lead["id"], "opportunity_id": None}, ("/contacts", "customer_mismatch")),
    ):
        assert problems(await administrator.patch(url, json=wrong)) == {problem}
    moved = {"lead_id": lead["id"], "opportunity_id": None, "contacts": []}
    assert (await administrator.patch(url, json=moved)).json()["customer_id"] == beta["id"]
    assert (await administrator.patch(url, json={"lead_id": None, "customer_id": acme["id"]})).status_code == 200
    timeline = (await administrator.get(f"/v1/customers/{acme['id']}/timeline")).json()["items"]
    assert len([each for each in timeline if each["record_id"] == made["id"]]) == 3, "its history went with it"


async def test_what_is_said_fits_the_kind_and_the_times_fit_each_other(administrator: Client) -> None:
    start, end = "2027-01-10T10:00:00Z", "2027-01-10T09:59:00Z"
    for wrong, problem in (
        ({"kind": "task", "objective": "discovery"}, ("/objective", "not_applicable")),
        ({"kind": "note", "outcome": "reached"}, ("/outcome", "not_applicable")),
        ({"outcome": "reachd"}, ("/outcome", "unknown_option")),
        ({"kind": "meeting", "direction": "in"}, ("/direction", "not_applicable")),
        ({"starts_at": start, "ends_at": end}, ("/ends_at", "ends_before_it_starts")),
        ({"ends_at": end}, ("/starts_at", "required_information")),
        ({"all_day": True}, ("/due_at", "required_information")),
        ({"state": "planned", "done_at": "2020-01-01T10:00:00Z"}, ("/done_at", "not_applicable")),
        ({"state": "cancelled"}, ("/state", "literal_error")),
        ({"state": "done"}, ("/outcome", "required_information")),
        (
            {"outcome": "reached", "done_at": f"{clock.now() + timedelta(hours=1):%FT%TZ}"},
            ("/done_at", "in_the_future"),
        ),
    ):
        assert problems(await administrator.post("/v1/activities", json=CALL | wrong)) == {problem}, wrong
    made = await make(administrator, "activities", **CALL, direction="out", objective="discovery", starts_at=start)
    assert made["due_at"] == "2027-01-10T10:00:00.000000Z", "left out: when it starts"
    url = f"/v1/activities/{made['id']}"
    assert problems(await administrator.patch(url, json={"kind": "task"})) == {
        ("/objective", "not_applicable"),
        ("/direction", "not_applicable"),
    }
    later = (await administrator.patch(url, json={"starts_at": "2027-01-11T10:00:00Z"})).json()
    assert later["due_at"] == later["starts_at"]
    for due, kept in (("2027-01-10T23:30:00Z", "2027-01-10T23:00:00"), ("2027-07-10T12:00:00Z", "2027-07-09T22:00:00")):
        day = (await administrator.patch(url, json={"due_at": due, "all_day": True})).json()
        assert day["due_at"].startswith(kept), "the beginning of the day in Madrid"


async def test_an_activity_is_done_with_a_report_and_what_comes_next(administrator: Client) -> None:
    acme = await make(administrator, "customers", name="Acme")
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    made = await make(administrator, "activities", **CALL, opportunity_id=deal["id"], due_at="2020-01-01T10:00:00Z")
    url = f"/v1/activities/{made['id']}"
    next_visit = {"kind": "visit", "subject": "Show it", "due_at": "2030-01-01T10:00:00Z"}
    wrong: Any = {"outcome": "done", "next_activity": next_visit | {"objective": "nothing", "direction": "out"}}
    assert problems(await administrator.post(f"{url}/done", json={"report": "x"})) == {
        ("/outcome", "required_information")
    }
    answer = await administrator.post(f"{url}/done", json=wrong)
    assert problems(answer) == {("/next_activity/objective", "unknown_option")}
    del wrong["next_activity"]["objective"]
    assert problems(await administrator.post(f"{url}/done", json=wrong)) == {("/outcome", "not_applicable")}
    assert (await administrator.get(url)).json() == made, "nothing is half done"
    assert len((await administrator.get("/v1/activities")).json()["items"]) == 1
    report = {"outcome": "reached", "report": "Wants to see it", "duration_seconds": 300, "next_activity": next_visit}
    headers = {"Idempotency-Key": "once"}
    first = await administrator.post(f"{url}/done", json=report, headers=headers)
    again = await administrator.post(f"{url}/done", json=report, headers=headers)
    assert (first.status_code, first.content, first.headers["etag"]) == (200, again.content, '"2"')
    done = first.json()
    following = done.pop("next_activity")
    assert done == (await administrator.get(url)).json()
    assert (done["state"], done["outcome"], done["report"]) == ("done", "reached", "Wants to see it")
    assert done["done_at"] == done["updated_at"]
    assert following == (await administrator.get(f"/v1/activities/{following['id']}")).json()
    same = ("customer_id", "opportunity_id", "owner_id")
    assert [following[name] for name in same] == [done[name] for name in same]
    assert (following["state"], following["subject"]) == ("planned", "Show it")
    twice = await administrator.post(f"{url}/done", json=report)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_done")
    listed = (await administrator.get("/v1/activities", params={"opportunity_id": deal["id"]})).json()["items"]
    assert len(listed) == 2
    timeline = (await administrator.get(f"/v1/customers/{acme['id']}/timeline?type=activity.done")).json()["items"]
    assert [each["changes"]["state"] for each in timeline] == [["planned", "done"]]
    assert timeline[0]["changes"]["outcome"] == [None, "reached"]


async def test_what_is_done_may_be_corrected_and_planned_again_but_not_cancelled(administrator: Client) -> None:
    past = "2020-01-01T10:00:00.000000Z"
    done = await make(administrator, "activities", **CALL, state="done", outcome="reached", done_at=past)
    assert (done["state"], done["done_at"]) == ("done", past)
    note = await make(administrator, "activities", kind="note", subject="A note")
    assert (note["state"], bool(note["done_at"])) == ("done", True), "there is no outcome of a note"
    url = f"/v1/activities/{done['id']}"
    cancelled = await administrator.patch(url, json={"state": "cancelled"})
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "already_done")
    assert problems(await administrator.patch(url, json={"outcome": None})) == {("/outcome", "required_information")}
    corrected = (await administrator.patch(url, json={"outcome": "interested", "report": "So it was"})).json()
    assert (corrected["outcome"], corrected["done_at"]) == ("interested", past)
    again = (await administrator.patch(url, json={"state": "planned"})).json()
    assert (again["state"], again["done_at"], again["outcome"]) == ("planned", None, None)
    off = (await administrator.patch(url, json={"state": "cancelled"})).json()
    assert (off["state"], off["done_at"]) == ("cancelled", None)
    took_place = await administrator.post(f"{url}/done", json={"outcome": "reached"})
    assert (took_place.json()["state"], took_place.json()["next_activity"]) == ("done", None)


async def test_the_company_says_what_a_report_must_tell(administrator: Client) -> None:
    wrong = {"minimum_information": {"activity_reports": ["subject"]}}
    assert problems(await administrator.patch("/v1/settings", json=wrong)) == {
        ("/minimum_information/activity_reports/0", "unknown_field")
    }
    minimum = {"minimum_information": {"activity_reports": ["report"], "activities": ["due_at", "contacts"]}}
    assert (await administrator.patch("/v1/settings", json=minimum)).status_code == 200
    assert problems(await administrator.post("/v1/activities", json=CALL)) == {
        ("/due_at", "required_information"),
        ("/contacts", "required_information"),
    }
    acme = await make(administrator, "customers", name="Acme")
    ana = await make(administrator, "contacts", first_name="Ana", customer_id=acme["id"])
    values = {"customer_id": acme["id"], "contacts": [{"contact_id": ana["id"]}], "due_at": "2030-01-01T10:00:00Z"}
    made = await make(administrator, "activities", **CALL, **values)
    url = f"/v1/activities/{made['id']}/done"
    assert problems(await administrator.post(url, json={"outcome": "reached"})) == {("/report", "required_information")}
    assert (await administrator.post(url, json={"report": "Talked"})).status_code == 200


async def test_whoever_is_given_an_activity_can_open_its_customer_until_it_is_done(
    administrator: Client, as_profile: Any
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    acme = await make(administrator, "customers", name="Acme")
    beta = await make(administrator, "customers", name="Beta")
    values = {**CALL, "customer_id": acme["id"], "owner_id": str(ana.user_id)}
    made = await make(administrator, "activities", **values)
    url = f"/v1/activities/{made['id']}"

    async def sees() -> tuple[int, int, int]:
        return (
            await status(ana, "customers", acme),
            await status(ben, "customers", acme),
            await status(ana, "customers", beta),
        )

    assert (await sees(), await status(ana, "activities", made)) == ((200, 404, 404), 200)
    for change, expected in (
        ({"owner_id": str(ben.user_id)}, (404, 200, 404)),
        ({"owner_id": str(ana.user_id), "customer_id": beta["id"]}, (404, 404, 200)),
        ({"customer_id": acme["id"]}, (200, 404, 404)),
        ({"state": "cancelled"}, (404, 404, 404)),
        ({"state": "planned"}, (200, 404, 404)),
    ):
        assert (await administrator.patch(url, json=change)).status_code == 200
        assert await sees() == expected, change
    await administrator.delete(url)
    assert await sees() == (404, 404, 404)
    await administrator.post(f"{url}/restore")
    assert await sees() == (200, 404, 404)
    # The owner, who may not assign, plans the next step: it is theirs, and keeps them there.
    next_call = {**CALL, "due_at": "2030-01-01T10:00:00Z"}
    done = await ana.post(f"{url}/done", json={"outcome": "reached", "next_activity": next_call})
    assert (done.status_code, await sees()) == (200, (200, 404, 404))
    last = await ana.post(f"/v1/activities/{done.json()['next_activity']['id']}/done", json={"outcome": "reached"})
    assert (last.status_code, await sees()) == (200, (404, 404, 404)), "the answer is still theirs"
    await administrator.delete(f"/v1/customers/{acme['id']}")
    await administrator.post(f"/v1/customers/{acme['id']}/restore")
    assert await fetch("select from assignment_reasons") == [], "what is done holds nobody"


async def test_a_substitute_ends_an_activity_and_its_next_stays_with_the_owner(
    administrator: Client, as_profile: Any
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    days = {"from_on": "2020-01-01", "until_on": "2090-01-01", "substitute_id": str(ben.user_id)}
    assert (await administrator.patch(f"/v1/users/{ana.user_id}", json={"absence": days})).status_code == 200
    acme = await make(ana, "customers", name="Acme")
    made = await make(ana, "activities", **CALL, customer_id=acme["id"])
    report = {"outcome": "reached", "next_activity": CALL}
    done = await ben.post(f"/v1/activities/{made['id']}/done", json=report)
    assert done.json()["next_activity"]["owner_id"] == str(ana.user_id)
    named = report | {"next_activity": {**CALL, "owner_id": str(ana.user_id)}}
    other = await make(ana, "activities", **CALL, customer_id=acme["id"])
    refused = await ben.post(f"/v1/activities/{other['id']}/done", json=named)
    assert problems(refused, 403) == {("/next_activity/owner_id", "forbidden")}, "naming another needs to assign"


async def test_what_is_nobodys_is_reached_through_what_it_is_about(administrator: Client, as_profile: Any) -> None:
    ana, ben, support = await as_profile("sales"), await as_profile("sales"), await as_profile("support")
    lead = await make(ana, "leads", last_name="Ruiz")
    deal = await make(ana, "opportunities", name="Early")
    nobodys = [
        await make(administrator, "activities", **CALL, lead_id=lead["id"], owner_id=None),
        await make(administrator, "activities", **CALL, opportunity_id=deal["id"], owner_id=None),
    ]
    loose = await make(administrator, "activities", **CALL, owner_id=None)
    for made in nobodys:
        assert [await status(each, "activities", made) for each in (ana, ben, support)] == [200, 404, 200]
        url = f"/v1/activities/{made['id']}"
        answers = [await each.patch(url, json={"priority": 1}) for each in (ana, ben, support)]
        assert [each.status_code for each in answers] == [200, 404, 403]
    assert await status(ana, "activities", loose) == 404
    await administrator.patch(f"/v1/leads/{lead['id']}", json={"owner_id": str(ben.user_id)})
    assert [await status(each, "activities", nobodys[0]) for each in (ana, ben)] == [404, 200]


async def test_activities_go_with_an_opportunity_to_another_customer(administrator: Client, as_profile: Any) -> None:
    ana = await as_profile("sales")
    acme, beta = [await make(administrator, "customers", name=name) for name in ("Acme", "Beta")]
    deal = await make(administrator, "opportunities", name="Deal", customer_id=acme["id"])
    made = await make(administrator, "activities", **CALL, opportunity_id=deal["id"], owner_id=str(ana.user_id))
    await administrator.patch(f"/v1/opportunities/{deal['id']}", json={"customer_id": beta["id"]})
    moved = (await ana.get(f"/v1/activities/{made['id']}")).json()
    assert (moved["customer_id"], moved["version"]) == (beta["id"], 2)
    assert [await status(ana, "customers", each) for each in (acme, beta)] == [404, 200]
    timelines = [
        (await administrator.get(f"/v1/customers/{each['id']}/timeline")).json()["items"] for each in (acme, beta)
    ]
    told = [[each["type"] for each in items if each["entity"] == "activities"] for items in timelines]
    assert told == [[], ["activity.changed", "activity.created"]]
    archived = await administrator.delete(f"/v1/opportunities/{deal['id']}")
    assert (archived.status_code, await status(ana, "customers", beta)) == (204, 404)
    restored = await administrator.post(f"/v1/activities/{made['id']}/restore")
    assert (restored.status_code, restored.json()["code"]) == (409, "archived"), "it went with its opportunity"


async def test_activities_are_found_listed_and_known_by_another_systems_id(administrator: Client) -> None:
    url = "/v1/activities/by/calendar/1"
    created = await administrator.put(url, json={**CALL, "subject": "Renewal talk", "priority": 2})
    changed = await administrator.put(url, json={"priority": 1, "customer_id": None})
    assert (created.status_code, changed.status_code, changed.json()["priority"]) == (201, 200, 1)
    assert problems(await administrator.put("/v1/activities/by/calendar/2", json={**CALL, "state": "cancelled"})) == {
        ("/state", "literal_error")
    }
    await make(administrator, "activities", kind="task", subject="Print it", due_at="2030-01-01T10:00:00Z")
    for parameters, subjects in (
        ({"q": "renewl"}, ["Renewal talk"]),
        ({"kind": "task"}, ["Print it"]),
        ({"sort": "due_at"}, ["Print it", "Renewal talk"]),
        ({"sort": "-due_at"}, ["Print it", "Renewal talk"]),
        ({"state": "planned", "due_at__lt": "2031-01-01T00:00:00Z"}, ["Print it"]),
    ):
        items = (await administrator.get("/v1/activities", params=parameters)).json()["items"]
        assert [each["subject"] for each in items] == subjects, parameters
