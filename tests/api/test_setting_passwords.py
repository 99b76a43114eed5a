"""Setting one's own password and that of others, as clients meet it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.signing_in import (
    OTHER,
    PASSWORD,
    id_of,
    is_in_force,
    problem,
    refresh,
    run,
    set_password,
    sign_in,
    tokens_of,
    value,
)

pytestmark = pytest.mark.usefixtures("price")


async def test_a_user_changes_their_password_with_the_current_one(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    ana = await id_of("ana")
    here, elsewhere = await tokens_of(client), await tokens_of(client)
    for wrong in ({}, {"current_password": None}, {"current_password": OTHER}):
        answer = await set_password(client, here, ana, password=OTHER, **wrong)
        assert (answer.status_code, problem(answer)["code"]) == (422, "wrong_password")
        assert problem(answer)["errors"][0]["pointer"] == "/current_password"
    assert (await set_password(client, here, ana, password=OTHER, current_password=PASSWORD)).status_code == 204
    assert await is_in_force(client, here)
    assert not await is_in_force(client, elsewhere)
    assert (await refresh(client, elsewhere["refresh_token"])).status_code == 401
    assert (await sign_in(client)).status_code == 401
    assert (await sign_in(client, password=OTHER)).status_code == 200
    event = await value(
        "select json_build_array(type, actor, changes) from events where record_id = :id order by id desc limit 1",
        id=ana,
    )
    assert event == ["user.password_set", str(ana), {}]


async def test_guessing_the_current_password_is_limited(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    ana, tokens = await id_of("ana"), await tokens_of(client)
    statuses = [
        (await set_password(client, tokens, ana, password=OTHER, current_password=f"guess {guess}")).status_code
        for guess in range(6)
    ]
    assert statuses == [422] * 5 + [429]
    assert (await set_password(client, tokens, ana, password=OTHER, current_password=PASSWORD)).status_code == 429


async def test_a_weak_password_is_refused_and_not_repeated(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana.munoz", profile="sales", password=PASSWORD)
    tokens, id = await tokens_of(client, "ana.munoz"), await id_of("ana.munoz")
    for weak in ("short", "Password2026!", "Ana.Muñoz.1", "😀" * 12, "x" * 1025):
        answer = await set_password(client, tokens, id, password=weak, current_password=PASSWORD)
        assert (answer.status_code, problem(answer)["code"]) == (422, "weak_password")
        assert weak not in answer.text
    assert (await sign_in(client, "ana.munoz")).status_code == 200


async def test_an_administrator_sets_anybodys_password(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="root", profile="administrator", password=PASSWORD)
    await make_user(username="ana", profile="sales", password=PASSWORD)
    root, ana = await tokens_of(client, "root"), await tokens_of(client)
    assert (await set_password(client, root, await id_of("ana"), password=OTHER)).status_code == 204
    assert not await is_in_force(client, ana)
    assert await is_in_force(client, root)
    assert (await sign_in(client, password=OTHER)).status_code == 200
    answer = await set_password(client, root, await id_of("root"), password=OTHER)
    assert (answer.status_code, problem(answer)["code"]) == (422, "wrong_password")


async def test_nobody_else_sets_anothers_password(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="root", profile="administrator", password=PASSWORD)
    root = await tokens_of(client, "root")
    for profile in ("manager", "sales", "marketing", "support"):
        await make_user(username=profile, profile=profile, password=PASSWORD)
        tokens = await tokens_of(client, profile)
        assert (await set_password(client, tokens, await id_of("root"), password=OTHER)).status_code == 403
        assert (await set_password(client, tokens, uuid4(), password=OTHER)).status_code == 404
    assert await is_in_force(client, root)
    assert (await set_password(client, root, uuid4(), password=OTHER)).status_code == 404
    await run("update users set archived_at = now() where username_key = 'sales'")
    answer = await set_password(client, root, await id_of("sales"), password=OTHER)
    assert (answer.status_code, problem(answer)["code"]) == (409, "archived")
