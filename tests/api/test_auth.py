"""Signing in, staying signed in, signing out, and passwords, as clients meet them."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from app import clock
from app.db import signing_in as kept
from app.db.session import transaction
from app.domain import passwords, signing_in
from app.domain.entities.users import username_key
from app.errors import TooMany, Unauthenticated
from app.policies.tokens import read_access_token

PASSWORD = "el perro come uvas"
OTHER = "la gata bebe leche"
IN_EARNEST = passwords.HASHER


async def sign_in(client: httpx.AsyncClient, username: str = "ana", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/auth/token", data={"username": username, "password": password})


async def tokens_of(client: httpx.AsyncClient, username: str = "ana", password: str = PASSWORD) -> dict[str, Any]:
    answer = await sign_in(client, username, password)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/refresh", json={"refresh_token": token})


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def set_password(client: httpx.AsyncClient, tokens: dict[str, Any], id: UUID, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/users/{id}/password", json=body, headers=bearer(tokens))


async def is_in_force(client: httpx.AsyncClient, tokens: dict[str, Any]) -> bool:
    """Asked of a route that changes nothing: one's own password with a wrong current one is 422, not 401."""
    id = UUID(
        await value(
            "select user_id::text from refresh_tokens t join sessions s on s.id = t.session_id where hash = :hash",
            hash=sha256(tokens["refresh_token"].encode()).digest(),
        )
    )
    answer = await set_password(client, tokens, id, password=OTHER, current_password="wrong")
    assert answer.status_code in (401, 422), answer.text
    return answer.status_code == 422


async def value(query: str, **values: Any) -> Any:
    async with transaction() as session:
        return (await session.execute(text(query), values)).scalar()


async def run(statement: str, **values: Any) -> None:
    async with transaction() as session:
        await session.execute(text(statement), values)


async def id_of(username: str) -> UUID:
    return UUID(str(await value("select id from users where username_key = :key", key=username_key(username))))


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The answer without what tells one request from another."""
    assert answer.headers["content-type"].startswith("application/problem+json")
    return {name: said for name, said in answer.json().items() if name not in ("request_id", "instance")}


@pytest.fixture(autouse=True)
def price(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Hashing costs next to nothing, so that the tests are quick; what it costs in earnest, a test may set."""

    def set_price(hasher: PasswordHasher) -> None:
        monkeypatch.setattr(passwords, "HASHER", hasher)
        passwords._nobodys.cache_clear()

    set_price(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    yield set_price
    passwords._nobodys.cache_clear()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock on."""
    real, moved = clock.now, timedelta()

    def move(**by: float) -> None:
        nonlocal moved
        moved += timedelta(**by)

    monkeypatch.setattr(clock, "now", lambda: real() + moved)
    return move


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
    assert (await client.post("/v1/auth/token", json={"username": "ana", "password": PASSWORD})).status_code == 422


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
