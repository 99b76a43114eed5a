"""What is answered when PostgreSQL gives a statement up, as it does after five seconds?"""

import asyncio
from uuid import UUID

import httpx
from sqlalchemy import text

from app.db.session import transaction
from tests.api.records import make
from tests.conftest import Client
from tests.jobs.effects import until


async def given_up() -> bool:
    """Whether something waited for what the test holds; it is given up."""
    waiting = "from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with transaction("system") as session:
        return bool(await session.scalar(text(f"select count(pg_cancel_backend(pid)) {waiting}")))


def refused(answer: httpx.Response) -> bool:
    """Said so, without an invitation to ask the same at once."""
    problem = answer.json()
    said = (answer.status_code, problem["code"], answer.headers["retry-after"])
    return said == (503, "too_slow", "30") and "takes too long" in problem["detail"]


async def test_a_list_that_takes_too_long_says_so(administrator: Client) -> None:
    async with transaction("system") as holding:
        await holding.execute(text("lock table products in access exclusive mode"))
        asked = asyncio.create_task(administrator.get("/v1/products"))
        await until(given_up)
        assert refused(await asked)
    assert (await administrator.get("/v1/products")).status_code == 200


async def test_a_write_that_takes_too_long_says_so_and_leaves_nothing(administrator: Client) -> None:
    product = await make(administrator, "products", name="Chair")
    async with transaction("system") as holding:
        await holding.execute(text("select from products where id = :id for update"), {"id": UUID(product["id"])})
        asked = asyncio.create_task(administrator.patch(f"/v1/products/{product['id']}", json={"name": "Table"}))
        await until(given_up)
        assert refused(await asked)
    read = (await administrator.get(f"/v1/products/{product['id']}")).json()
    assert (read["name"], read["version"]) == ("Chair", 1)
