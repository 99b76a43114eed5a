"""A profile that is edited over HTTP: do the fields and the actions that it loses vanish everywhere?"""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.api.records import make, problems
from tests.conftest import Client, People
from tests.contracts.worlds import fingerprint
from tests.loading import send
from tests.policies.steps import create

AsProfile = Callable[..., Awaitable[Client]]
LABELS = {"es": "Otro", "it": "Altro", "en": "Other"}


async def without(administrator: Client, id: str, *, action: str, group: str) -> None:
    """Take the policies of a group away from a profile."""
    url = f"/v1/profiles/{id}"
    policies = (await administrator.get(url)).json()["policies"]
    kept = [each for each in policies if (each["action"], each["field_group"]) != (action, group)]
    assert len(kept) < len(policies)
    assert (await administrator.patch(url, json={"policies": kept})).status_code == 200


async def test_a_field_group_that_a_profile_loses_vanishes_from_every_answer_and_every_question(
    administrator: Client, as_profile: AsProfile
) -> None:
    id = (await create(administrator, "customers", name="Acero", emails=[{"address": "falconer@acero.es"}]))["id"]
    url = f"/v1/customers/{id}"
    for change in ({"sector": "retail"}, {"sector": "medical", "description": "Visible"}):
        assert (await administrator.patch(url, json=change)).status_code == 200
    await make(administrator, "profiles", id="desk", labels=LABELS, copy_of="support")
    policies = (await administrator.get("/v1/profiles/desk")).json()["policies"]
    policies += [
        {"section": "customers", "action": action, "field_group": "segmentation", "reach": None}
        for action in ("read", "update")
    ]
    assert (await administrator.patch("/v1/profiles/desk", json={"policies": policies})).status_code == 200
    ana = await as_profile("desk")

    questions: list[dict[str, str]] = [
        {"sector": "medical"}, {"sort": "sector"}, {"fields": "name,sector"}, {"sector__is_null": "false"},
    ]  # fmt: skip
    assert (await ana.get(url)).json()["sector"] == "medical"
    for question in questions:
        assert len((await ana.get("/v1/customers", params=question)).json()["items"]) == 1, question
    assert len((await ana.get("/v1/customers", params={"q": "falconer"})).json()["items"]) == 1
    assert "medical" in (await ana.get(f"{url}/timeline")).text
    assert (await ana.patch(url, json={"sector": "retail"})).status_code == 200

    await without(administrator, "desk", action="read", group="segmentation")
    await without(administrator, "desk", action="update", group="segmentation")
    await without(administrator, "desk", action="read", group="contact_details")
    read, listed = await ana.get(url), await ana.get("/v1/customers")
    for seen in (read.json(), listed.json()["items"][0]):
        assert seen["name"] == "Acero"
        assert not {"sector", "emails"} & seen.keys()
    for question in questions:
        answer = await ana.get("/v1/customers", params=question)
        assert (answer.status_code, answer.json()["code"]) == (403, "field_hidden"), question
    assert (await ana.get("/v1/customers", params={"q": "falconer"})).json()["items"] == []
    timeline = await ana.get(f"{url}/timeline")
    assert [list(each["changes"]) for each in timeline.json()["items"]][:2] == [[], ["description"]]
    assert not [secret for secret in ("retail", "medical", "falconer") if secret in timeline.text]
    before = await fingerprint()
    written: list[dict[str, Any]] = [
        {"sector": "medical"}, {"sector": None}, {"description": "x", "sector": "retail"},
    ]  # fmt: skip
    for values in written:
        refused = await ana.patch(url, json=values)
        assert problems(refused, 403) == {("/sector", "field_hidden")}
        assert refused.json()["code"] == "field_hidden"
    assert await fingerprint() == before
    sections = (await ana.get("/v1/me")).json()["sections"]["customers"]
    assert (sections["readable"], sections["editable"]) == (["open", "satisfaction"], ["contact_details", "open"])


async def test_export_import_assign_and_configure_are_asked_for_by_what_they_are_and_by_nothing_else(
    administrator: Client, people: People, as_profile: AsProfile
) -> None:
    """With every action but one, what needs that one is refused, and is done with it. Nothing yet needs `export` and
    `merge`, which open nothing else."""
    ana = await people.user("sales")
    customer = await create(administrator, "customers")
    opportunity = await create(administrator, "opportunities", customer_id=customer["id"])
    [workflow] = [
        each for each in (await administrator.get("/v1/workflows")).json()["items"] if each["key"] == "web_lead"
    ]
    lost = {"stage": "lost", "lost_reason": "price"}
    assert (await administrator.post(f"/v1/opportunities/{opportunity['id']}/stage", json=lost)).status_code == 200
    others = ("read", "create", "update", "delete", "export", "import", "assign", "merge", "configure")
    mapping = {"columns": {"name": "name"}}

    async def asked(client: Client, action: str) -> list[Any]:
        match action:
            case "import":
                return [await send(client, "customers", "name\nNew\n", mapping)]
            case "assign":
                return [
                    await client.post("/v1/customers", json={"name": "New", "owner_id": str(ana)}),
                    await client.patch(f"/v1/customers/{customer['id']}", json={"owner_id": str(ana)}),
                    await client.post("/v1/leads", json={"last_name": "New", "owner_id": None}),
                ]
        return [
            await client.patch("/v1/settings", json={"company_name": "Changed"}),
            await client.patch(f"/v1/workflows/{workflow['id']}", json={"enabled": True}),
            await client.get(f"/v1/workflows/{workflow['id']}/preview"),
            await client.get("/v1/profiles"),
            await client.post(f"/v1/users/{ana}/password", json={"password": "la gata bebe leche"}),
            await client.post(f"/v1/opportunities/{opportunity['id']}/stage", json={"stage": "reception"}),
        ]

    for action in ("import", "assign", "configure"):
        policies = [
            {"section": "*", "action": each, "field_group": group, "reach": "all" if group == "open" else None}
            for each in others
            if each != action
            for group in ("open", "*")
        ]
        body = {"id": f"no_{action}", "labels": LABELS, "policies": policies}
        await make(administrator, "profiles", **body)
        client = await as_profile(f"no_{action}")
        answers = await asked(client, action)
        refused = [answer.status_code for answer in answers]
        # The preview is of what one may configure, and else is not there.
        assert refused == [404 if "preview" in str(each.url) else 403 for each in answers], action
        policies += [
            {"section": "*", "action": action, "field_group": group, "reach": "all" if group == "open" else None}
            for group in ("open", "*")
        ]
        assert (await administrator.patch(f"/v1/profiles/no_{action}", json={"policies": policies})).status_code == 200
        done = [answer.status_code for answer in await asked(client, action)]
        assert max(done) < 300, (action, done)


async def test_nobody_deletes_a_profile_of_more_than_their_own(administrator: Client, as_profile: AsProfile) -> None:
    """It could be made again by the same id, empty, for those to whom the OpenID provider then gives it."""
    rights = ("profiles", "configure"), ("customers", "read")
    policies = [{"section": name, "action": action, "field_group": "open", "reach": "all"} for name, action in rights]
    more = [*policies, {"section": "leads", "action": "read", "field_group": "open", "reach": "all"}]
    for id, granted in (("keeper", policies), ("more", more), ("same", policies)):
        await make(administrator, "profiles", id=id, labels=LABELS, policies=granted)
    keeper = await as_profile("keeper")
    refused = await keeper.delete("/v1/profiles/more")
    assert (refused.status_code, refused.json()["code"]) == (403, "exceeds_own_profile")
    assert (await administrator.get("/v1/profiles/more")).json()["policies"] == more
    assert (await keeper.delete("/v1/profiles/same")).status_code == 204
