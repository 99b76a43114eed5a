"""Files of opportunities: where a row leads, and what it must say."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from app import clock
from tests.api.records import make, problems
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


async def test_what_is_about_opportunities_goes_with_each_to_the_customer_that_its_row_names(
    administrator: Client,
) -> None:
    names = ("Acme", "Beta", "Gamma")
    ids = {name: (await make(administrator, "customers", name=name))["id"] for name in names}
    old = await make(administrator, "contacts", last_name="Ruiz", customer_id=ids["Acme"])
    columns = {"id": ["external_id", "name"], "customer": "customer"}
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": columns}
    await loaded(administrator, "opportunities", "id,customer\n" + "".join(f"{name},Acme\n" for name in names), mapping)
    deals = {each["name"]: each["id"] for each in await everything(administrator, "/v1/opportunities")}
    calls, letters = {}, {}
    for day, name in enumerate(names, 1):
        about = {"subject": "Press", "opportunity_id": deals[name]}
        plan = {"due_at": f"2030-01-0{day}T10:00:00Z", "contacts": [{"contact_id": old["id"]}]}
        calls[name] = await make(administrator, "activities", kind="call", **about, **plan)
        letters[name] = await make(administrator, "messages", channel="phone", contact_id=old["id"], **about)
    file = "id,customer\n" + "".join(f"{name},{name}\n" for name in names)
    done = await loaded(administrator, "opportunities", file, mapping)
    assert (done["counts"]["updated"], done["counts"]["unchanged"]) == (2, 1)

    for name in names:
        stayed = name == "Acme"
        call = (await administrator.get(f"/v1/activities/{calls[name]['id']}")).json()
        letter = (await administrator.get(f"/v1/messages/{letters[name]['id']}")).json()
        assert (call["customer_id"], call["version"]) == (ids[name], 1 if stayed else 2)
        assert [each["contact_id"] for each in call["contacts"]] == ([old["id"]] if stayed else [])
        assert (letter["customer_id"], letter["contact_id"]) == (ids[name], old["id"] if stayed else None)
        customer = (await administrator.get(f"/v1/customers/{ids[name]}")).json()
        assert customer["next_activity_at"] == call["due_at"]
        told = await everything(administrator, f"/v1/customers/{ids[name]}/timeline")
        assert {
            each["record_id"] for each in told if each["entity"] in ("opportunities", "activities", "messages")
        } == {
            deals[name],
            calls[name]["id"],
            letters[name]["id"],
        }


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


async def test_stays_follow_one_another_though_a_file_closes_before_the_last_one_began(administrator: Client) -> None:
    url = "/v1/opportunities/by/erp/1"
    made = (await administrator.put(url, json={"name": "1", "opened_at": "2026-01-01T11:00:00Z"})).json()
    moved = await administrator.post(f"/v1/opportunities/{made['id']}/stage", json={"stage": "qualification"})
    since = moved.json()["stage_entered_at"]
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {"id": ["external_id", "name"], "closed": "closed_at", "amount": "amount"},
        "constants": {"stage": "lost", "lost_reason": "price"},
    }
    for day, amount in (("2026-02-01", ""), ("2026-02-02", ""), ("2026-02-02", "5")):
        file = f"id,closed,amount\n1,{day},{amount}\n"
        assert (await loaded(administrator, "opportunities", file, mapping))["counts"]["updated"] == 1
        assert (await loaded(administrator, "opportunities", file, mapping))["counts"]["unchanged"] == 1
        read = (await administrator.get(f"/v1/opportunities/{made['id']}")).json()
        assert (read["closed_at"], read["stage_entered_at"]) == (f"{day}T11:00:00.000000Z", since)
        stays = (await administrator.get(f"/v1/opportunities/{made['id']}/stages")).json()["items"]
        told = [(stay["stage"], stay["entered_at"], stay["left_at"]) for stay in stays]
        assert told[1:] == [("qualification", since, since), ("lost", since, None)]


async def test_nothing_was_opened_or_closed_later_than_today(administrator: Client) -> None:
    now = clock.now().astimezone(ZoneInfo("Europe/Madrid"))
    today, later = f"{now:%F} 23:59", f"{now + timedelta(days=2):%F}"
    columns = {"name": "name", "opened": "opened_at", "stage": "stage", "closed": "closed_at", "why": "lost_reason"}
    rows = [f"A,{today},,,", f"B,{later},,,", f"C,2026-01-01,lost,{today},price", f"D,2026-01-01,lost,{later},price"]
    file = "name,opened,stage,closed,why\n" + "\n".join(rows)
    done = await loaded(administrator, "opportunities", file, {"columns": columns})
    told = [(each["row"], each["field"], each["code"]) for each in await errors_of(administrator, done)]
    assert told == [(3, "opened_at", "in_the_future"), (5, "closed_at", "in_the_future")]
    assert done["counts"]["created"] == 2
    values = {"name": "V", "opened_at": f"{later}T11:00:00Z"}
    assert problems(await administrator.post("/v1/opportunities", json=values)) == {("/opened_at", "in_the_future")}
    columns = {"subject": "subject", "done": "done_at"}
    calls = {"columns": columns, "constants": {"kind": "call", "outcome": "reached"}}
    done = await loaded(administrator, "activities", f"subject,done\nA,{today}\nB,{later}\n", calls)
    told = [(each["row"], each["field"], each["code"]) for each in await errors_of(administrator, done)]
    assert told == [(3, "done_at", "in_the_future")], "a day alone is noon of it, which may be yet to come"


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


async def test_a_file_that_gives_another_currency_gives_the_amounts_its_digits(administrator: Client) -> None:
    gtx = await make(administrator, "products", name="GTX", price="50")
    lines = [{"product_id": gtx["id"], "unit_price": "9.99"}, {"product_id": gtx["id"]}]
    for name, amount in (("A", "100.40"), ("B", None)):
        values = {"name": name, "amount": amount, "currency": "EUR", "lines": lines}
        assert (await administrator.put(f"/v1/opportunities/by/erp/{name}", json=values)).status_code == 201
    columns = {"name": ["external_id", "name"], "currency": "currency"}
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": columns}
    for currency, amount, price in (("JPY", "100", ["10", "50"]), ("EUR", "100.00", ["10.00", "50.00"])):
        file = f"name,currency\nA,{currency}\nB,{currency}\n"
        assert (await loaded(administrator, "opportunities", file, mapping))["counts"]["updated"] == 2
        assert (await loaded(administrator, "opportunities", file, mapping))["counts"]["unchanged"] == 2
        for each in await everything(administrator, "/v1/opportunities"):
            read = (await administrator.get(f"/v1/opportunities/{each['id']}")).json()
            assert read["amount"] == (amount if read["name"] == "A" else None)
            assert [line["unit_price"] for line in read["lines"]] == price
