"""What if more records share something than a statement takes values, 32,767?"""

from tests.api.records import make
from tests.conftest import Client, People
from tests.contracts.worlds import execute

MANY = 33_000
SHARED = "nomail@acme.es"


async def share(email: str) -> None:
    await execute(
        "insert into match_keys (entity, record_id, kind, key)"
        " select 'contacts', gen_random_uuid(), 'email', $1 from generate_series(1, $2::int)",
        email,
        MANY,
    )


async def test_a_lead_finds_its_contact_among_many_with_its_address(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    emails = [{"address": SHARED}]
    contact = await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"], emails=emails)
    lead = await make(administrator, "leads", company_name="Acme", emails=emails)
    await share(SHARED)
    answer = await administrator.post(f"/v1/leads/{lead['id']}/convert", json={"customer_id": customer["id"]})
    assert (answer.status_code, answer.json()["contact_id"]) == (200, contact["id"])


async def test_whoever_asks_to_be_let_in_may_know_an_address_that_many_have(
    people: People, administrator: Client
) -> None:
    customer = await make(administrator, "customers", name="Acme", owner_id=str(administrator.user_id))
    emails = [{"address": SHARED}]
    await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"], emails=emails)
    await share(SHARED)
    client = await people.client(await people.user("sales"))
    asked = await client.post("/v1/access-requests", json={"email": SHARED, "reason": "They called me"})
    assert asked.status_code == 202, asked.text
    [request] = (await administrator.get("/v1/access-requests", params={"mine": "false"})).json()["items"]
    assert request["customer_id"] == customer["id"]


async def test_an_assignment_with_many_reasons_is_explained(people: People, administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme", owner_id=str(administrator.user_id))
    await execute(
        "insert into assignment_reasons (customer_id, user_id, entity, record_id)"
        " select $1, $2, 'activities', gen_random_uuid() from generate_series(1, $3::int)",
        customer["id"],
        administrator.user_id,
        MANY,
    )
    person = await people.user("sales")
    asked = {"user_id": str(person), "entity": "customers", "id": customer["id"], "action": "read"}
    answer = await administrator.get("/v1/access/explain", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (200, "not_found"), answer.text
