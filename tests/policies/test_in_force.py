"""What changes while a request runs: does the request have an effect that its caller may no longer have?"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.api import records as routes
from app.db import session
from app.domain import records
from tests.conftest import Client

Change = Callable[[], Awaitable[None]]


async def elsewhere(statement: str, **values: Any) -> None:
    """As another process would change it, with the version that tells everybody."""
    async with session.transaction("system") as opened:
        await opened.execute(text(statement), values)
        await opened.execute(text("update versions set xid = pg_current_xact_id() where name = 'access'"))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], list[int]]:
    """`meanwhile(change)` makes something happen in the middle of the next write. It answers how often one ran."""
    whole, ran, awaited = records.write, list[int](), list[Change]()

    async def interrupted(*arguments: Any, **named: Any) -> None:
        ran.append(1)
        await whole(*arguments, **named)
        while awaited:
            await awaited.pop()()

    def arrange(change: Change) -> list[int]:
        awaited.append(change)
        return ran

    assert routes.records is records
    monkeypatch.setattr(records, "write", interrupted)
    return arrange


async def product(administrator: Client) -> str:
    return str((await administrator.post("/v1/products", json={"name": "GTX"})).json()["id"])


async def test_a_change_is_undone_when_its_right_was_taken_away_meanwhile(
    administrator: Client, meanwhile: Callable[[Change], list[int]]
) -> None:
    id = await product(administrator)
    ran = meanwhile(lambda: elsewhere("update users set profile_id = 'sales' where id = :id", id=administrator.user_id))
    answer = await administrator.patch(f"/v1/products/{id}", json={"name": "GTX Pro"})
    assert (answer.status_code, answer.json()["code"], len(ran)) == (403, "forbidden", 1)
    assert (await administrator.get(f"/v1/products/{id}")).json()["name"] == "GTX"


async def test_a_change_is_undone_when_its_session_ended_meanwhile(
    administrator: Client, meanwhile: Callable[[Change], list[int]]
) -> None:
    id = await product(administrator)
    meanwhile(lambda: elsewhere("update sessions set ended_at = now() where user_id = :id", id=administrator.user_id))
    answer = await administrator.patch(f"/v1/products/{id}", json={"name": "GTX Pro"})
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    async with session.transaction("system") as opened:
        assert await opened.scalar(text("select name from products")) == "GTX"


async def test_a_change_that_still_may_be_is_made_once(
    administrator: Client, meanwhile: Callable[[Change], list[int]]
) -> None:
    id = await product(administrator)
    ran = meanwhile(lambda: elsewhere("select 1"))
    answer = await administrator.patch(f"/v1/products/{id}", json={"name": "GTX Pro"})
    assert (answer.status_code, answer.headers["etag"], len(ran)) == (200, '"2"', 2)
    async with session.transaction("system") as opened:
        assert await opened.scalar(text("select count(*) from events where type = 'product.changed'")) == 1


async def test_a_refusal_is_thought_over_when_the_right_was_given_meanwhile(
    administrator: Client, as_profile: Callable[..., Awaitable[Client]]
) -> None:
    seller = await as_profile("sales")
    assert (await seller.post("/v1/products", json={"name": "GTX"})).status_code == 403
    await elsewhere("update users set profile_id = 'administrator' where id = :id", id=seller.user_id)
    assert (await seller.post("/v1/products", json={"name": "GTX"})).status_code == 201


async def test_users_are_written_though_that_changes_what_everybody_remembers(administrator: Client) -> None:
    body = {"name": "Ana", "username": "ana", "profile_id": "sales"}
    created = await administrator.post("/v1/users", json=body)
    assert created.status_code == 201
    changed = await administrator.patch(created.headers["location"], json={"active": False})
    assert (changed.status_code, changed.json()["active"]) == (200, False)
