"""What ends the tokens that somebody has: after each event the old access token and the old refresh token are 401."""

from typing import Any

import httpx
import pytest

from app.domain import users
from tests.api.second_factors import enrolled
from tests.api.signing_in import (
    OTHER,
    PASSWORD,
    bearer,
    is_in_force,
    problem,
    refresh,
    set_password,
    sign_in,
    tokens_of,
    value,
)
from tests.conftest import Client
from tests.loading import loaded

pytestmark = pytest.mark.usefixtures("price")


async def are_void(client: httpx.AsyncClient, tokens: dict[str, Any]) -> bool:
    answers = [
        await client.get("/v1/me", headers=bearer(tokens)),
        await client.get("/v1/customers", headers=bearer(tokens)),
        await refresh(client, tokens["refresh_token"]),
    ]
    assert {answer.status_code for answer in answers} in ({200}, {401}), [answer.text for answer in answers]
    return answers[0].status_code == 401


async def test_each_event_ends_them_at_once(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="root", profile="administrator", password=PASSWORD)
    root = await tokens_of(client, "root")
    events: dict[str, Any] = {
        "set": lambda id: set_password(client, root, id, password=OTHER),
        "deactivated": lambda id: client.patch(f"/v1/users/{id}", json={"active": False}, headers=bearer(root)),
        "profile": lambda id: client.patch(f"/v1/users/{id}", json={"profile_id": "support"}, headers=bearer(root)),
        "archived": lambda id: client.delete(f"/v1/users/{id}", headers=bearer(root)),
    }
    for username, happens in events.items():
        id = await make_user(username=username, profile="sales", password=PASSWORD)
        tokens = await tokens_of(client, username)
        assert (await happens(id)).status_code in (200, 204), username
        assert await are_void(client, tokens), username
    assert await is_in_force(client, root)


async def test_what_says_nothing_about_the_profile_ends_none(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="root", profile="administrator", password=PASSWORD)
    id = await make_user(username="ana", profile="sales", password=PASSWORD)
    root, ana = await tokens_of(client, "root"), await tokens_of(client)
    for change in ({"profile_id": "sales"}, {"name": "Ana Ruiz"}, {"active": True}):
        assert (await client.patch(f"/v1/users/{id}", json=change, headers=bearer(root))).status_code == 200
    assert await is_in_force(client, ana)


async def test_changing_ones_own_password_ends_the_other_sessions(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    here, elsewhere = await tokens_of(client), await tokens_of(client)
    body = {"current_password": OTHER, "password": OTHER}
    wrong = await client.post("/v1/auth/password/change", json=body, headers=bearer(here))
    assert (wrong.status_code, problem(wrong)["code"]) == (422, "wrong_password")
    body["current_password"] = PASSWORD
    assert (await client.post("/v1/auth/password/change", json=body, headers=bearer(here))).status_code == 204
    assert await are_void(client, elsewhere)
    assert not await are_void(client, here)
    assert await tokens_of(client, password=OTHER)


async def test_a_password_set_on_the_command_line_ends_them_and_takes_a_lost_second_factor_away(
    client: httpx.AsyncClient, make_user: Any
) -> None:
    await make_user(username="ana", profile="administrator", password=PASSWORD)
    tokens = await tokens_of(client)
    await enrolled(client, tokens)
    await users.set_password_from_command_line("ANA", OTHER, without_second_factor=False)
    assert await are_void(client, tokens)
    assert problem(await sign_in(client, password=OTHER))["code"] == "second_factor_required"
    await users.set_password_from_command_line("ana", PASSWORD, without_second_factor=True)
    assert await tokens_of(client)
    told = "select string_agg(type, ' ' order by id) from events"
    assert await value(told) == ("user.second_factor_on user.password_set user.password_set user.second_factor_off")


async def test_a_file_that_gives_another_profile_or_deactivates_ends_them(
    client: httpx.AsyncClient, administrator: Client, make_user: Any
) -> None:
    held: dict[str, dict[str, Any]] = {}
    for username in ("moved", "gone", "same"):
        await make_user(username=username, profile="sales", password=PASSWORD)
        held[username] = await tokens_of(client, username)
    file = "username,profile_id,active\nmoved,support,true\ngone,sales,false\nsame,sales,true\n"
    columns = {"username": "username", "profile_id": "profile_id", "active": "active"}
    done = await loaded(administrator, "users", file, {"match_on": "username", "columns": columns})
    assert done["counts"]["updated"] == 2, done
    assert {username: await are_void(client, tokens) for username, tokens in held.items()} == {
        "moved": True,
        "gone": True,
        "same": False,
    }
