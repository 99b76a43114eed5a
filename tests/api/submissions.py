"""A form that visitors send, for the tests."""

from typing import Any

from sqlalchemy import text

from app.db.session import transaction
from tests.conftest import Client
from tests.jobs.company import work

URL = "/v1/forms/contact/submissions"
ANA = {"name": "Ana García López", "email": "Ana@acero.es", "message": "¿Precio?", "consent": "on"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SITE = "https://acme.example"


async def rows(sql: str) -> list[Any]:
    async with transaction("system") as session:
        return list((await session.execute(text(sql))).all())


async def leads(administrator: Client) -> list[dict[str, Any]]:
    """Once the worker has made something of what came in."""
    await work()
    answer = await administrator.get("/v1/leads?sort=created_at")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
