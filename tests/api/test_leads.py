"""Leads over HTTP: what they begin with, how they move, how they are found."""

from typing import Any

from sqlalchemy import text

from app.db.session import transaction
from tests.api.records import at_once, found, make, problems
from tests.conftest import Client
from tests.loading import errors_of, everything, loaded


async def move(client: Client, id: str, stage: str, **values: Any) -> Any:
    return await client.post(f"/v1/leads/{id}/stage", json={"stage": stage} | values)


async def rows(statement: str, **values: Any) -> list[Any]:
    async with transaction("system") as session:
        return list((await session.execute(text(statement), values)).all())


async def test_a_lead_begins_in_the_first_stage_and_is_named_by_what_is_known(administrator: Client) -> None:
    made = await make(administrator, "leads", first_name="Ana", last_name="Ruiz", company_name="Acme")
    assert (made["name"], made["stage"], made["stage_kind"]) == ("Ana Ruiz, Acme", "new", "open")
    assert (made["owner_id"], made["utm"], made["customer_id"]) == (str(administrator.user_id), {}, None)
    assert (await make(administrator, "leads", emails=[{"address": "x@acme.es"}]))["name"] == "x@acme.es"
    called = await make(administrator, "leads", phones=[{"number": "912 345 678"}])
    assert (called["name"], called["phones"][0]["number"]) == ("+34912345678", "+34912345678")
    nobody = await administrator.post("/v1/leads", json={"title": "Somebody asks"})
    assert problems(nobody) == {("/last_name", "required_information")}
    url = f"/v1/leads/{made['id']}"
    assert (await administrator.patch(url, json={"last_name": None, "first_name": None})).json()["name"] == "Acme"
    for name in ("stage", "discard_reason", "converted_at", "contact_id", "form_id"):
        assert problems(await administrator.patch(url, json={name: None})) == {(f"/{name}", "read_only_field")}


async def test_a_lead_is_found_by_name_company_e_mail_and_phone(administrator: Client) -> None:
    await make(
        administrator, "leads", first_name="Ana", last_name="Muñoz", company_name="Acme", channel="web_form",
        emails=[{"address": "compras@acme.es"}], phones=[{"number": "+34912345678"}],
    )  # fmt: skip
    await make(administrator, "leads", company_name="Beta", request="quote", channel="phone")
    for q in ("munoz", "acme", "compras@acme.es", "912345678", "ana acme"):
        assert await found(administrator, "leads", q=q) == ["Ana Muñoz, Acme"], q
    assert await found(administrator, "leads", sort="-name") == ["Beta", "Ana Muñoz, Acme"]
    assert await found(administrator, "leads", channel="phone", request="quote", stage="new") == ["Beta"]
    keys = await rows("select kind, key from match_keys where entity = 'leads' order by 1, 2")
    assert [tuple(each) for each in keys] == [
        ("company", "acme"), ("company", "beta"), ("email", "compras@acme.es"), ("name", "ana munoz"),
        ("phone", "+34912345678"),
    ]  # fmt: skip


async def test_a_discarded_lead_needs_a_reason_and_comes_back_by_who_configures_pipelines(
    administrator: Client, as_profile: Any
) -> None:
    seller = await as_profile("sales")
    id = (await make(seller, "leads", last_name="Ruiz"))["id"]
    assert problems(await move(seller, id, "discarded")) == {("/discard_reason", "required_information")}
    wrong = await move(seller, id, "discarded", discard_reason="prise")
    assert problems(wrong) == {("/discard_reason", "unknown_option")}
    assert problems(await move(seller, id, "contacted", discard_reason="price")) == {
        ("/discard_reason", "not_applicable")
    }
    assert problems(await move(seller, id, "nowhere")) == {("/stage", "unknown_option")}
    moved = (await move(seller, id, "contacted", note="They called back")).json()
    assert (moved["stage"], moved["version"]) == ("contacted", 2)
    discarded = (await move(seller, id, "discarded", discard_reason="no_budget")).json()
    assert (discarded["stage_kind"], discarded["discard_reason"]) == ("lost", "no_budget")
    refused = await move(seller, id, "contacted")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    reopened = (await move(administrator, id, "contacted")).json()
    assert (reopened["stage_kind"], reopened["discard_reason"], reopened["converted_at"]) == ("open", None, None)
    history = (await seller.get(f"/v1/leads/{id}/stages")).json()["items"]
    assert [each["stage"] for each in history] == ["new", "contacted", "discarded", "contacted"]
    assert history[1]["note"] == "They called back"
    assert history[-1]["by"] == str(administrator.user_id)
    events = await rows("select type from events where record_id = cast(:id as uuid) order by id", id=id)
    assert [each.type for each in events] == ["lead.created", *["lead.stage_changed"] * 3]


async def test_no_move_leads_to_converted(administrator: Client) -> None:
    id = (await make(administrator, "leads", last_name="Ruiz"))["id"]
    # Not even where the pipeline says so.
    await rows(
        "with s as (update stages set allowed_next = allowed_next || '{converted}' where key = 'new'),"
        " v as (update versions set xid = pg_current_xact_id()) select 1"
    )
    refused = await move(administrator, id, "converted")
    assert (refused.status_code, refused.json()["code"]) == (409, "forbidden_move")
    assert (refused.json()["stage"], refused.json()["allowed"]) == ("new", ["contacted", "discarded"])


async def test_of_fifty_moves_at_once_one_succeeds(administrator: Client) -> None:
    id = (await make(administrator, "leads", last_name="Ruiz"))["id"]
    answers = await at_once(*(move(administrator, id, "contacted") for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [200] + [409] * 49
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"forbidden_move"}
    assert len(await rows("select 1 from stage_stays where record_id = cast(:id as uuid)", id=id)) == 2
    assert (await administrator.get(f"/v1/leads/{id}")).json()["version"] == 2


async def test_a_file_of_leads_is_matched_on_the_e_mail(as_profile: Any) -> None:
    marketing = await as_profile("marketing")
    mapping = {
        "match_on": "email",
        "columns": {"name": "last_name", "mail": "emails.address", "company": "company_name", "by": "channel"},
    }
    header = "name,mail,company,by\n"
    first = header + "Ruiz,ANA@acme.es,Acme,visit\nRossi,eva@vino.it,,phone\n,,,visit\n"
    done = await loaded(marketing, "leads", first, mapping)
    assert done["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 1, "merged": 0}
    assert [(each["row"], each["code"]) for each in await errors_of(marketing, done)] == [(4, "required_information")]
    assert (await loaded(marketing, "leads", first, mapping))["counts"]["unchanged"] == 2
    later = header + "Ruiz,ana@ACME.es,Acme Iberia,visit\n"
    assert (await loaded(marketing, "leads", later, mapping))["counts"]["updated"] == 1
    leads = await everything(marketing, "/v1/leads", sort="name")
    assert [(each["name"], each["stage"], each["source"]) for each in leads] == [
        ("Rossi", "new", "import"), ("Ruiz, Acme Iberia", "new", "import"),
    ]  # fmt: skip
    (stay,) = (await marketing.get(f"/v1/leads/{leads[0]['id']}/stages")).json()["items"]
    assert (stay["stage"], stay["entered_at"], stay["source"]) == ("new", leads[0]["stage_entered_at"], "import")
    refused = await marketing.post("/v1/leads", json={"last_name": "x", "customer_id": leads[0]["id"]})
    assert problems(refused, 404) == {("/customer_id", "not_found")}


async def test_a_lead_is_archived_with_its_activities_and_comes_back_with_them(administrator: Client) -> None:
    lead = (await administrator.put("/v1/leads/by/web/1", json={"last_name": "Ruiz"})).json()
    again = await administrator.put("/v1/leads/by/web/1", json={"job_title": "Buyer"})
    assert (again.status_code, again.json()["id"], again.json()["job_title"]) == (200, lead["id"], "Buyer")
    call = await make(administrator, "activities", kind="call", subject="Call", lead_id=lead["id"])
    assert (await administrator.delete(f"/v1/leads/{lead['id']}")).status_code == 204
    assert (await administrator.get(f"/v1/activities/{call['id']}")).json()["archived_at"] is not None
    refused = await move(administrator, lead["id"], "contacted")
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")
    assert (await administrator.post(f"/v1/leads/{lead['id']}/restore")).status_code == 200
    assert (await administrator.get(f"/v1/activities/{call['id']}")).json()["archived_at"] is None


async def test_the_company_may_ask_for_more_of_a_lead(administrator: Client) -> None:
    answer = await administrator.patch("/v1/settings", json={"minimum_information": {"leads": ["emails", "channel"]}})
    assert answer.status_code == 200, answer.text
    refused = await administrator.post("/v1/leads", json={"last_name": "Ruiz", "channel": "phone"})
    assert problems(refused) == {("/emails", "required_information")}
