"""What is about a lead and its customer: what two at once leave behind, and who comes to reach or move what."""

import asyncio
from typing import Any
from uuid import UUID

from app.db import session
from app.db.models import RECORDS
from app.domain import leads, messages, records
from app.domain.entities.lead_conversion import LeadConversion
from app.domain.entities.messages import MESSAGES, MessageCreate
from app.domain.entities.opportunities import OPPORTUNITIES
from app.policies.access import Access, Reason
from app.policies.callers import access_of
from tests.api.records import make, problems
from tests.api.test_lead_conversion import convert
from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.loading import errors_of, loaded
from tests.policies.steps import status


async def test_a_message_written_while_its_lead_is_converted_goes_to_the_customer_too(administrator: Client) -> None:
    lead = await make(administrator, "leads", company_name="Acme")
    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        said = MessageCreate(channel="phone", subject="Asked", lead_id=lead["id"])
        await messages.create(opened, access, MESSAGES, said)
        converting = asyncio.create_task(convert(administrator, lead["id"]))
        await asyncio.sleep(0.3)
        assert not converting.done()
    customer_id = UUID((await converting).json()["customer_id"])
    assert [row[0] for row in await fetch("select customer_id from messages")] == [customer_id]


async def test_what_waits_for_a_conversion_goes_to_the_customer_that_it_made(as_profile: Any) -> None:
    seller = await as_profile("sales")
    lead = await make(seller, "leads", company_name="Acme")
    async with session.transaction() as opened:
        access = await access_of(opened, seller.user_id)
        converted = await leads.convert(opened, access, UUID(lead["id"]), LeadConversion())
        about = {"subject": "Asked", "lead_id": lead["id"]}
        bodies = {"messages": about | {"channel": "phone"}, "activities": about | {"kind": "call"}}
        writing = [asyncio.create_task(seller.post(f"/v1/{kind}", json=body)) for kind, body in bodies.items()]
        await asyncio.sleep(0.3)
        assert not any(each.done() for each in writing)
    for answer in await asyncio.gather(*writing):
        assert (answer.status_code, answer.json()["customer_id"]) == (201, str(converted.customer_id)), answer.text


async def test_a_mail_that_has_gone_out_and_the_conversion_of_its_lead_wait_for_one_another(
    administrator: Client,
) -> None:
    lead = await make(administrator, "leads", company_name="Acme")
    mail = await make(administrator, "messages", subject="S", text="T", to_address="a@b.es", lead_id=lead["id"])

    async def told() -> None:
        async with session.transaction("system") as opened:
            await messages.sent(opened, Access.system(Reason.SWEEP), UUID(mail["id"]))

    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        await access.row(opened, RECORDS["leads"], UUID(lead["id"]), "update")
        telling = asyncio.create_task(told())
        await asyncio.sleep(0.3)
        await leads.convert(opened, access, UUID(lead["id"]), LeadConversion())
    await telling
    answer = (await administrator.get(f"/v1/messages/{mail['id']}")).json()
    assert (answer["state"], answer["customer_id"] is None) == ("sent", False)
    assert (await administrator.get(f"/v1/leads/{lead['id']}")).json()["first_response_at"] == answer["sent_at"]


async def test_what_comes_back_while_its_customer_is_archived_is_archived_with_it(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    opportunity = await make(administrator, "opportunities", name="Valves", customer_id=customer["id"])
    assert (await administrator.delete(f"/v1/opportunities/{opportunity['id']}")).status_code == 204
    async with session.transaction() as opened:
        access = await access_of(opened, administrator.user_id)
        record = await access.row(opened, RECORDS["opportunities"], UUID(opportunity["id"]), "delete")
        await records.restore(opened, access, OPPORTUNITIES, record)
        archiving = asyncio.create_task(administrator.delete(f"/v1/customers/{customer['id']}"))
        await asyncio.sleep(0.3)
        assert not archiving.done()
    assert (await archiving).status_code == 204
    assert [row[0] for row in await fetch("select archived_at is null from opportunities")] == [False]


async def test_a_message_that_is_kept_stays_with_the_customer_of_what_it_is_about(administrator: Client) -> None:
    acme, other = [await make(administrator, "customers", name=name) for name in ("Acme", "Other")]
    lead = await make(administrator, "leads", last_name="Ruiz", customer_id=acme["id"])
    message = await make(administrator, "messages", channel="phone", subject="Asked", lead_id=lead["id"])
    path = f"/v1/messages/{message['id']}"
    for customer_id in (other["id"], None):
        refused = await administrator.patch(path, json={"customer_id": customer_id})
        assert problems(refused) == {("/customer_id", "customer_mismatch")}
    moved = await administrator.patch(path, json={"customer_id": other["id"], "lead_id": None})
    assert (moved.status_code, moved.json()["customer_id"]) == (200, other["id"])
    gone = await administrator.patch(path, json={"customer_id": None})
    assert (gone.status_code, gone.json()["customer_id"]) == (200, None)


async def test_whoever_wrote_to_a_customer_does_not_reach_it_for_good(administrator: Client, as_profile: Any) -> None:
    manager = await as_profile("manager")
    seller = await as_profile("sales", manager=manager.user_id)
    customer = await make(seller, "customers", name="Acme")
    message = await make(manager, "messages", channel="phone", subject="Asked", customer_id=customer["id"])
    assert await status(manager, "messages", message) == 200
    left = await administrator.patch(f"/v1/users/{seller.user_id}", json={"manager_id": None})
    assert left.status_code == 200, left.text
    assert [await status(manager, "customers", customer), await status(manager, "messages", message)] == [404, 404]


async def test_a_conversion_takes_no_colleagues_opportunity_to_another_customer(
    administrator: Client, as_profile: Any
) -> None:
    ana, ben = await as_profile("sales"), await as_profile("sales")
    shared, hers = await make(administrator, "customers", name="Shared"), await make(ana, "customers", name="Hers")
    of_shared = {"customer_id": shared["id"]}
    lead = await make(administrator, "leads", last_name="Ruiz", owner_id=str(ana.user_id), **of_shared)
    about = of_shared | {"lead_id": lead["id"], "owner_id": str(ben.user_id)}
    deal = await make(administrator, "opportunities", name="Valves", **about)
    refused = await convert(ana, lead["id"], customer_id=hers["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    converted = await convert(ana, lead["id"])
    assert (converted.status_code, converted.json()["opportunity_id"]) == (200, deal["id"])


async def test_a_file_takes_no_activity_from_the_customer_of_its_lead(administrator: Client) -> None:
    acme, other = [await make(administrator, "customers", name=name) for name in ("Acme", "Other")]
    lead = await make(administrator, "leads", last_name="Ruiz", customer_id=acme["id"])
    calls = {"about": {"lead_id": lead["id"]}, "free": {"customer_id": acme["id"]}}
    for key, values in calls.items():
        body = {"kind": "call", "subject": key} | values
        assert (await administrator.put(f"/v1/activities/by/erp/{key}", json=body)).status_code == 201
    columns = {"key": "external_id", "kind": "kind", "subject": "subject", "customer": "customer_id"}
    mapping = {"columns": columns, "external_system": "erp", "match_on": "external_id"}
    rows = "".join(f"{key},call,{key},{other['id']}\n" for key in calls)
    done = await loaded(administrator, "activities", ",".join(columns) + "\n" + rows, mapping)
    refused = [(each["row"], each["field"], each["code"]) for each in await errors_of(administrator, done)]
    assert (refused, done["counts"]["updated"]) == ([(2, "customer_id", "customer_mismatch")], 1)
    rows = await fetch("select customer_id from activities order by subject")
    assert [str(row[0]) for row in rows] == [acme["id"], other["id"]]
