"""Forms as those see them who set them up, and as their visitors do."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.api.records import make, problems
from tests.conftest import Client

CONTACT: dict[str, Any] = {
    "key": "contact",
    "name": "Contact",
    "fields": [
        {"key": "name", "required": True},
        {"key": "email", "required": True, "labels": {"en": "Your e-mail"}},
        {"key": "phone"},
        {"key": "request"},
        {"key": "message"},
    ],
    "consent": {"es": "Acepto la política de privacidad.", "en": "I accept the privacy policy."},
}


async def test_a_visitor_sees_a_form_in_their_language_and_nothing_of_the_house(
    administrator: Client, client: httpx.AsyncClient
) -> None:
    made = await make(administrator, "forms", **CONTACT, redirect="https://acme.example/thanks")
    answer = await client.get("/v1/forms/contact?language=es-MX", headers={"Accept-Language": "it"})
    assert answer.headers["cache-control"] == "no-store"
    form = answer.json()
    assert form.keys() == {"key", "language", "fields", "consent", "honeypot", "stamp"}
    assert form["language"] == "es"
    assert form["consent"] == {"text": "Acepto la política de privacidad.", "required": True}
    by_key = {field["key"]: field for field in form["fields"]}
    assert list(by_key) == ["name", "email", "phone", "request", "message"]
    name = {"key": "name", "label": "Nombre y apellidos", "input": "text", "required": True, "max_length": 100}
    assert by_key["name"] == name | {"choices": []}
    assert by_key["email"]["label"] == "Your e-mail"  # given in English only
    assert [each["value"] for each in by_key["request"]["choices"]] == ["information", "quote", "purchase"]

    for query, accepted, shown in (
        ("", "fr-FR, it;q=0.8, en;q=0.2", "it"),
        ("?language=fr", "en;q=0.1,it;q=0", "en"),
        ("?language=%00", "x" * 5_000, "es"),  # the company's first
        ("", "", "es"),
    ):
        answer = await client.get(f"/v1/forms/contact{query}", headers={"Accept-Language": accepted})
        assert answer.json()["language"] == shown

    assert (await client.get(f"/v1/forms/{made['id']}")).status_code == 401
    assert (await administrator.get(f"/v1/forms/{made['id']}")).json() == made
    await administrator.patch(f"/v1/forms/{made['id']}", json={"active": False})
    assert (await client.get("/v1/forms/contact")).status_code == 404
    assert (await client.get("/v1/forms/con%00tact")).status_code == 404


async def test_a_form_must_make_a_lead_and_know_its_sites(administrator: Client) -> None:
    made = await make(
        administrator, "forms", **CONTACT,
        allowed_origins=["HTTPS://Muñoz.es:443/", "http://localhost:3000", "http://[::1]:80", "http://127.0.0.1:8080"],
        error_redirect="HTTPS://Acme.example/oops?form=1#top",
    )  # fmt: skip
    assert made["allowed_origins"] == [
        "https://xn--muoz-hqa.es", "http://localhost:3000", "http://[::1]", "http://127.0.0.1:8080",
    ]  # fmt: skip
    assert made["error_redirect"] == "https://acme.example/oops?form=1#top"

    taken = await administrator.post("/v1/forms", json=CONTACT)
    assert problems(taken, 409) == {("/key", "duplicate")}
    for wrong, pointer, code in (
        ({"fields": [{"key": "phone", "required": True}, {"key": "email"}]}, "/fields", "required_information"),
        ({"fields": [CONTACT["fields"][0], {"key": "name"}]}, "/fields/1/key", "duplicate"),
        ({"fields": [{"key": "salary"}]}, "/fields/0/key", "literal_error"),
        ({"honeypot": "email"}, "/honeypot", "duplicate"),
        ({"honeypot": "utm_source"}, "/honeypot", "duplicate"),
        ({"key": "a198c0de-0000-7000-8000-000000000000"}, "/key", "string_too_long"),
        ({"key": "a" * 32}, "/key", "string_too_long"),  # as an id may be written too
        ({"key": "Contact us"}, "/key", "string_pattern_mismatch"),
        ({"redirect": "javascript:alert(1)"}, "/redirect", "website"),
        ({"redirect": "https://ana:secret@acme.example/"}, "/redirect", "website"),
        ({"allowed_origins": ["https://acme.example/path"]}, "/allowed_origins/0", "origin"),
        ({"allowed_origins": ["null"]}, "/allowed_origins/0", "origin"),
        ({"allowed_origins": ["https://acme.example:99999"]}, "/allowed_origins/0", "origin"),
        ({"consent": {"es": "Acepto"}}, "/consent/en", "required_information"),
    ):
        answer = await administrator.post("/v1/forms", json={**CONTACT, "key": "other", **wrong})
        assert problems(answer) == {(pointer, code)}, wrong


async def test_marketing_sets_up_forms_and_sales_does_not_see_them(
    as_profile: Callable[..., Awaitable[Client]],
) -> None:
    marketing, sales = await as_profile("marketing"), await as_profile("sales")
    made = await make(marketing, "forms", **CONTACT)
    changed = await marketing.patch(f"/v1/forms/{made['id']}", json={"consent": None})
    assert changed.json()["consent"] is None
    assert (await sales.get("/v1/forms")).status_code == 403
    assert (await sales.get(f"/v1/forms/{made['id']}")).status_code == 404
    assert (await sales.get("/v1/forms/contact")).json()["consent"] is None
