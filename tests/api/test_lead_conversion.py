"""Converting leads over HTTP: a customer, a contact and an opportunity at once, and only once."""

import asyncio
from typing import Any
from uuid import UUID

from app.db.session import transaction
from app.domain import leads
from app.domain.entities.lead_conversion import LeadConversion
from app.policies.callers import access_of
from tests.api.records import at_once, make, problems
from tests.api.test_leads import move, rows
from tests.conftest import Client

ANA = {
    "first_name": "Ana",
    "last_name": "Ruiz",
    "job_title": "Buyer",
    "emails": [{"address": "ana@acme.es"}],
    "phones": [{"number": "+34912345678"}],
    "social_profiles": [{"network": "linkedin", "handle": "ana-ruiz"}],
    "preferred_language": "es",
    "preferred_channel": "email",
}
ACME = {
    "company_name": "Acme",
    "website": "https://acme.es",
    "sector": "retail",
    "addresses": [{"street": "Calle Mayor 1", "city": "Madrid", "country": "ES"}],
    "tags": ["fair"],
}


async def convert(client: Client, id: str, **values: Any) -> Any:
    return await client.post(f"/v1/leads/{id}/convert", json=values)


async def converted(client: Client, id: str, **values: Any) -> dict[str, Any]:
    answer = await convert(client, id, **values)
    assert answer.status_code == 200, answer.text
    lead: dict[str, Any] = answer.json()
    return lead


async def read(client: Client, kind: str, id: str | None) -> dict[str, Any]:
    answer = await client.get(f"/v1/{kind}/{id}")
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def total(client: Client, kind: str) -> int:
    return int((await client.get(f"/v1/{kind}", params={"count": "exact", "limit": 1})).json()["total"])


async def test_a_lead_becomes_customer_contact_and_opportunity_with_all_it_had(
    administrator: Client, as_profile: Any
) -> None:
    seller = await as_profile("sales")
    lead = await make(
        seller, "leads", title="100 valves", message="Could you quote?", channel="web_form", **ANA, **ACME
    )
    call = await make(seller, "activities", kind="call", subject="Call", lead_id=lead["id"], due_at=lead["created_at"])
    note = await make(seller, "activities", kind="note", subject="Talked", lead_id=lead["id"])
    message = await make(seller, "messages", channel="phone", subject="Asked", lead_id=lead["id"])
    await move(seller, lead["id"], "contacted")
    asked = await seller.post(f"/v1/leads/{lead['id']}/convert")
    assert asked.status_code == 200, asked.text
    after = asked.json()
    assert (after["stage"], after["stage_kind"], after["converted_at"]) == (
        "converted", "won", after["stage_entered_at"],
    )  # fmt: skip
    customer = await read(seller, "customers", after["customer_id"])
    for name in (*ACME, "emails", "phones", "social_profiles", "preferred_language", "preferred_channel"):
        assert customer["name" if name == "company_name" else name] == lead[name], name
    assert (customer["kind"], customer["country"]) == ("company", "ES")
    assert (customer["lead_id"], customer["won_channel"], customer["source"]) == (lead["id"], "web_form", "api")
    assert customer["assignees"] == [{"user_id": str(seller.user_id), "role": "owner"}]
    contact = await read(seller, "contacts", after["contact_id"])
    assert {name: contact[name] for name in ANA} == {name: lead[name] for name in ANA}
    assert (contact["customer_id"], contact["primary"]) == (customer["id"], True)
    opportunity = await read(seller, "opportunities", after["opportunity_id"])
    assert (opportunity["name"], opportunity["description"]) == ("100 valves", "Could you quote?")
    assert (opportunity["customer_id"], opportunity["lead_id"]) == (customer["id"], lead["id"])
    assert opportunity["contacts"] == [{"contact_id": contact["id"], "role": None}]
    assert {each["owner_id"] for each in (customer, opportunity)} == {str(seller.user_id)}

    for kind, record in (("activities", call), ("activities", note), ("messages", message)):
        taken = await read(seller, kind, record["id"])
        assert (taken["customer_id"], taken["lead_id"]) == (customer["id"], lead["id"])
    assert customer["next_activity_at"] == call["due_at"]
    assert customer["last_activity_at"] is not None
    timeline = (await seller.get(f"/v1/customers/{customer['id']}/timeline", params={"limit": 200})).json()["items"]
    told = [each["type"] for each in reversed(timeline)]
    assert [each for each in told if each.startswith("lead.")] == [
        "lead.created", "lead.stage_changed", "lead.converted",
    ]  # fmt: skip
    assert {"activity.created", "message.created", "customer.created", "opportunity.created"} <= set(told)
    history = (await seller.get(f"/v1/leads/{lead['id']}/stages")).json()["items"]
    assert [each["stage"] for each in history] == ["new", "contacted", "converted"]

    again = await convert(seller, lead["id"], opportunity={"amount": "5"})
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, after, asked.headers["etag"])
    reopened = await move(administrator, lead["id"], "contacted")
    assert (reopened.status_code, reopened.json()["allowed"]) == (409, [])
    refused = await seller.patch(f"/v1/leads/{lead['id']}", json={"customer_id": None})
    assert problems(refused) == {("/customer_id", "required_information")}


async def test_asked_many_times_at_once_it_makes_everything_once(as_profile: Any, administrator: Client) -> None:
    seller = await as_profile("sales")
    lead = await make(seller, "leads", **ANA, **ACME)
    answers = await at_once(*(convert(seller, lead["id"]) for _ in range(10)))
    assert [each.status_code for each in answers] == [200] * 10, [each.text for each in answers]
    names = ("customer_id", "contact_id", "opportunity_id", "version")
    assert len({tuple(each.json()[name] for name in names) for each in answers}) == 1
    assert [await total(administrator, kind) for kind in ("customers", "contacts", "opportunities")] == [1, 1, 1]
    assert len(await rows("select 1 from events where type = 'lead.converted'")) == 1


async def test_who_waits_for_a_conversion_still_reaches_what_is_theirs(as_profile: Any) -> None:
    seller = await as_profile("sales")
    lead = await make(seller, "leads", **ANA, **ACME)
    opportunity = await make(seller, "opportunities", name="V", lead_id=lead["id"])
    url, at = f"/v1/leads/{lead['id']}", f"/v1/opportunities/{opportunity['id']}"
    async with transaction() as session:
        access = await access_of(session, seller.user_id)
        await leads.convert(session, access, UUID(lead["id"]), LeadConversion())
        waiting = [
            asyncio.create_task(each)
            for each in (
                seller.patch(url, json={"message": "Call me"}),
                seller.post(f"{url}/stage", json={"stage": "contacted"}),
                seller.patch(at, json={"description": "Big"}),
                seller.post(f"{at}/stage", json={"stage": "qualification"}),
            )
        ]
        assert (await asyncio.wait(waiting, timeout=0.5))[0] == set()
    told = [await each for each in waiting]
    assert [each.status_code for each in told] == [200, 409, 200, 200], [each.text for each in told]
    assert told[1].json()["code"] == "forbidden_move"


async def test_a_person_becomes_a_customer_and_its_contact(administrator: Client) -> None:
    lead = await make(administrator, "leads", **ANA)
    after = await converted(administrator, lead["id"], opportunity={"name": "Valves", "amount": "1200.5"})
    customer = await read(administrator, "customers", after["customer_id"])
    assert (customer["kind"], customer["name"], customer["emails"]) == ("person", "Ana Ruiz", lead["emails"])
    assert (await read(administrator, "contacts", after["contact_id"]))["name"] == "Ana Ruiz"
    opportunity = await read(administrator, "opportunities", after["opportunity_id"])
    assert (opportunity["name"], opportunity["amount"], opportunity["currency"]) == ("Valves", "1200.50", "EUR")


async def test_what_is_not_wanted_is_not_made(administrator: Client) -> None:
    lead = await make(administrator, "leads", **ANA, **ACME)
    after = await converted(administrator, lead["id"], contact=None, opportunity=None)
    assert (after["contact_id"], after["opportunity_id"]) == (None, None)
    unknown = await make(administrator, "leads", emails=[{"address": "info@beta.it"}])
    after = await converted(administrator, unknown["id"])
    assert after["contact_id"] is None
    customer = await read(administrator, "customers", after["customer_id"])
    assert (customer["kind"], customer["name"]) == ("company", "info@beta.it")
    assert await total(administrator, "contacts") == 0


async def test_a_lead_of_a_known_customer_adds_to_it(administrator: Client, as_profile: Any) -> None:
    customer = await make(administrator, "customers", name="Acme", sector="medical")
    known = await make(administrator, "contacts", customer_id=customer["id"], last_name="Ruiz", emails=ANA["emails"])
    other = await make(administrator, "contacts", customer_id=customer["id"], last_name="Vila")
    lead = await make(administrator, "leads", customer_id=customer["id"], **ANA, **ACME)
    after = await converted(administrator, lead["id"])
    assert (after["customer_id"], after["contact_id"]) == (customer["id"], known["id"])
    kept = await read(administrator, "customers", customer["id"])
    assert (kept["sector"], kept["lead_id"], kept["version"]) == ("medical", None, 1)
    assert (await read(administrator, "opportunities", after["opportunity_id"]))["customer_id"] == customer["id"]

    lead = await make(administrator, "leads", last_name="Sanz", emails=[{"address": "sanz@acme.es"}])
    after = await converted(administrator, lead["id"], customer_id=customer["id"])
    new = await read(administrator, "contacts", after["contact_id"])
    assert (new["name"], new["customer_id"], new["primary"]) == ("Sanz", customer["id"], False)
    lead = await make(administrator, "leads", **ANA)
    after = await converted(administrator, lead["id"], customer_id=customer["id"], contact_id=other["id"])
    assert after["contact_id"] == other["id"]
    assert await total(administrator, "contacts") == 3

    lead = await make(administrator, "leads", **ANA)
    body = {"customer_id": customer["id"], "customer": {"name": "x"}, "opportunity": {"owner_id": None}}
    assert problems(await convert(administrator, lead["id"], **body)) == {
        ("/customer", "not_applicable"), ("/opportunity/owner_id", "not_applicable"),
    }  # fmt: skip
    assert problems(await convert(administrator, lead["id"], contact_id=known["id"])) == {
        ("/contact_id", "not_applicable")
    }
    seller = await as_profile("sales")
    mine = await make(seller, "leads", **ANA)
    foreign = await convert(seller, mine["id"], customer_id=customer["id"])
    assert problems(foreign, 404) == {("/customer_id", "not_found")}
    own = await make(seller, "customers", name="Own")
    foreign = await convert(seller, mine["id"], customer_id=own["id"], contact_id=known["id"])
    assert problems(foreign, 404) == {("/contact_id", "not_found")}


async def test_the_opportunity_that_a_lead_has_goes_with_it(administrator: Client, as_profile: Any) -> None:
    seller = await as_profile("sales")
    lead = await make(administrator, "leads", owner_id=str(seller.user_id), **ANA, **ACME)
    has = await make(administrator, "opportunities", name="Early", lead_id=lead["id"])
    visit = await make(administrator, "activities", kind="visit", subject="Visit", opportunity_id=has["id"])
    assert (await seller.get(f"/v1/opportunities/{has['id']}")).status_code == 404
    refused = await convert(seller, lead["id"], opportunity={"amount": "10"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    after = await converted(seller, lead["id"])
    assert after["opportunity_id"] == has["id"]
    taken = await read(administrator, "opportunities", has["id"])
    assert (taken["customer_id"], taken["owner_id"]) == (after["customer_id"], str(administrator.user_id))
    assert taken["contacts"] == [{"contact_id": after["contact_id"], "role": None}]
    assert (await read(seller, "activities", visit["id"]))["customer_id"] == after["customer_id"]
    customer = await read(administrator, "customers", after["customer_id"])
    roles = {each["user_id"]: each["role"] for each in customer["assignees"]}
    assert roles == {str(seller.user_id): "owner", str(administrator.user_id): None}
    assert await total(administrator, "opportunities") == 1

    lead = await make(administrator, "leads", **ANA)
    nowhere = {"pipeline_id": "0198c0de-0000-7000-8000-000000000000"}
    assert problems(await convert(administrator, lead["id"], opportunity=nowhere), 404) == {
        ("/opportunity/pipeline_id", "not_found")
    }
    has = await make(administrator, "opportunities", name="Early", lead_id=lead["id"])
    wrong = {"pipeline_id": has["pipeline_id"]}
    assert problems(await convert(administrator, lead["id"], opportunity=wrong)) == {
        ("/opportunity/pipeline_id", "not_applicable")
    }
    after = await converted(administrator, lead["id"], opportunity={"amount": "10"})
    assert (await read(administrator, "opportunities", has["id"]))["amount"] == "10.00"


async def test_what_is_missing_is_named_and_nothing_is_half_done(administrator: Client) -> None:
    minimum = {"customers": ["tax_id", "sector"], "contacts": ["department"], "opportunities": ["amount"]}
    assert (await administrator.patch("/v1/settings", json={"minimum_information": minimum})).status_code == 200
    lead = await make(administrator, "leads", **ANA, company_name="Acme")
    before = await rows("select count(*) from events")
    assert problems(await convert(administrator, lead["id"])) == {
        ("/customer/tax_id", "required_information"), ("/customer/sector", "required_information"),
        ("/contact/department", "required_information"), ("/opportunity/amount", "required_information"),
    }  # fmt: skip
    assert await rows("select count(*) from events") == before
    assert [await total(administrator, kind) for kind in ("customers", "contacts", "opportunities")] == [0, 0, 0]
    after = await converted(
        administrator, lead["id"], customer={"tax_id": "B12345678", "sector": "retail"},
        contact={"department": "purchasing"}, opportunity={"amount": "10"},
    )  # fmt: skip
    customer = await read(administrator, "customers", after["customer_id"])
    assert (customer["tax_id"], customer["name"]) == ("B12345678", "Acme")


async def test_a_discarded_or_archived_lead_is_not_converted(administrator: Client) -> None:
    lead = await make(administrator, "leads", **ANA)
    await move(administrator, lead["id"], "discarded", discard_reason="price")
    refused = await convert(administrator, lead["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "forbidden_move")
    assert (refused.json()["stage"], refused.json()["allowed"]) == ("discarded", ["new", "contacted", "qualified"])
    await move(administrator, lead["id"], "new")
    await administrator.delete(f"/v1/leads/{lead['id']}")
    refused = await convert(administrator, lead["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")
    assert await total(administrator, "customers") == 0


async def test_who_makes_no_customers_converts_no_lead(administrator: Client, as_profile: Any) -> None:
    marketing = await as_profile("marketing")
    lead = await make(marketing, "leads", **ANA)
    refused = await convert(marketing, lead["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert await total(administrator, "customers") == 0


async def test_the_body_gives_no_field_that_the_profile_does_not_write(as_profile: Any) -> None:
    seller = await as_profile("sales")
    lead = await make(seller, "leads", **ANA, **ACME)
    hidden = await convert(seller, lead["id"], customer={"tax_id": "B12345678"})
    assert problems(hidden, 403) == {("/customer/tax_id", "field_hidden")}
    nobody = "0198c0de-0000-7000-8000-000000000000"
    missing = await convert(seller, lead["id"], customer={"parent_id": nobody})
    assert problems(missing, 404) == {("/customer/parent_id", "not_found")}


async def test_a_lead_is_its_owners_customer_whoever_converts_it(people: Any) -> None:
    manager = await people.client(await people.user("manager"))
    member = await people.client(await people.user("sales", manager=manager.user_id))
    lead = await make(member, "leads", **ANA, **ACME)
    after = await converted(manager, lead["id"])
    customer = await read(member, "customers", after["customer_id"])
    assert (customer["owner_id"], customer["created_by"]) == (str(member.user_id), str(manager.user_id))
    nobodys = await make(manager, "leads", owner_id=None, last_name="Sanz")
    after = await converted(manager, nobodys["id"])
    assert (await read(manager, "customers", after["customer_id"]))["assigned"] is False
    assert (await member.get(f"/v1/customers/{after['customer_id']}")).status_code == 404
