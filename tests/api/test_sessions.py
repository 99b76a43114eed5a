"""Staying signed in, and signing out, as clients meet them."""

import asyncio
from typing import Any

import httpx
import pytest

from app import clock
from app.db import signing_in as kept
from app.db.session import transaction
from tests.api.signing_in import PASSWORD, bearer, is_in_force, problem, refresh, run, tokens_of, value

pytestmark = pytest.mark.usefixtures("price")


async def test_refreshing_replaces_the_refresh_token(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    first = await tokens_of(client)
    answer = await refresh(client, first["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    second = answer.json()
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert await is_in_force(client, second)
    assert (await refresh(client, second["refresh_token"])).status_code == 200
    assert await value("select count(distinct session_id) from refresh_tokens") == 1


async def test_of_two_refreshes_at_once_one_wins_and_the_session_goes_on(
    client: httpx.AsyncClient, make_user: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    tokens = await tokens_of(client)
    answers = await asyncio.gather(*[refresh(client, tokens["refresh_token"]) for _ in range(5)])
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert [problem(answer)["code"] for answer in answers if answer.status_code == 401] == ["refresh_raced"] * 4
    assert (await refresh(client, won[0].json()["refresh_token"])).status_code == 200


async def test_a_used_refresh_token_that_comes_back_later_ends_the_session(
    client: httpx.AsyncClient, make_user: Any, later: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    elsewhere, first = await tokens_of(client), await tokens_of(client)
    second = (await refresh(client, first["refresh_token"])).json()
    later(seconds=19)
    assert problem(await refresh(client, first["refresh_token"]))["code"] == "refresh_raced"
    assert await is_in_force(client, second)
    later(seconds=2)
    stolen = await refresh(client, first["refresh_token"])
    assert (stolen.status_code, problem(stolen)["code"]) == (401, "invalid_token")
    assert not await is_in_force(client, second)
    assert problem(await refresh(client, second["refresh_token"]))["code"] == "invalid_token"
    assert await is_in_force(client, elsewhere), "the user's other session goes on"
    assert await value("select string_agg(type, ' ') from events") == "user.token_reused"


async def test_a_refresh_token_is_good_for_thirty_days(client: httpx.AsyncClient, make_user: Any, later: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    tokens = await tokens_of(client)
    later(days=30, minutes=-1)
    tokens = (await refresh(client, tokens["refresh_token"])).json()
    later(days=30)
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401


async def test_an_odd_refresh_token_is_none(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    tokens = await tokens_of(client)
    real = tokens["refresh_token"]
    for odd in (
        "",
        "x",
        "A" * 43,
        real + "=",
        real + "\n",
        " " + real,
        real.swapcase(),
        "é" * 43,
        tokens["access_token"],
        "\0" * 43,
    ):
        assert (await refresh(client, odd)).status_code == 401, repr(odd)
    for body in (
        {},
        {"refresh_token": None},
        {"refresh_token": 7},
        {"refresh_token": "x" * 5000},
        {"refresh_token": real, "x": 1},
    ):
        assert (await client.post("/v1/auth/refresh", json=body)).status_code == 422, body
    assert (await refresh(client, real)).status_code == 200


async def test_signing_out_ends_that_session_alone(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    here, elsewhere = await tokens_of(client), await tokens_of(client)
    assert (await client.post("/v1/auth/logout", headers=bearer(here))).status_code == 204
    assert not await is_in_force(client, here)
    assert (await refresh(client, here["refresh_token"])).status_code == 401
    assert (await client.post("/v1/auth/logout", headers=bearer(here))).status_code == 401
    assert await is_in_force(client, elsewhere)
    assert (await client.post("/v1/auth/logout")).status_code == 401


async def test_who_is_deactivated_gets_no_more_tokens(client: httpx.AsyncClient, make_user: Any) -> None:
    for state in ("active = false", "archived_at = now()"):
        name = state.split()[0]
        await make_user(username=name, profile="sales", password=PASSWORD)
        tokens = await tokens_of(client, name)
        await run(f"update users set {state} where username_key = '{name}'")
        assert (await refresh(client, tokens["refresh_token"])).status_code == 401


async def test_a_session_is_not_opened_for_who_was_given_another_password_meanwhile(make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    for change in ("active = false", "password_hash = 'other'"):
        async with transaction() as session:
            account = await kept.account(session, username_key="ana")
        assert account is not None
        await run(f"update users set {change} where username_key = 'ana'")
        async with transaction() as session:
            assert await kept.open_session(session, account, b"x", clock.now()) is None
        await run("update users set active = true where username_key = 'ana'")
