"""Ids that a body names: below whose customer something may be made, moved or linked, and what goes along."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from app.db import session
from app.domain import leads, records
from app.domain.entities.lead_conversion import LeadConversion
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityCreate
from app.policies.callers import access_of
from tests.api.records import make
from tests.conftest import Client
from tests.contracts.worlds import fetch, fingerprint
from tests.loading import errors_of, loaded
from tests.policies.steps import change, create, grant, status

AsProfile = Callable[..., Awaitable[Client]]


async def reads_all(*sections: str) -> None:
    """Sales reps see everybody's from now on, and change their own."""
    for section in ("customers", *sections):
        await grant("sales", section, "read", "open", "all")


async def test_to_read_a_customer_is_not_enough_to_add_a_contact_to_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    customer, bens = await create(ana, "customers", name="Acero"), await create(ben, "customers", name="Vino")
    mine = await create(ben, "contacts", customer_id=bens["id"])
    await reads_all("contacts", "leads")
    await grant("sales", "contacts", "import", "open", "own")
    await grant("sales", "imports", "read", "open", "own")
    lead = await make(ben, "leads", last_name="Ruiz")
    before = await fingerprint()
    body = {"first_name": "Eva", "customer_id": customer["id"]}
    for refused in (
        await ben.post("/v1/contacts", json=body),
        await ben.put("/v1/contacts/by/erp/1", json=body),
        await change(ben, "contacts", mine, customer_id=customer["id"]),
        await ben.post(f"/v1/leads/{lead['id']}/convert", json={"customer_id": customer["id"]}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    assert await fingerprint() == before
    mapping = {"columns": {"name": "last_name", "customer": "customer"}}
    done = await loaded(ben, "contacts", "name,customer\nEva,Acero\nLeo,Vino\n", mapping)
    assert (done["counts"]["created"], done["counts"]["refused"]) == (1, 1)
    assert [(each["row"], each["code"]) for each in await errors_of(ben, done)] == [(2, "unknown_reference")]
    # Responsible for something of the customer, one works for it.
    await make(administrator, "opportunities", name="Ten", customer_id=customer["id"], owner_id=str(ben.user_id))
    assert (await ben.post("/v1/contacts", json=body)).status_code == 201
    assert (await change(ben, "contacts", mine, customer_id=customer["id"])).status_code == 200


async def test_whoever_reads_a_customer_plans_an_activity_of_their_own_there(as_profile: AsProfile) -> None:
    ana, marketing = await as_profile("sales"), await as_profile("marketing")
    customer = await create(ana, "customers")
    call = {"kind": "call", "subject": "Call", "customer_id": customer["id"]}
    planned = await make(marketing, "activities", **call)
    pairs = await fetch("select user_id from customer_assignees where user_id = $1", marketing.user_id)
    assert len(pairs) == 1
    assert (await change(marketing, "customers", customer, description="x")).status_code == 403
    for other in (str(ana.user_id), None):
        refused = await marketing.post("/v1/activities", json=call | {"owner_id": other})
        assert refused.status_code == 403
    assert (await change(marketing, "activities", planned, owner_id=ana.user_id)).status_code == 403


async def test_moving_a_record_asks_for_the_old_customer_and_the_new_one(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    anas, bens = await create(ana, "customers"), await create(ben, "customers")
    kinds = {"contacts": {"first_name": "Eva"}, "opportunities": {"name": "Ten"}, "leads": {"last_name": "Ruiz"}}
    kinds |= {"activities": {"kind": "call", "subject": "Call"}, "messages": {"channel": "phone", "subject": "Called"}}
    before: dict[str, str] = {}
    for kind, body in kinds.items():
        mine = await make(ben, kind, customer_id=bens["id"], **body)
        foreign = await make(ana, kind, customer_id=anas["id"], **body)
        before = await fingerprint()
        for record, to in ((mine, anas), (foreign, bens)):
            refused = await change(ben, kind, record, customer_id=to["id"])
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), kind
        for name in ("lead_id", "opportunity_id"):
            if kind in ("activities", "messages"):
                other = (await ana.get(f"/v1/{'leads' if name == 'lead_id' else 'opportunities'}")).json()["items"][0]
                assert (await change(ben, kind, mine, **{name: other["id"]})).status_code == 404
        assert await fingerprint() == before


async def test_what_follows_to_another_customer_leaves_the_contacts_of_the_old_one(administrator: Client) -> None:
    old, new = await create(administrator, "customers"), await create(administrator, "customers")
    eva = await create(administrator, "contacts", customer_id=old["id"])
    deal = await make(administrator, "opportunities", name="Ten", customer_id=old["id"])
    about = {"opportunity_id": deal["id"], "subject": "About it"}
    call = await make(administrator, "activities", kind="call", contacts=[{"contact_id": eva["id"]}], **about)
    message = await make(administrator, "messages", channel="phone", contact_id=eva["id"], **about)
    for kind, record in (("activities", call), ("messages", message)):
        refused = await change(administrator, kind, record, customer_id=new["id"])
        assert (refused.status_code, refused.json()["code"]) == (422, "customer_mismatch")
    assert (await change(administrator, "opportunities", deal, customer_id=new["id"])).status_code == 200
    read = (await administrator.get(f"/v1/activities/{call['id']}")).json()
    assert (read["customer_id"], read["contacts"], read["version"]) == (new["id"], [], 2)
    read = (await administrator.get(f"/v1/messages/{message['id']}")).json()
    assert (read["customer_id"], read["contact_id"], read["version"]) == (new["id"], None, 2)
    timeline = (await administrator.get(f"/v1/customers/{new['id']}/timeline")).json()["items"]
    told = {each["type"]: each["changes"] for each in timeline if each["version"] == 2}
    moved: dict[str, Any] = {"customer_id": [old["id"], new["id"]]}
    assert told["activity.changed"] == moved | {"contacts": [[{"contact_id": eva["id"], "role": None}], []]}
    assert told["message.changed"] == moved | {"contact_id": [eva["id"], None]}


async def test_an_opportunity_of_a_lead_that_is_being_converted_waits_for_it_and_the_other_way_round(
    administrator: Client, as_profile: AsProfile
) -> None:
    ana = await as_profile("sales")
    first, second = await make(ana, "leads", company_name="Acero"), await make(ana, "leads", company_name="Vino")
    async with session.transaction() as opened:
        access = await access_of(opened, ana.user_id)
        await leads.convert(opened, access, UUID(first["id"]), LeadConversion(opportunity=None))
        await session.settle(opened)
        making = asyncio.create_task(ana.post("/v1/opportunities", json={"name": "Ten", "lead_id": first["id"]}))
        await asyncio.sleep(0.3)
        assert not making.done()
    answer = await making
    assert answer.status_code == 201, answer.text
    async with session.transaction() as opened:
        access = await access_of(opened, ana.user_id)
        data = OpportunityCreate(name="Ten", lead_id=second["id"])
        deal = await records.create(opened, access, OPPORTUNITIES, data)
        await session.settle(opened)
        converting = asyncio.create_task(ana.post(f"/v1/leads/{second['id']}/convert"))
        await asyncio.sleep(0.3)
        assert not converting.done()
    answer = await converting
    assert (answer.status_code, answer.json()["opportunity_id"]) == (200, str(deal.id)), answer.text
    read = (await ana.get(f"/v1/opportunities/{deal.id}")).json()
    assert read["customer_id"] == answer.json()["customer_id"]


async def test_work_of_somebody_who_has_left_goes_on_with_whoever_does_it(
    administrator: Client, as_profile: AsProfile
) -> None:
    for leaves in ("DELETE", "PATCH"):
        gone = await as_profile("sales")
        lead = await make(administrator, "leads", company_name="Acero", owner_id=str(gone.user_id))
        call = await make(administrator, "activities", kind="call", subject="Call", owner_id=str(gone.user_id))
        body = {"json": {"active": False}} if leaves == "PATCH" else {}
        left = await administrator.request(leaves, f"/v1/users/{gone.user_id}", params={"confirm": "true"}, **body)
        assert left.status_code in (200, 204), left.text
        converted = await administrator.post(f"/v1/leads/{lead['id']}/convert")
        assert converted.status_code == 200, converted.text
        customer = (await administrator.get(f"/v1/customers/{converted.json()['customer_id']}")).json()
        assert customer["owner_id"] == str(administrator.user_id)
        after = {"outcome": "reached", "next_activity": {"kind": "call", "subject": "Again"}}
        done = await administrator.post(f"/v1/activities/{call['id']}/done", json=after)
        assert done.status_code == 200, done.text
        assert done.json()["next_activity"]["owner_id"] == str(administrator.user_id)


async def test_restoring_asks_for_as_much_as_archiving(administrator: Client, as_profile: AsProfile) -> None:
    manager, stranger = await as_profile("manager"), await as_profile("manager")
    ana, ben = await as_profile("sales", manager=manager.user_id), await as_profile("sales")
    customer = await create(ana, "customers")
    contact = await create(ana, "contacts", customer_id=customer["id"])
    deal = await make(ana, "opportunities", name="Ten", customer_id=customer["id"])
    bens = await make(administrator, "opportunities", name="Six", customer_id=customer["id"], owner_id=str(ben.user_id))
    for kind, record in (("contacts", contact), ("opportunities", deal), ("opportunities", bens)):
        assert (await administrator.delete(f"/v1/{kind}/{record['id']}")).status_code == 204
    before = await fingerprint()
    for who, kind, record, expected in (
        (stranger, "contacts", contact, 404),
        (stranger, "opportunities", deal, 404),
        (ana, "contacts", contact, 403),
        (ana, "opportunities", deal, 403),
        (manager, "opportunities", bens, 403),  # of the team's customer, and not the team's
        (ben, "opportunities", bens, 404),  # at a customer that is out of reach since the reason ended
    ):
        assert (await who.post(f"/v1/{kind}/{record['id']}/restore")).status_code == expected, (kind, expected)
    assert await fingerprint() == before
    for kind, record in (("contacts", contact), ("opportunities", deal)):
        assert (await manager.post(f"/v1/{kind}/{record['id']}/restore")).status_code == 200
    assert (await administrator.post(f"/v1/opportunities/{bens['id']}/restore")).status_code == 200
    # What went along with the customer comes back with it, whosever it is.
    assert (await manager.delete(f"/v1/customers/{customer['id']}")).status_code == 204
    below = await manager.post(f"/v1/opportunities/{deal['id']}/restore")
    assert (below.status_code, below.json()["code"]) == (409, "archived")
    assert (await manager.post(f"/v1/customers/{customer['id']}/restore")).status_code == 200
    assert await status(ben, "opportunities", bens) == 200
