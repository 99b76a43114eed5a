"""Files of records, sent in and loaded."""

import asyncio
from typing import Any

from tests.conftest import Client, People
from tests.loading import errors_of, everything, loaded, send, total, work

CUSTOMERS = {"match_on": "name", "columns": {"name": "name", "sector": "sector"}}


async def test_a_file_becomes_records_with_numbers_events_and_keys(administrator: Client) -> None:
    mapping = {
        "match_on": "external_id",
        "external_system": "erp",
        "columns": {
            "id": "external_id",
            "name": "name",
            "phone": "phones.number",
            "mail": "emails.address",
            "town": "addresses.city",
            "country": "addresses.country",
            "tags": "tags",
            "notes": None,
        },
        "constants": {"lifecycle_stage": "potential"},
    }
    file = "id;name;phone;mail;town;country;tags;notes\n7;Muñoz Hnos.;912345678;Ana@Munoz.es;Madrid;España;a,b;x\n"
    done = await loaded(administrator, "customers", file.encode("cp1252"), mapping)
    assert done["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 0, "merged": 0}
    assert (done["rows"], done["file_name"], done["state"]) == (1, "file.csv", "done")
    (customer,) = await everything(administrator, "/v1/customers")
    read = (await administrator.get(f"/v1/customers/{customer['id']}")).json()
    assert read["name"] == "Muñoz Hnos."
    assert read["number"] == "C-000001"
    assert read["source"] == "import"
    assert read["phones"] == [{"kind": "landline", "number": "+34912345678", "primary": True}]
    assert [each["address"] for each in read["emails"]] == ["Ana@munoz.es"]
    assert (read["country"], read["municipality"], read["tags"]) == ("ES", "Madrid", ["a", "b"])
    assert read["external_ids"] == [{"system": "erp", "external_id": "7"}]
    assert read["lifecycle_stage_entered_at"] is not None
    assert (read["owner_id"], read["assigned"]) == (None, False)
    timeline = (await administrator.get(f"/v1/customers/{customer['id']}/timeline")).json()["items"]
    assert [(each["type"], each["source"]) for each in timeline] == [("customer.created", "import")]
    assert timeline[0]["changes"]["name"] == [None, "Muñoz Hnos."]
    assert timeline[0]["changes"]["number"] == [None, "C-000001"]


async def test_rows_that_share_a_key_are_one_record_whose_lists_collect(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "mail": "emails.address", "sector": "sector"}}
    file = "name,mail,sector\nAcme,a@acme.test,retail\nBeta,b@beta.test,\nACME,c@acme.test,finance\n"
    done = await loaded(administrator, "customers", file, mapping)
    assert done["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 0, "merged": 1}
    (acme,) = (await administrator.get("/v1/customers", params={"sector": "finance"})).json()["items"]
    assert acme["name"] == "ACME"
    assert [each["address"] for each in acme["emails"]] == ["a@acme.test", "c@acme.test"]
    assert (await loaded(administrator, "customers", file, mapping))["counts"]["unchanged"] == 2


async def test_an_unchanged_row_writes_nothing_and_a_changed_one_a_version_and_an_event(administrator: Client) -> None:
    await loaded(administrator, "customers", "name,sector\nAcme,retail\nBeta,finance\n", CUSTOMERS)
    done = await loaded(administrator, "customers", "name,sector\nAcme,medical\nBeta,\n", CUSTOMERS)
    assert done["counts"] == {"created": 0, "updated": 1, "unchanged": 1, "refused": 0, "merged": 0}
    acme, beta = await everything(administrator, "/v1/customers", sort="name")
    assert (acme["sector"], acme["version"]) == ("medical", 2)
    assert (beta["sector"], beta["version"]) == ("finance", 1), "an empty cell says nothing"
    timeline = (await administrator.get(f"/v1/customers/{acme['id']}/timeline")).json()["items"]
    assert [each["type"] for each in timeline] == ["customer.changed", "customer.created"]
    assert timeline[0]["changes"] == {"sector": ["retail", "medical"]}


async def test_what_the_record_has_beyond_the_file_stays(administrator: Client) -> None:
    mapping = {
        "match_on": "name",
        "columns": {"name": "name", "country": "addresses.country", "phone": "phones.number"},
    }
    await loaded(administrator, "customers", "name,country,phone\nAcme,ES,912345678\n", mapping)
    (acme,) = await everything(administrator, "/v1/customers")
    addresses = [{"kind": "main", "country": "ES", "city": "Madrid"}, {"kind": "shipping", "country": "IT"}]
    body = {"addresses": addresses, "legal_name": "Acme SL"}
    assert (await administrator.patch(f"/v1/customers/{acme['id']}", json=body)).status_code == 200
    again = await loaded(administrator, "customers", "name,country,phone\nAcme,ES,912345678\n", mapping)
    assert again["counts"]["unchanged"] == 1
    await loaded(administrator, "customers", "name,country,phone\nAcme,PT,913333333\n", mapping)
    read = (await administrator.get(f"/v1/customers/{acme['id']}")).json()
    assert [(each["kind"], each["city"], each["country"]) for each in read["addresses"]] == [
        ("main", "Madrid", "PT"),
        ("shipping", None, "IT"),
    ]
    assert [each["number"] for each in read["phones"]] == ["+34912345678", "+351913333333"]
    assert (read["country"], read["legal_name"]) == ("PT", "Acme SL")
    found = await administrator.get("/v1/customers", params={"q": "acme sl"})
    assert len(found.json()["items"]) == 1, "what is searched still has the legal name"


async def test_a_row_may_name_a_later_row_and_falls_with_it(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "parent": "parent", "sector": "sector"}}
    file = "name,parent,sector\nChild,Parent,\nParent,,\nGrandchild,Bad,\nBad,,no such sector\nGreat,Grandchild,\n"
    done = await loaded(administrator, "customers", file, mapping)
    assert done["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 3, "merged": 0}
    child, parent = await everything(administrator, "/v1/customers", sort="name")
    assert child["parent_id"] == parent["id"]
    errors = {
        error["row"]: (error["column"], error["code"], error["value"]) for error in await errors_of(administrator, done)
    }
    assert errors == {
        4: ("parent", "unknown_reference", "Bad"),
        5: ("sector", "unknown_option", "no such sector"),
        6: ("parent", "unknown_reference", "Grandchild"),
    }


async def test_a_refused_row_says_where_why_and_what_was_probably_meant(administrator: Client) -> None:
    mapping = {
        "columns": {
            "name": "name",
            "sector": "sector",
            "staff": "employees",
            "mail": "emails.address",
            "parent": "parent",
        }
    }
    file = "name,sector,staff,mail,parent\nOne,technolgy,many,nobody,\n,retail,,,\nTwo,retail,5,,\n"
    done = await loaded(administrator, "customers", file, mapping)
    assert (done["counts"]["created"], done["counts"]["refused"]) == (1, 2)
    errors = await errors_of(administrator, done, limit=2)
    said = [(each["row"], each["column"], each["field"], each["code"], each["value"]) for each in errors]
    assert said == [
        (2, "staff", "employees", "number", "many"),
        (2, "mail", "emails.address", "email", "nobody"),
        (3, "name", "name", "required_information", ""),
    ]
    done = await loaded(administrator, "customers", "name,sector\nOne,technolgy\n", {"columns": CUSTOMERS["columns"]})
    (error,) = await errors_of(administrator, done)
    assert (error["column"], error["code"], error["value"], error["nearest"]) == (
        "sector",
        "unknown_option",
        "technolgy",
        "technology",
    )


async def test_a_dry_run_counts_and_writes_nothing(administrator: Client) -> None:
    await loaded(administrator, "customers", "name,sector\nAcme,retail\n", CUSTOMERS)
    file = "name,sector\nAcme,finance\nBeta,retail\nGamma,nonsense\n"
    done = await loaded(administrator, "customers", file, CUSTOMERS, {"dry_run": True})
    assert done["state"] == "checked"
    assert done["counts"] == {"created": 1, "updated": 1, "unchanged": 0, "refused": 1, "merged": 0}
    assert len(await errors_of(administrator, done)) == 1
    (acme,) = await everything(administrator, "/v1/customers")
    assert (acme["sector"], acme["version"]) == ("retail", 1)


async def test_what_cannot_be_is_refused_before_anything_is_kept(administrator: Client) -> None:
    async def refusal(
        entity: str, mapping: dict[str, Any], file: str = "name\nAcme\n", **options: Any
    ) -> tuple[int, list[str]]:
        answer = await send(administrator, entity, file, mapping, options)
        return answer.status_code, [f"{each['pointer']} {each['code']}" for each in answer.json()["errors"]]

    assert await refusal("invoices", {"columns": {"name": "name"}}) == (422, ["/entity unknown_entity"])
    assert await refusal("customers", {"columns": {"name": "nmae"}}) == (422, ["/mapping/columns/name unknown_field"])
    assert await refusal("customers", {"columns": {"name": "assigned"}}) == (
        422,
        ["/mapping/columns/name unknown_field"],
    )
    assert await refusal("customers", {"columns": {"name": "addresses"}}) == (
        422,
        ["/mapping/columns/name unknown_field"],
    )
    assert await refusal("customers", {"columns": {"name": {"to": "owner", "by": "shoe size"}}}) == (
        422,
        ["/mapping/columns/name unknown_key"],
    )
    assert await refusal("customers", {"columns": {"name": "name", "town": None}}) == (
        422,
        ["/mapping/columns unknown_column"],
    )
    assert await refusal("customers", {"columns": {"name": "name"}}, "name,town\nAcme,Madrid\n") == (
        422,
        ["/mapping/columns unmapped_column"],
    )
    assert await refusal("customers", {"match_on": "name", "columns": {"name": None}}) == (
        422,
        ["/mapping/match_on unmapped"],
    )
    assert await refusal("customers", {"columns": {"name": "external_id"}}) == (
        422,
        ["/mapping/external_system external_system"],
    )
    assert (await refusal("customers", {"columns": {"name": "name"}}, date_order="ydm"))[0] == 422
    assert (await refusal("customers", {"columns": {"name": "name"}}, ""))[0] == 422
    assert await total(administrator, "/v1/imports") == 0


async def test_the_wrong_profile_or_a_hidden_field_is_forbidden(people: People) -> None:
    sales = await people.client(await people.user("sales"))
    manager = await people.client(await people.user("manager"))
    assert (await send(sales, "customers", "name,sector\nAcme,\n", CUSTOMERS)).status_code == 403
    assert (await send(manager, "users", "name\nAna\n", {"columns": {"name": "name"}})).status_code == 403
    answer = await send(
        manager, "customers", "name,limit\nAcme,1\n", {"columns": {"name": "name", "limit": "credit_limit"}}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "field_hidden")


async def test_matching_is_within_reach_and_beyond_it_only_a_taken_key_shows(
    people: People, administrator: Client
) -> None:
    mapping = {"match_on": "external_id", "external_system": "erp", "columns": {"id": "external_id", "name": "name"}}
    by_name = {"match_on": "name", "columns": {"name": "name"}}
    stranger = await people.user("sales", username="stranger")
    owned = mapping | {"columns": mapping["columns"] | {"owner": {"to": "owner", "by": "username"}}}  # type: ignore[operator]
    done = await loaded(administrator, "customers", "id,name,owner\n1,Acme,stranger\n", owned)
    assert done["counts"]["created"] == 1
    assert [each["id"] for each in await everything(await people.client(stranger), "/v1/customers")]
    manager = await people.client(await people.user("manager"))
    done = await loaded(manager, "customers", "id,name\n1,Acme\n2,Beta\n", mapping)
    assert (done["counts"]["created"], done["counts"]["refused"]) == (1, 1)
    (error,) = await errors_of(manager, done)
    assert (error["row"], error["code"], error["column"], error["nearest"]) == (2, "taken", "id", None)
    assert (await loaded(manager, "customers", "name\nAcme\n", by_name))["counts"]["created"] == 1
    names = {"match_on": "name", "columns": {"name": "name", "parent": "parent"}}
    done = await loaded(manager, "customers", "name,parent\nGamma,Acme\nDelta,Akme\n", names)
    (error,) = await errors_of(manager, done)
    assert (error["row"], error["code"], error["nearest"]) == (3, "unknown_reference", "Acme"), "their own Acme only"


async def test_a_unique_value_that_is_taken_refuses_the_row(administrator: Client) -> None:
    mapping = {"match_on": "name", "columns": {"name": "name", "tax": "tax_id"}}
    await loaded(administrator, "customers", "name,tax\nAcme,B1\n", mapping)
    done = await loaded(administrator, "customers", "name,tax\nBeta,B1\nGamma,B2\nDelta,B2\nAcme,B1\n", mapping)
    assert done["counts"] == {"created": 1, "updated": 0, "unchanged": 1, "refused": 2, "merged": 0}
    errors = [(each["row"], each["column"], each["code"]) for each in await errors_of(administrator, done)]
    assert errors == [(2, "tax", "duplicate"), (4, "tax", "duplicate")]


async def test_people_with_managers_are_loaded_and_loops_refused(people: People, administrator: Client) -> None:
    mapping = {
        "match_on": "username",
        "columns": {"login": ["username", "name"], "boss": {"to": "manager", "by": "username"}},
        "constants": {"profile_id": "manager"},
    }
    file = "login,boss\nana,bea\nbea,\ncarl,dora\ndora,carl\n"
    done = await loaded(administrator, "users", file, mapping)
    assert (done["counts"]["created"], done["counts"]["refused"]) == (2, 2)
    assert {(each["row"], each["code"]) for each in await errors_of(administrator, done)} == {(4, "loop"), (5, "loop")}
    users = {each["username"]: each for each in await everything(administrator, "/v1/users")}
    assert users["ana"]["manager_id"] == users["bea"]["id"]
    await loaded(administrator, "customers", "name,owner\nAcme,ana\n", {"columns": {"name": "name", "owner": "owner"}})
    from uuid import UUID

    bea = await people.client(UUID(users["bea"]["id"]))
    assert await total(bea, "/v1/customers") == 1, "a manager reaches what their team reaches, at once"


async def test_a_file_that_cannot_be_read_fails_and_says_why(administrator: Client) -> None:
    wrong = "name,sector\n" + "x" * 40_000 + ",retail\n"
    sent = await send(administrator, "customers", wrong, CUSTOMERS)
    assert sent.status_code == 202, sent.text
    await work()
    failed = (await administrator.get(sent.headers["location"])).json()
    assert (failed["state"], failed["failure_code"]) == ("failed", "cell_too_long")
    assert "32768" in failed["failure"]
    found = (await administrator.get("/v1/imports?failure_code=cell_too_long")).json()["items"]
    assert [each["id"] for each in found] == [failed["id"]]
    assert await total(administrator, "/v1/customers") == 0


async def test_an_import_is_seen_by_who_sent_it_and_its_errors_by_nobody_else(people: People) -> None:
    one, other = [await people.client(await people.user("manager")) for _ in range(2)]
    done = await loaded(one, "customers", "name,sector\nAcme,nonsense\n", CUSTOMERS)
    assert len(await errors_of(one, done)) == 1
    assert await total(one, "/v1/imports") == 1
    assert (await other.get(f"/v1/imports/{done['id']}")).status_code == 404
    assert (await other.get(f"/v1/imports/{done['id']}/errors")).status_code == 404


async def test_single_writes_go_on_while_a_file_loads(administrator: Client) -> None:
    rows = "".join(f"Customer {number},retail\n" for number in range(5_000))
    await loaded(administrator, "customers", "name,sector\nAcme,retail\n", CUSTOMERS)
    (acme,) = await everything(administrator, "/v1/customers")
    sent = await send(administrator, "customers", "name,sector\nAcme,retail\n" + rows, CUSTOMERS)
    loading = asyncio.create_task(work())
    written = 0
    while not loading.done():
        changed = await administrator.patch(f"/v1/customers/{acme['id']}", json={"employees": written})
        created = await administrator.post("/v1/customers", json={"name": f"Single {written}"})
        assert (changed.status_code, created.status_code) == (200, 201)
        written += 1
    await loading
    assert written > 5
    done = (await administrator.get(sent.headers["location"])).json()
    assert (done["counts"]["created"], done["counts"]["unchanged"]) == (5_000, 1)
