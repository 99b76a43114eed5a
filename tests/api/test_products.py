"""Products over HTTP."""

from typing import Any

from tests.api.records import make, problems
from tests.conftest import Client


async def test_a_price_has_the_digits_of_its_currency_and_the_companys_currency_by_default(
    administrator: Client,
) -> None:
    valve = await make(administrator, "products", name="Valve", price="12.345", tax_rate="21")
    assert (valve["price"], valve["currency"], valve["tax_rate"]) == ("12.35", "EUR", "21")
    yen = await make(administrator, "products", name="Valve", price=12.5, currency="jpy")
    assert (yen["price"], yen["currency"]) == ("13", "JPY")
    free = await make(administrator, "products", name="Advice", kind="service")
    assert (free["price"], free["currency"], free["active"]) == (None, None, True)


async def test_a_sku_belongs_to_one_product_in_use(administrator: Client) -> None:
    first = await make(administrator, "products", name="Valve", sku="V1")
    twice = await administrator.post("/v1/products", json={"name": "Other", "sku": "V1"})
    assert problems(twice, 409) == {("/sku", "duplicate")}
    other = await make(administrator, "products", name="Other")
    taken = await administrator.patch(f"/v1/products/{other['id']}", json={"sku": "V1"})
    assert problems(taken, 409) == {("/sku", "duplicate")}
    await administrator.delete(f"/v1/products/{first['id']}")
    assert (await administrator.patch(f"/v1/products/{other['id']}", json={"sku": "V1"})).status_code == 200
    restored = await administrator.post(f"/v1/products/{first['id']}/restore")
    assert problems(restored, 409) == {("/sku", "duplicate")}


async def test_a_unit_is_as_long_as_declared(administrator: Client) -> None:
    assert len((await make(administrator, "products", name="Valve", unit="u" * 60))["unit"]) == 60
    answer = await administrator.post("/v1/products", json={"name": "Valve", "unit": "u" * 61, "tax_rate": 101})
    assert problems(answer) == {("/unit", "string_too_long"), ("/tax_rate", "out_of_range")}


async def test_only_who_may_writes_products(administrator: Client, as_profile: Any) -> None:
    seller = await as_profile("sales")
    valve = await make(administrator, "products", name="Valve")
    assert (await seller.get(f"/v1/products/{valve['id']}")).status_code == 200
    assert (await seller.post("/v1/products", json={"name": "Mine"})).status_code == 403
    assert (await seller.patch(f"/v1/products/{valve['id']}", json={"name": "Mine"})).status_code == 403
    assert (await seller.delete(f"/v1/products/{valve['id']}")).status_code == 403
