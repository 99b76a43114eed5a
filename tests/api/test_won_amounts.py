"""What was won by month and owner: of what the caller sees, in the company's months."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.api.records import TO_WON, make, opportunity, problems
from tests.conftest import Client
from tests.contracts.worlds import execute

PATH = "/v1/reports/won-amounts"


async def items(client: Client, **parameters: str) -> list[tuple[Any, ...]]:
    answer = await client.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.text
    names = ("month", "owner_id", "currency", "opportunities", "amount")
    return [tuple(each[name] for name in names) for each in answer.json()["items"]]


async def win(client: Client, customer: dict[str, Any], at: str, amount: str, **values: Any) -> str:
    """The id of an opportunity of the customer that was won then."""
    id = await opportunity(client, *TO_WON, customer_id=customer["id"], amount=amount, **values)
    await execute("update opportunities set closed_at = $1 where id = $2", datetime.fromisoformat(at), UUID(id))
    return id


async def test_what_is_won_is_added_up_by_the_companys_months_and_by_owner(
    as_profile: Any, administrator: Client
) -> None:
    ana, ben, support = await as_profile("sales"), await as_profile("sales"), await as_profile("support")
    first, second = sorted(str(each.user_id) for each in (ana, ben))
    owners = {str(each.user_id): each for each in (ana, ben)}
    customers = {id: await make(owners[id], "customers", name="Acero") for id in (first, second)}
    assert await items(administrator) == []

    # In Madrid a month begins an hour before it does in UTC, in summer two.
    await win(ana, customers[str(ana.user_id)], "2026-01-31T22:59:59Z", "100.10")
    await win(ana, customers[str(ana.user_id)], "2026-01-31T22:59:59Z", "0.05")
    for id in (first, second):
        await win(owners[id], customers[id], "2026-01-31T23:00:00Z", "1000")
        await win(owners[id], customers[id], "2026-01-31T23:00:00Z", "7", currency="USD")
        await opportunity(owners[id], "lost", customer_id=customers[id]["id"], amount="5000")
    of_nobody = await win(administrator, customers[first], "2026-06-30T22:00:00Z", "3", owner_id=None)
    gone = await win(administrator, customers[first], "2026-06-30T22:00:00Z", "9999", owner_id=first)
    assert (await administrator.delete(f"/v1/opportunities/{gone}")).status_code == 204
    await make(ana, "opportunities", name="Open", customer_id=customers[str(ana.user_id)]["id"], amount="5000")

    january = [("2026-01", str(ana.user_id), "EUR", 2, "100.15")]
    february = [
        ("2026-02", id, *money) for id in (first, second) for money in (("EUR", 1, "1000.00"), ("USD", 1, "7.00"))
    ]
    july = [("2026-07", None, "EUR", 1, "3.00")]
    assert await items(administrator) == january + february + july
    assert await items(administrator, **{"from": "2026-02"}) == february + july
    assert await items(administrator, to="2026-01") == january
    assert await items(administrator, **{"from": "2026-02", "to": "2026-06"}) == february
    assert await items(administrator, **{"from": "1900-01", "to": "2199-12"}) == january + february + july
    assert await items(administrator, **{"from": "2026-08", "to": "2027-01"}) == []

    # Each the opportunities of their customers, whoever's those are.
    mine = [each for each in january + february if each[1] == first]
    assert await items(owners[first]) == mine + july
    assert await items(owners[second]) == [each for each in january + february if each[1] == second]
    refused = await support.get(PATH)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    # As they are now: reopened, it is not won any more; in another zone, it was another month.
    reopened = await administrator.post(f"/v1/opportunities/{of_nobody}/stage", json={"stage": "negotiation"})
    assert reopened.status_code == 200, reopened.text
    assert (await administrator.patch("/v1/settings", json={"time_zone": "America/New_York"})).status_code == 200
    moved = await items(administrator)
    assert {each[0] for each in moved} == {"2026-01"}
    assert [each[1:] for each in moved if each[2] == "USD"] == [each[1:] for each in february if each[2] == "USD"]


async def test_months_that_are_none_are_refused(administrator: Client) -> None:
    for month in ("2026", "2026-13", "2026-00", "2026-1", "1899-12", "2200-01", "2026-01-01", "", "٢٠٢٦-01"):
        for name in ("from", "to"):
            found = problems(await administrator.get(PATH, params={name: month}))
            assert found == {(f"/query/{name}", "string_pattern_mismatch")}, month
    backwards = await administrator.get(PATH, params={"from": "2026-02", "to": "2026-01"})
    assert problems(backwards) == {("/query/to", "ends_before_it_starts")}
    misspelt = await administrator.get(PATH, params={"form": "2026-01"})
    assert problems(misspelt) == {("/query/form", "unknown_parameter")}
