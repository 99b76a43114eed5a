"""What `q` finds: words in any order, without accents, with one wrong letter, and only what the caller sees."""

from collections.abc import Awaitable, Callable

import pytest

from tests.api.records import found, make, problems
from tests.conftest import Client

MUNOZ = "Muñoz Hnos."


@pytest.fixture
async def munoz(administrator: Client) -> None:
    await make(
        administrator,
        "customers",
        name=MUNOZ,
        legal_name="Suministros del Ebro S.L.",
        website="https://www.ferreteria-ebro.es/tienda",
        emails=[{"address": "Pedidos@talleres.example"}],
        phones=[{"number": "976 12 34 56"}],
    )
    await make(administrator, "customers", name="Pérez & Hijas", emails=[{"address": "hola@perez.example"}])


@pytest.mark.parametrize(
    "q",
    [
        "munoz", "MUÑOZ", "hnos mun", "muñoz hnos.", "muñiz", "munozz", "hnos",
        "pedidos@talleres.example", "pedidos", "talleres", "976123456", "+34976123456", "976 12 34 56", "123456",
        "976-12-34-56", "976.123.456", "(976)123456", "+34-976-123456",
        "ferreteria-ebro.es", "ferretería", "suministros ebro", "«Muñoz», (Hnos.)", "munoz 976123456",
    ],
)  # fmt: skip
async def test_a_customer_is_found(administrator: Client, munoz: None, q: str) -> None:
    assert await found(administrator, "customers", q=q) == [MUNOZ]


@pytest.mark.parametrize(
    "q", ["munoz perez", "muoz", "muxxz", "hnxs", "tienda", "%", "_____", "m%z", "\\", "97612345678"]
)
async def test_a_customer_is_not_found(administrator: Client, munoz: None, q: str) -> None:
    """Not by words of two customers, by two wrong letters, by one in a short word, nor by signs of LIKE."""
    assert await found(administrator, "customers", q=q) == []


async def test_a_wrong_letter_is_forgiven_only_when_nothing_else_is_found(administrator: Client, munoz: None) -> None:
    await make(administrator, "customers", name="Muñiz")
    assert await found(administrator, "customers", q="muñiz") == ["Muñiz"]
    assert await found(administrator, "customers", q="munez", sort="name") == ["Muñiz", MUNOZ]


async def test_a_misspelt_search_is_paged_like_any_other(administrator: Client) -> None:
    for number in range(5):
        await make(administrator, "customers", name=f"Muñoz {number}")
    names, cursor = [], None
    while True:
        parameters = {"q": "muñiz", "sort": "name", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await administrator.get("/v1/customers", params=parameters)).json()
        names += [each["name"] for each in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert names == [f"Muñoz {number}" for number in range(5)]


async def test_nothing_but_punctuation_is_no_search(administrator: Client, munoz: None) -> None:
    for query in ({"q": " ., "}, {"q": "!!!"}, {"q": "'"}, {"name__contains": "'"}, {"name__starts": "´"}):
        (name,) = query
        answer = await administrator.get("/v1/customers", params=query)
        assert problems(answer) == {(f"/query/{name}", "nothing_to_find")}
    assert await found(administrator, "customers", q="munoz !!! -- .") == []
    assert await found(administrator, "customers", q="munoz !!! .") == [MUNOZ]
    assert len(await found(administrator, "customers", q="")) == 2


async def test_a_domain_is_found_as_people_write_it_and_as_machines_do(administrator: Client) -> None:
    await make(administrator, "customers", name="Piñata", website="https://www.muñoz-hnos.es/tienda")
    await make(administrator, "leads", company_name="Piñata", website="muñoz-hnos.es/tienda")
    for section in ("customers", "leads"):
        for q in ("muñoz-hnos.es", "munoz-hnos", "xn--muoz-hnos-r6a.es"):
            assert await found(administrator, section, q=q) == ["Piñata"], (section, q)


async def test_what_is_changed_is_found_by_what_it_is_now(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Alfa", emails=[{"address": "a@alfa.example"}])
    change = {"name": "Beta", "emails": [{"address": "b@beta.example"}], "website": "gamma.example"}
    await administrator.patch(f"/v1/customers/{customer['id']}", json=change)
    assert await found(administrator, "customers", q="alfa") == []
    for q in ("beta", "b@beta.example", "gamma"):
        assert await found(administrator, "customers", q=q) == ["Beta"]


async def test_one_searches_only_what_one_sees(
    administrator: Client, as_profile: Callable[..., Awaitable[Client]], munoz: None
) -> None:
    seller, colleague = await as_profile("sales"), await as_profile("sales")
    await make(seller, "customers", name="Muñoz e hijos")
    assert await found(seller, "customers", q="munoz") == ["Muñoz e hijos"]
    assert await found(seller, "customers", q="muñiz") == ["Muñoz e hijos"]
    assert await found(colleague, "customers", q="munoz") == []


async def test_hidden_fields_are_not_searched(
    administrator: Client, as_profile: Callable[..., Awaitable[Client]], munoz: None
) -> None:
    """Telephones are of a group that a profile without contact details must not even find by."""
    from sqlalchemy import text

    from app.db.seeds import remember_anew
    from app.db.session import transaction

    async with transaction("system") as session:
        rule = "delete from policies where subject = 'profile:support' and section = 'customers'"
        await session.execute(text(f"{rule} and field_group = 'contact_details'"))
        await remember_anew(session)
    support = await as_profile("support")
    assert await found(support, "customers", q="munoz") == [MUNOZ]
    assert await found(support, "customers", q="pedidos") == []
    assert await found(support, "customers", q="976123456") == []


async def test_contacts_products_opportunities_and_users_are_found(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    await make(
        administrator, "contacts", first_name="José", last_name="Núñez", customer_id=customer["id"],
        emails=[{"address": "jose@nunez.example"}], phones=[{"number": "+39 06 1234 5678"}],
    )  # fmt: skip
    await make(administrator, "products", name="Válvula", sku="VX-100")
    await make(administrator, "opportunities", name="Renovación de válvulas")
    await make(administrator, "users", name="Íñigo", username="inigo", profile_id="sales")
    for q in ("nunez jose", "jose@nunez", "+390612345678", "nuñes"):
        assert await found(administrator, "contacts", q=q) == ["José Núñez"]
    for q in ("valvula", "vx-100", "valbula"):
        assert await found(administrator, "products", q=q) == ["Válvula"]
    assert await found(administrator, "opportunities", q="valvulas renovacion") == ["Renovación de válvulas"]
    assert await found(administrator, "users", q="inigo") == ["Íñigo"]
