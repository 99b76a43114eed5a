"""Who is assigned to a customer, and for which reasons they come and go."""

from typing import Any
from uuid import UUID

from tests.conftest import Client
from tests.contracts.worlds import fetch
from tests.policies.steps import change, create, status


async def assignees(customer: dict[str, Any]) -> dict[UUID, str | None]:
    rows = await fetch("select user_id, role from customer_assignees where customer_id = $1", UUID(customer["id"]))
    return dict(rows)


async def reasons(customer: dict[str, Any]) -> set[tuple[UUID, str]]:
    rows = await fetch("select user_id, record_id from assignment_reasons where customer_id = $1", UUID(customer["id"]))
    return {(user_id, str(record_id)) for user_id, record_id in rows}


async def test_handing_a_customer_over_takes_the_one_away_and_gives_it_the_other(
    administrator: Client, ana: Client, ben: Client
) -> None:
    customer = await create(ana, "customers")
    assert await assignees(customer) == {ana.user_id: "owner"}
    handed = await change(administrator, "customers", customer, owner_id=ben.user_id)
    assert handed.json()["assignees"] == [{"user_id": str(ben.user_id), "role": "owner"}]
    assert await assignees(customer) == {ben.user_id: "owner"}
    assert (await status(ana, "customers", customer), await status(ben, "customers", customer)) == (404, 200)


async def test_who_hands_over_while_responsible_for_something_there_stays(
    administrator: Client, ana: Client, ben: Client
) -> None:
    customer = await create(ana, "customers")
    opportunity = await create(ana, "opportunities", customer_id=customer["id"])
    await change(administrator, "customers", customer, owner_id=ben.user_id)
    assert await assignees(customer) == {ana.user_id: None, ben.user_id: "owner"}
    assert await reasons(customer) == {(ana.user_id, opportunity["id"])}
    assert await status(ana, "customers", customer) == 200
    await change(administrator, "opportunities", opportunity, owner_id=ben.user_id)
    assert await assignees(customer) == {ben.user_id: "owner"}
    assert await status(ana, "customers", customer) == 404


async def test_a_customer_that_nobody_owns_and_nobody_works_for_is_nobodys(administrator: Client, ana: Client) -> None:
    customer = await create(ana, "customers")
    opportunity = await create(ana, "opportunities", customer_id=customer["id"])
    answer = await change(administrator, "customers", customer, owner_id=None)
    assert answer.json()["assigned"] is True
    await administrator.delete(f"/v1/opportunities/{opportunity['id']}")
    assert await assignees(customer) == {}
    assert (await administrator.get(f"/v1/customers/{customer['id']}")).json()["assigned"] is False


async def test_a_reason_ends_when_its_opportunity_is_archived_and_begins_again_when_restored(
    administrator: Client, ana: Client, ben: Client
) -> None:
    customer = await create(ana, "customers")
    opportunity = await create(administrator, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)
    assert await status(ben, "customers", customer) == 200
    await administrator.delete(f"/v1/opportunities/{opportunity['id']}")
    assert (await assignees(customer), await reasons(customer)) == ({ana.user_id: "owner"}, set())
    assert await status(ben, "customers", customer) == 404
    await administrator.post(f"/v1/opportunities/{opportunity['id']}/restore")
    assert await assignees(customer) == {ana.user_id: "owner", ben.user_id: None}
    assert await reasons(customer) == {(ben.user_id, opportunity["id"])}


async def test_a_reason_moves_with_its_opportunity_to_another_customer(
    administrator: Client, ana: Client, ben: Client
) -> None:
    first, second = await create(ana, "customers"), await create(ana, "customers")
    opportunity = await create(administrator, "opportunities", customer_id=first["id"], owner_id=ben.user_id)
    await change(administrator, "opportunities", opportunity, customer_id=second["id"])
    assert await assignees(first) == {ana.user_id: "owner"}
    assert await assignees(second) == {ana.user_id: "owner", ben.user_id: None}
    assert await reasons(second) == {(ben.user_id, opportunity["id"])}
    await change(administrator, "opportunities", opportunity, customer_id=None)
    assert (await assignees(second), await reasons(second)) == ({ana.user_id: "owner"}, set())
    assert await status(ben, "opportunities", opportunity) == 200


async def test_one_of_two_reasons_is_enough(administrator: Client, ana: Client, ben: Client) -> None:
    customer = await create(ana, "customers")
    made = [
        await create(administrator, "opportunities", customer_id=customer["id"], owner_id=ben.user_id) for _ in range(2)
    ]
    await administrator.delete(f"/v1/opportunities/{made[0]['id']}")
    assert await status(ben, "customers", customer) == 200
    await administrator.delete(f"/v1/opportunities/{made[1]['id']}")
    assert await status(ben, "customers", customer) == 404


async def test_archiving_a_customer_ends_the_reasons_and_restoring_it_brings_them_back(
    administrator: Client, ana: Client, ben: Client
) -> None:
    customer = await create(ana, "customers")
    await create(administrator, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)
    before = await assignees(customer), await reasons(customer)
    await administrator.delete(f"/v1/customers/{customer['id']}")
    assert await reasons(customer) == set()
    await administrator.post(f"/v1/customers/{customer['id']}/restore")
    assert (await assignees(customer), await reasons(customer)) == before
