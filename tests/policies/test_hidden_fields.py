"""A field that a profile hides: not read, filtered, sorted, searched, written, told by a timeline or by an error."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Client
from tests.contracts.worlds import TEMPLATE
from tests.policies.steps import change, create, grant, revoke

AsProfile = Callable[..., Awaitable[Client]]
SECRETS = {
    "tax_id": "B12345678",
    "credit_limit": "98765.00",
    "hobbies": ["falconry"],
    "birth_year": 1961,
    "sector": "retail",
}


@pytest.fixture
async def customer(administrator: Client) -> dict[str, Any]:
    return await create(administrator, "customers", name="Acero", emails=[{"address": "ana@acero.es"}], **SECRETS)


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json().get("code")) == (403, "field_hidden")


async def test_hidden_fields_are_left_out_of_records_and_lists(as_profile: AsProfile, customer: dict[str, Any]) -> None:
    support = await as_profile("support")
    read = (await support.get(f"/v1/customers/{customer['id']}")).json()
    listed = (await support.get("/v1/customers")).json()["items"][0]
    for seen in (read, listed):
        assert seen["name"] == "Acero"
        assert not SECRETS.keys() & seen.keys()


@pytest.mark.parametrize(
    "asked",
    [
        {"tax_id": "B12345678"},
        {"tax_id__is_null": "true"},
        {"tax_id__starts": "B"},
        {"credit_limit__gt": "1"},
        {"birth_year": "1961"},
        {"sector": "retail"},
        {"sort": "credit_limit"},
        {"sort": "name,-credit_limit"},
        {"fields": "name,tax_id"},
        {"fields": "hobbies", "count": "exact"},
    ],
)
async def test_a_hidden_field_is_not_asked_about(
    as_profile: AsProfile, customer: dict[str, Any], asked: dict[str, str]
) -> None:
    assert refused(await (await as_profile("support")).get("/v1/customers", params=asked))


async def test_a_hidden_field_is_not_written(as_profile: AsProfile, customer: dict[str, Any]) -> None:
    support, sales = await as_profile("support"), await as_profile("sales")
    for name, value in SECRETS.items():
        assert refused(await change(support, "customers", customer, **{name: value})), name
    assert refused(await sales.post("/v1/customers", json={"name": "New", "tax_id": "B1"}))
    assert refused(await sales.put("/v1/customers/by/erp/1", json={"name": "New", "credit_limit": "1"}))


async def test_a_timeline_tells_no_values_of_hidden_fields(
    administrator: Client, as_profile: AsProfile, customer: dict[str, Any]
) -> None:
    await change(administrator, "customers", customer, tax_id="B999", sector="medical", name="Acero Sur")
    support = await as_profile("support")
    timeline = await support.get(f"/v1/customers/{customer['id']}/timeline")
    first, last = timeline.json()["items"]
    assert first["changes"] == {"name": ["Acero", "Acero Sur"]}
    assert not SECRETS.keys() & last["changes"].keys()
    assert not [secret for secret in ("B999", "B12345678", "falconry", "retail") if secret in timeline.text]


async def test_what_changed_meanwhile_is_told_without_hidden_fields(
    administrator: Client, as_profile: AsProfile, customer: dict[str, Any]
) -> None:
    await change(administrator, "customers", customer, tax_id="B999", name="Acero Sur")
    answer = await (await as_profile("support")).patch(
        f"/v1/customers/{customer['id']}", json={"description": "x"}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 412
    assert answer.json()["changed"] == {"name": "Acero Sur"}
    assert answer.json()["version"] == 2


async def test_the_search_finds_nothing_by_what_is_hidden(as_profile: AsProfile, customer: dict[str, Any]) -> None:
    support = await as_profile("support")

    async def found(q: str) -> list[str]:
        return [each["id"] for each in (await support.get("/v1/customers", params={"q": q})).json()["items"]]

    assert await found("ana@acero") == [customer["id"]]
    assert await found("falconry") == await found("B12345678") == []
    await revoke("support", "customers", "read", "contact_details")
    assert await found("ana@acero") == await found("ana") == []
    assert await found("acero") == [customer["id"]]
    assert await found("acerp") == [customer["id"]]


async def test_a_hidden_email_is_not_found_with_one_wrong_letter(administrator: Client, as_profile: AsProfile) -> None:
    await create(administrator, "customers", name="Vino", emails=[{"address": "falconer@example.es"}])
    support = await as_profile("support")
    assert len((await support.get("/v1/customers", params={"q": "falconex"})).json()["items"]) == 1
    await revoke("support", "customers", "read", "contact_details")
    assert (await support.get("/v1/customers", params={"q": "falconex"})).json()["items"] == []


async def test_the_account_of_others_is_hidden_and_ones_own_is_not(as_profile: AsProfile) -> None:
    ana, ben = await as_profile("sales", username="ana"), await as_profile("sales", username="ben")
    other = (await ana.get(f"/v1/users/{ben.user_id}")).json()
    assert other["name"]
    assert not {"username", "email", "profile_id", "manager_id", "absence"} & other.keys()
    assert refused(await ana.get("/v1/users", params={"username": "ben"}))
    assert (await ana.get("/v1/me")).json()["username"] == "ana"


async def test_what_one_changes_in_oneself_is_not_ones_profile(as_profile: AsProfile) -> None:
    ana = await as_profile("sales")
    for body in ({"profile_id": "administrator"}, {"manager_id": None}, {"active": True}, {"username": "root"}):
        assert (await ana.patch("/v1/me", json=body)).status_code == 422
        assert (await ana.patch(f"/v1/users/{ana.user_id}", json=body)).status_code == 403
    assert (await ana.get("/v1/me")).json()["profile_id"] == "sales"


async def test_a_group_that_is_granted_without_the_section_opens_nothing(
    as_profile: AsProfile, customer: dict[str, Any]
) -> None:
    await revoke("support", "customers", "read", "open")
    await grant("support", "customers", "read", "billing", "-")
    support = await as_profile("support")
    assert (await support.get(f"/v1/customers/{customer['id']}")).status_code == 404
    assert (await support.get("/v1/customers", params={"tax_id": "B12345678"})).status_code == 403


async def test_a_message_is_not_written_in_a_language_that_is_hidden_from_its_writer(
    administrator: Client, as_profile: AsProfile
) -> None:
    eva = await as_profile("sales")
    customer = await create(eva, "customers")
    contact = await create(eva, "contacts", customer_id=customer["id"], preferred_language="it")
    texts = {"text": {"es": "Hola", "it": "Ciao", "en": "Hello"}}
    template = await administrator.post("/v1/templates", json=TEMPLATE | texts)
    message = {"contact_id": contact["id"], "template_id": template.json()["id"], "to_address": "eva@acero.es"}
    assert (await eva.post("/v1/messages", json=message)).json()["language"] == "it"
    await revoke("sales", "contacts", "read", "contact_details")
    assert (await eva.post("/v1/messages", json=message)).json()["language"] == "es"
