"""Files of opportunities: where a row leads, and what it must say."""

from tests.conftest import Client
from tests.loading import errors_of, everything, loaded


async def test_an_opportunity_follows_its_file_to_another_stage_owner_and_customer(administrator: Client) -> None:
    await loaded(
        administrator, "customers", "name,sector\nAcme,\nBeta,\n", {"columns": {"name": "name", "sector": None}}
    )
    people = {"columns": {"login": ["username", "name"]}, "constants": {"profile_id": "sales"}}
    await loaded(administrator, "users", "login\nana\nbea\n", people)
    await loaded(administrator, "products", "name,price\nGTX,50\n", {"columns": {"name": "name", "price": "price"}})
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {
            "id": ["external_id", "name"],
            "owner": "owner",
            "customer": "customer",
            "stage": "stage",
            "opened": "opened_at",
            "closed": "closed_at",
            "amount": "amount",
            "product": "lines.product",
            "quantity": "lines.quantity",
        },
    }
    header = "id,owner,customer,stage,opened,closed,amount,product,quantity\n"
    options = {"date_order": "dmy"}
    first = header + "1,ana,Acme,proposal,01/02/2026,,,GTX,2\n"
    assert (await loaded(administrator, "opportunities", first, mapping, options))["counts"]["created"] == 1
    assert (await loaded(administrator, "opportunities", first, mapping, options))["counts"]["unchanged"] == 1
    later = header + "1,bea,Beta,won,01/02/2026,05/03/2026,100,GTX,3\n"
    assert (await loaded(administrator, "opportunities", later, mapping, options))["counts"]["updated"] == 1
    assert (await loaded(administrator, "opportunities", later, mapping, options))["counts"]["unchanged"] == 1
    (opportunity,) = await everything(administrator, "/v1/opportunities")
    read = (await administrator.get(f"/v1/opportunities/{opportunity['id']}")).json()
    assert (read["stage"], read["closed_at"], read["amount"]) == ("won", "2026-03-05T11:00:00.000000Z", "100.00")
    assert (read["probability"], read["version"], read["opened_at"]) == (100, 2, "2026-02-01T11:00:00.000000Z")
    assert [(each["quantity"], each["unit_price"]) for each in read["lines"]] == [("3", "50.00")]
    stays = (await administrator.get(f"/v1/opportunities/{opportunity['id']}/stages")).json()["items"]
    assert [(each["stage"], each["entered_at"]) for each in stays] == [
        ("proposal", "2026-02-01T11:00:00.000000Z"),
        ("won", "2026-03-05T11:00:00.000000Z"),
    ]
    acme, beta = [
        (await administrator.get(f"/v1/customers/{each['id']}")).json()
        for each in await everything(administrator, "/v1/customers", sort="name")
    ]
    assert (acme["assignees"], acme["assigned"]) == ([], False)
    assert [each["user_id"] for each in beta["assignees"]] == [read["owner_id"]]
    timeline = (await administrator.get(f"/v1/customers/{beta['id']}/timeline")).json()["items"]
    assert "opportunity.stage_changed" in [each["type"] for each in timeline]


async def test_a_won_row_needs_customer_and_amount_and_a_lost_one_a_reason(administrator: Client) -> None:
    mapping = {"columns": {"name": "name", "stage": "stage", "amount": "amount"}}
    done = await loaded(
        administrator, "opportunities", "name,stage,amount\nA,won,1\nB,lost,1\nC,wonn,1\nD,,\n", mapping
    )
    assert (done["counts"]["created"], done["counts"]["refused"]) == (1, 3)
    errors = [
        (each["row"], each["field"], each["code"], each["nearest"]) for each in await errors_of(administrator, done)
    ]
    assert errors == [
        (2, "customer_id", "required_information", None),
        (3, "lost_reason", "required_information", None),
        (4, "stage", "unknown_option", "won"),
    ]


async def test_another_day_of_closing_corrects_the_stays(administrator: Client) -> None:
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {"id": ["external_id", "name"], "opened": "opened_at", "closed": "closed_at"},
        "constants": {"stage": "lost", "lost_reason": "price", "closed_from": "proposal"},
    }
    header = "id,opened,closed\n"
    other = "2,2026-02-01,2026-03-05\n"
    first = header + "1,2026-02-01,2026-03-05\n" + other
    assert (await loaded(administrator, "opportunities", first, mapping))["counts"]["created"] == 2
    corrected = header + "1,2026-02-01,2026-04-06\n" + other
    counts = (await loaded(administrator, "opportunities", corrected, mapping))["counts"]
    assert (counts["updated"], counts["unchanged"]) == (1, 1)
    days = {}
    for each in await everything(administrator, "/v1/opportunities"):
        assert each["closed_at"] == each["stage_entered_at"]
        stays = (await administrator.get(f"/v1/opportunities/{each['id']}/stages")).json()["items"]
        days[each["name"]] = [(stay["stage"], stay["entered_at"][:10], (stay["left_at"] or "")[:10]) for stay in stays]
    assert days == {
        "1": [("proposal", "2026-02-01", "2026-04-06"), ("lost", "2026-04-06", "")],
        "2": [("proposal", "2026-02-01", "2026-03-05"), ("lost", "2026-03-05", "")],
    }


async def test_the_ledger_tells_of_each_line_what_is_known_and_what_is_not(administrator: Client) -> None:
    await loaded(administrator, "customers", "name\nAcme\n", {"columns": {"name": "name"}})
    products = "name,price,currency\nGTX,50,EUR\nMG,7,USD\n"
    columns = {"name": "name", "price": "price", "currency": "currency"}
    await loaded(administrator, "products", products, {"columns": columns})
    columns = {"name": "name", "customer": "customer", "product": "lines.product", "currency": "currency"}
    file = "name,customer,product,currency\nA,Acme,GTX,EUR\nB,Acme,MG,EUR\nC,Acme,,EUR\n"
    assert (await loaded(administrator, "opportunities", file, {"columns": columns}))["counts"]["created"] == 3
    told = {}
    for each in await everything(administrator, "/v1/opportunities"):
        read = (await administrator.get(f"/v1/opportunities/{each['id']}")).json()
        timeline = (await administrator.get(f"/v1/customers/{read['customer_id']}/timeline")).json()["items"]
        (created,) = [line for line in timeline if line["record_id"] == each["id"]]
        assert created["changes"]["customer_id"] == [None, read["customer_id"]]
        assert created["changes"].get("lines", [None, []]) == [None, read["lines"]]
        told[each["name"]] = [line["unit_price"] for line in read["lines"]]
    assert told == {"A": ["50.00"], "B": [None], "C": []}, "a price in another currency is none"
