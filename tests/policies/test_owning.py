"""Whoever is named as the owner of what is still to be done can do it: an active user whose profile reads it."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.api.records import make
from tests.api.submissions import leads
from tests.conftest import Client, People
from tests.loading import errors_of, everything, loaded

AsProfile = Callable[..., Awaitable[Client]]
KINDS: dict[str, dict[str, Any]] = {
    "customers": {"name": "Acero"},
    "leads": {"company_name": "Acero"},
    "opportunities": {"name": "Acero"},
    "activities": {"kind": "call", "subject": "Call"},
}


def code_and_pointers(answer: Any) -> tuple[int, str, list[str]]:
    said = answer.json()
    return answer.status_code, said["code"], [each["pointer"] for each in said["errors"]]


async def test_nobody_is_named_the_owner_of_work_that_they_cannot_open(
    administrator: Client, as_profile: AsProfile, people: People
) -> None:
    support, able = await as_profile("support"), await as_profile("sales")
    gone = await people.client(await people.user("sales", active=False))
    robot = await people.client(await people.user("sales", service=True))  # narrowed to what is given to it
    for kind, values in KINDS.items():
        made = await make(administrator, kind, **values)
        url = f"/v1/{kind}/{made['id']}"
        # Support reads customers and activities.
        blind = [support] if kind in ("leads", "opportunities") else []
        for unable in (gone, *blind):
            owner = {"owner_id": str(unable.user_id)}
            expected = (422, "cannot_take_over", ["/owner_id"])
            assert code_and_pointers(await administrator.post(f"/v1/{kind}", json=values | owner)) == expected
            assert code_and_pointers(await administrator.patch(url, json=owner)) == expected
            by = f"/v1/{kind}/by/erp/1"
            assert code_and_pointers(await administrator.put(by, json=values | owner)) == expected
        assert (await administrator.get(url)).json() == made
        for owner in (able, robot):
            answer = await administrator.patch(url, json={"owner_id": str(owner.user_id)})
            assert (answer.status_code, answer.json()["owner_id"]) == (200, str(owner.user_id))
        assert (await administrator.patch(url, json={"owner_id": None})).status_code == 200
        assert len(await everything(administrator, f"/v1/{kind}")) == 1


async def test_nobody_is_assigned_to_a_customer_that_they_could_not_open(administrator: Client, people: People) -> None:
    policies = [{"section": "products", "action": "read", "field_group": "open", "reach": "all"}]
    labels = {"es": "Almacén", "it": "Magazzino", "en": "Stock"}
    await make(administrator, "profiles", id="stock", labels=labels, policies=policies)
    customer = await make(administrator, "customers", name="Acero")
    url = f"/v1/customers/{customer['id']}/assignees"
    refused = await administrator.put(f"{url}/{await people.user('stock')}")
    assert code_and_pointers(refused) == (422, "cannot_take_over", ["/user_id"])
    able = await people.user("support")
    assert (await administrator.put(f"{url}/{able}")).status_code == 200
    named = [each["user_id"] for each in (await administrator.get(url)).json()["items"]]
    assert named == [str(administrator.user_id), str(able)]
    # Whoever is one stays what they are.
    assert (await administrator.patch(f"/v1/users/{able}", json={"profile_id": "stock"})).status_code == 200
    assert (await administrator.put(f"{url}/{able}")).status_code == 200


async def test_what_is_closed_may_be_of_somebody_who_has_left(administrator: Client, people: People) -> None:
    gone = await people.user("sales", active=False)
    owner = {"owner_id": str(gone)}
    call = await make(administrator, "activities", kind="note", subject="Note", state="done", **owner)
    assert call["owner_id"] == str(gone)
    opportunity = await make(administrator, "opportunities", name="V")
    url = f"/v1/opportunities/{opportunity['id']}"
    lost = {"stage": "lost", "lost_reason": "price"}
    assert (await administrator.post(f"{url}/stage", json=lost)).status_code == 200
    assert (await administrator.patch(url, json=owner)).json()["owner_id"] == str(gone)
    assert (await administrator.patch(url, json=owner | {"name": "W"})).status_code == 200, "the same owner stays"


async def test_leads_of_a_form_are_not_given_to_somebody_who_cannot_open_them(
    administrator: Client, as_profile: AsProfile, people: People
) -> None:
    fields = [{"key": "email", "required": True}]
    form = {"key": "contact", "name": "Contact", "fields": fields}
    support, able = await as_profile("support"), await as_profile("sales")
    expected = (422, "cannot_take_over", ["/lead_owner_id"])
    unable = form | {"lead_owner_id": str(support.user_id)}
    assert code_and_pointers(await administrator.post("/v1/forms", json=unable)) == expected
    made = await make(administrator, "forms", **form, lead_owner_id=str(able.user_id))
    change = {"lead_owner_id": str(support.user_id)}
    assert code_and_pointers(await administrator.patch(f"/v1/forms/{made['id']}", json=change)) == expected
    assert (await administrator.patch(f"/v1/forms/{made['id']}", json={"name": "Other"})).status_code == 200


async def test_rows_that_name_an_owner_who_cannot_open_them_are_refused_unless_they_are_closed(
    administrator: Client,
) -> None:
    users = "login,profile,active\nana,sales,yes\neva,support,yes\nleft,sales,no\n"
    columns = {"login": ["username", "name"], "profile": "profile_id", "active": "active"}
    await loaded(administrator, "users", users, {"columns": columns})
    mapping: dict[str, Any] = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {
            "id": ["external_id", "name"],
            "owner": "owner",
            "stage": "stage",
            "opened": "opened_at",
            "closed": "closed_at",
            "reason": "lost_reason",
        },
    }
    header = "id,owner,stage,opened,closed,reason\n"
    open_, lost = "proposal,2026-02-01,,", "lost,2026-02-01,2026-03-01,price"
    rows = [f"1,ana,{open_}", f"2,eva,{open_}", f"3,left,{open_}", f"4,left,{lost}", f"5,eva,{lost}"]
    told = await loaded(administrator, "opportunities", header + "\n".join(rows), mapping)
    refused = [(each["row"], each["column"], each["code"]) for each in await errors_of(administrator, told)]
    assert refused == [(3, "owner", "cannot_take_over"), (4, "owner", "cannot_take_over")]
    assert (told["counts"]["created"], told["counts"]["refused"]) == (3, 2)
    changed = [f"1,left,{open_}", f"4,left,{lost}", f"5,ana,{open_}"]
    told = await loaded(administrator, "opportunities", header + "\n".join(changed), mapping)
    refused = [(each["row"], each["column"], each["code"]) for each in await errors_of(administrator, told)]
    assert refused == [(2, "owner", "cannot_take_over")]
    assert (told["counts"]["updated"], told["counts"]["unchanged"]) == (1, 1)


async def test_a_customer_of_the_file_is_refused_with_those_that_it_heads(administrator: Client) -> None:
    users = "login,active\nana,yes\nleft,no\n"
    columns = {"login": ["username", "name"], "active": "active"}
    await loaded(administrator, "users", users, {"columns": columns, "constants": {"profile_id": "sales"}})
    file = "name,owner,parent\nAcme,left,\nBeta,ana,Acme\nCeta,ana,\n"
    columns = {"name": "name", "owner": "owner", "parent": "parent"}
    told = await loaded(administrator, "customers", file, {"columns": columns})
    refused = [(each["row"], each["code"]) for each in await errors_of(administrator, told)]
    assert refused == [(2, "cannot_take_over"), (3, "unknown_reference")]
    assert [each["name"] for each in await everything(administrator, "/v1/customers")] == ["Ceta"]


async def profile(administrator: Client, id: str, *read: str) -> None:
    policies = [{"section": each, "action": "read", "field_group": "open", "reach": "all"} for each in read]
    await make(administrator, "profiles", id=id, labels={"es": "Otro", "it": "Altro", "en": "Other"}, policies=policies)


async def test_whoever_does_not_read_customers_sees_nothing_that_is_read_through_them(
    administrator: Client, as_profile: AsProfile
) -> None:
    await profile(administrator, "half", "leads", "opportunities", "activities")
    half, able = await as_profile("half"), await as_profile("sales")
    owner = {"owner_id": str(half.user_id)}
    expected = (422, "cannot_take_over", ["/owner_id"])
    for kind in ("leads", "opportunities", "activities"):
        assert code_and_pointers(await administrator.post(f"/v1/{kind}", json=KINDS[kind] | owner)) == expected
    await make(able, "leads", company_name="Acero")
    over = await administrator.post(f"/v1/users/{able.user_id}/hand-over", json={"to": [owner["owner_id"]]})
    assert code_and_pointers(over) == (422, "cannot_take_over", ["/to/0"])
    refused = await administrator.patch(f"/v1/users/{able.user_id}", json={"profile_id": "half"})
    assert (refused.status_code, refused.json()["owns"]["leads"]) == (409, 1)


async def test_what_becomes_of_a_lead_and_what_is_next_is_of_whoever_can_open_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    await profile(administrator, "half", "leads", "customers")
    half, me = await as_profile("half"), str(administrator.user_id)
    lead = await make(administrator, "leads", company_name="Acero", owner_id=str(half.user_id))
    after = (await administrator.post(f"/v1/leads/{lead['id']}/convert", json={"opportunity": None})).json()
    customer = (await administrator.get(f"/v1/customers/{after['customer_id']}")).json()
    assert customer["owner_id"] == str(half.user_id)
    lead = await make(administrator, "leads", company_name="Acero", owner_id=str(half.user_id))
    after = (await administrator.post(f"/v1/leads/{lead['id']}/convert")).json()
    opportunity = (await administrator.get(f"/v1/opportunities/{after['opportunity_id']}")).json()
    assert opportunity["owner_id"] == me
    sales = await as_profile("sales")
    call = await make(administrator, "activities", kind="call", subject="Call", owner_id=str(sales.user_id))
    moved = {"json": {"profile_id": "half"}, "params": {"confirm": "true"}}
    assert (await administrator.patch(f"/v1/users/{sales.user_id}", **moved)).status_code == 200
    said = {"outcome": "reached", "next_activity": {"kind": "call", "subject": "Again"}}
    done = await administrator.post(f"/v1/activities/{call['id']}/done", json=said)
    assert done.json()["next_activity"]["owner_id"] == me


async def test_what_a_visitor_sends_goes_to_nobody_who_could_not_open_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    support = await as_profile("support")
    acme = await make(
        administrator, "customers", name="Acme", owner_id=str(support.user_id), emails=[{"address": "eva@acero.es"}]
    )
    await make(administrator, "forms", key="contact", name="Contact", fields=[{"key": "email", "required": True}])
    sent = await administrator.post("/v1/forms/contact/submissions", json={"email": "eva@acero.es"})
    assert sent.status_code == 202, sent.text
    [lead] = await leads(administrator)
    assert (lead["customer_id"], lead["owner_id"]) == (acme["id"], None)
