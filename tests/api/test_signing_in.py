"""Signing in with a name and a password, as clients meet it."""

import asyncio
import statistics
import time
from hashlib import sha256
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from app.domain import passwords, signing_in
from app.errors import TooMany, Unauthenticated
from app.policies.tokens import read_access_token
from tests.api.signing_in import (
    OTHER,
    PASSWORD,
    id_of,
    is_in_force,
    problem,
    refresh,
    run,
    sign_in,
    tokens_of,
    value,
)

pytestmark = pytest.mark.usefixtures("price")
IN_EARNEST = passwords.HASHER


async def test_signing_in_gives_tokens_that_open_the_rest(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    answer = await sign_in(client)
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    assert await is_in_force(client, tokens)
    claims = read_access_token(tokens["access_token"])
    assert claims.user_id == await id_of("ana")


async def test_case_and_width_of_a_username_do_not_count(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="Ana.Muñoz@example.com", profile="sales", password=PASSWORD)
    for spelling in (
        "ana.muñoz@EXAMPLE.com",
        " ana.muñoz@example.com ",
        "ＡＮＡ.muñoz@example.com",
        "ana.mun\u0303oz@example.com",
    ):
        assert (await sign_in(client, spelling)).status_code == 200, spelling


async def test_the_form_is_that_of_oauth_2(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    form = {
        "grant_type": "password",
        "username": "ana",
        "password": PASSWORD,
        "scope": "",
        "client_id": "",
        "client_secret": "",
    }
    assert (await client.post("/v1/auth/token", data=form)).status_code == 200
    assert (await client.post("/v1/auth/token", data=form | {"grant_type": "client_credentials"})).status_code == 422
    assert (await client.post("/v1/auth/token", data={"username": "ana"})).status_code == 422
    assert (await client.post("/v1/auth/token", json={"username": "ana", "password": PASSWORD})).status_code == 415


async def test_whatever_is_wrong_the_answer_is_the_same(client: httpx.AsyncClient, make_user: Any) -> None:
    for username in ("ana", "inactive", "archived", "without"):
        await make_user(username=username, profile="sales", password=PASSWORD)
    await run("update users set active = false where username_key = 'inactive'")
    await run("update users set archived_at = now() where username_key = 'archived'")
    await run("update users set password_hash = null where username_key = 'without'")
    tried = [
        ("ana", OTHER),
        ("ana", ""),
        ("ana", "x" * 2000),
        ("ana", "\0"),
        ("nobody", PASSWORD),
        ("inactive", PASSWORD),
        ("archived", PASSWORD),
        ("without", PASSWORD),
        ("without", "nobody has this password"),
        ("system", PASSWORD),
        ("", PASSWORD),
        ("ana\0", PASSWORD),
        ("a" * 5000, PASSWORD),
        ("' or true --", PASSWORD),
    ]
    answers = []
    for username, password in tried:
        answer = await sign_in(client, username, password)
        if "" in (username, password) and answer.status_code == 422:
            continue  # an empty field of a form is none
        answers.append((answer.status_code, problem(answer)))
    assert len(answers) >= 12
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "wrong_credentials"


async def test_an_unknown_username_takes_as_long_as_a_wrong_password(make_user: Any, price: Any) -> None:
    price(IN_EARNEST)
    await make_user(username="ana", profile="sales", password=PASSWORD)
    taken: dict[str, list[float]] = {"ana": [], "nobody": []}
    for attempt in range(9):
        for username, times in taken.items():
            start = time.process_time()
            with pytest.raises(Unauthenticated):
                await signing_in.sign_in(username, OTHER, f"192.0.2.{attempt}")
            times.append(time.process_time() - start)
    known, unknown = statistics.median(taken["ana"]), statistics.median(taken["nobody"])
    assert 0.7 < known / unknown < 1.4, (known, unknown)


async def test_after_five_wrong_passwords_an_account_waits_a_minute(
    client: httpx.AsyncClient, make_user: Any, later: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await make_user(username="bea", profile="sales", password=PASSWORD)
    for _ in range(5):
        assert (await sign_in(client, password=OTHER)).status_code == 401
    for password in (OTHER, PASSWORD):
        refused = await sign_in(client, password=password)
        assert refused.status_code == 429
        assert problem(refused)["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await sign_in(client, "bea")).status_code == 200, "another account is not concerned"
    assert (await signing_in.sign_in("ANA", PASSWORD, "203.0.113.9")).access_token, "nor is the owner elsewhere"
    later(seconds=60)
    assert (await sign_in(client)).status_code == 200


async def test_unknown_usernames_are_limited_as_known_ones_are(client: httpx.AsyncClient) -> None:
    assert [(await sign_in(client, "nobody")).status_code for _ in range(6)] == [401] * 5 + [429]


async def test_an_address_has_twenty_wrong_attempts_a_minute(make_user: Any, later: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    for attempt in range(20):
        with pytest.raises(Unauthenticated):
            await signing_in.sign_in(f"nobody{attempt}", PASSWORD, f"2001:db8:0:1::{attempt:x}")
    for same in ("2001:db8:0:1::ffff", "2001:db8:0:1:ffff:ffff:ffff:ffff"):
        with pytest.raises(TooMany):
            await signing_in.sign_in("ana", PASSWORD, same)
    for other in ("2001:db8:0:2::1", "::ffff:192.0.2.1", "192.0.2.2", ""):
        assert await signing_in.sign_in("ana", PASSWORD, other)
    later(seconds=61)
    assert await signing_in.sign_in("ana", PASSWORD, "2001:db8:0:1::1")


async def test_who_signs_in_well_is_not_limited(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    for _ in range(4):
        assert (await sign_in(client, password=OTHER)).status_code == 401
    assert [(await sign_in(client)).status_code for _ in range(7)] == [200] * 7
    assert (await sign_in(client, password=OTHER)).status_code == 401
    assert (await sign_in(client, password=OTHER)).status_code == 429, "success does not excuse the attempts before it"


async def test_of_parallel_guesses_no_more_than_five_are_tried(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    answers = await asyncio.gather(*[sign_in(client, password=OTHER) for _ in range(12)])
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_what_is_kept_gives_no_token_password_name_or_address_away(
    client: httpx.AsyncClient, make_user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await make_user(username="ana.munoz", profile="sales", password=PASSWORD)
    await sign_in(client, "ana.munoz", OTHER)
    tokens = await tokens_of(client, "ana.munoz")
    await refresh(client, tokens["refresh_token"])
    kept = str(await value("select json_agg(a)::text from sign_in_attempts a"))
    kept += str(await value("select json_agg(t)::text from refresh_tokens t"))
    kept += str(await value("select json_agg(s)::text from sessions s"))
    assert sha256(tokens["refresh_token"].encode()).hexdigest() in kept
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith(("app", "clientela")))
    for secret in ("munoz", "127.0.0.1", tokens["refresh_token"], tokens["access_token"], PASSWORD, OTHER):
        assert secret not in kept
        assert secret not in logged


async def test_a_password_hashed_at_an_older_price_is_hashed_anew(
    client: httpx.AsyncClient, make_user: Any, price: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    price(PasswordHasher(time_cost=1, memory_cost=128, parallelism=1))
    await tokens_of(client)
    hashed = str(await value("select password_hash from users where username_key = 'ana'"))
    assert hashed.startswith("$argon2id$v=19$m=128,")
    await tokens_of(client)
    assert hashed == await value("select password_hash from users where username_key = 'ana'")
