"""Guessing from everywhere: an account withstands it, its owner is not locked out, and nobody learns if it exists."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from app.domain import attempts, passwords, signing_in
from app.errors import TooMany, Unauthenticated
from tests.api.signing_in import OTHER, PASSWORD, run, tokens_of
from tests.api.test_password_links import forget, mailed, reset, token_in

pytestmark = pytest.mark.usefixtures("price")

HOME, HOTEL = "203.0.113.9", "198.51.100.7"


async def guess_from_everywhere(username: str, times: int = 53) -> int:
    """How many guesses were looked at."""
    looked_at = 0
    for number in range(times):
        try:
            await signing_in.sign_in(username, OTHER, f"192.0.2.{number}")
        except Unauthenticated:
            looked_at += 1
        except TooMany:
            continue
    return looked_at


async def test_guesses_from_everywhere_are_few_and_leave_the_owner_where_they_have_been(
    make_user: Any, later: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await signing_in.sign_in("ana", PASSWORD, HOME)
    assert await guess_from_everywhere("ana") == 50
    assert await guess_from_everywhere("nobody") == 50, "known or not"
    assert (await signing_in.sign_in("ana", PASSWORD, HOME)).access_token
    with pytest.raises(TooMany):
        await signing_in.sign_in("ana", PASSWORD, HOTEL)
    with pytest.raises(TooMany):
        await signing_in.sign_in("ana", PASSWORD, "192.0.2.5")
    later(hours=1)
    assert (await signing_in.sign_in("ana", PASSWORD, HOTEL)).access_token


async def test_where_the_owner_has_been_outlives_a_change_of_the_secret(
    make_user: Any, keys_are: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BY_STRANGERS", 5)
    old, new = "o" * 32, "n" * 32
    await make_user(username="ana", profile="sales", password=PASSWORD)
    keys_are(old)
    await signing_in.sign_in("ana", PASSWORD, HOME)
    keys_are(f"{new},{old}")
    assert await guess_from_everywhere("ana", 7) == 5
    with pytest.raises(TooMany):
        await signing_in.sign_in("ana", PASSWORD, HOTEL)
    assert (await signing_in.sign_in("ana", PASSWORD, HOME)).access_token
    keys_are(new)
    assert await guess_from_everywhere("ana", 1) == 0
    assert (await signing_in.sign_in("ana", PASSWORD, HOME)).access_token, "it is remembered anew"


async def test_a_network_is_forgotten_with_the_secret_that_it_was_remembered_by(
    make_user: Any, keys_are: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BY_STRANGERS", 5)
    await make_user(username="ana", profile="sales", password=PASSWORD)
    keys_are("o" * 32)
    await signing_in.sign_in("ana", PASSWORD, HOME)
    keys_are("n" * 32)
    assert await guess_from_everywhere("ana", 7) == 5
    with pytest.raises(TooMany):
        await signing_in.sign_in("ana", PASSWORD, HOME)


async def test_a_mailed_link_opens_an_account_under_attack_from_anywhere(
    client: httpx.AsyncClient, make_user: Any, mail_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BY_STRANGERS", 5)
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await run("update users set email = 'ana@acero.example' where username_key = 'ana'")
    assert await guess_from_everywhere("ana", 7) == 5
    with pytest.raises(TooMany):
        await signing_in.sign_in("ana", PASSWORD, "127.0.0.1")
    await forget(client, "ana")
    assert (await reset(client, token_in((await mailed(mail_folder))[0]))).status_code == 204
    assert await tokens_of(client, password=OTHER)


async def test_one_address_that_is_refused_does_not_use_up_what_strangers_have(make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    for _ in range(60):
        with pytest.raises((TooMany, Unauthenticated)):
            await signing_in.sign_in("ana", OTHER, HOTEL)
    assert (await signing_in.sign_in("ana", PASSWORD, HOME)).access_token


class Counting(PasswordHasher):
    """Counts the hashes that it compares with, by what they cost."""

    compared: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        self.compared.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


async def test_whether_the_username_exists_or_not_one_hash_of_the_same_price_is_compared(
    make_user: Any, price: Any
) -> None:
    price(Counting(time_cost=1, memory_cost=64, parallelism=1))
    for username in ("ana", "inactive", "without"):
        await make_user(username=username, profile="sales", password=PASSWORD)
    await run("update users set active = false where username_key = 'inactive'")
    await run("update users set password_hash = null where username_key = 'without'")
    assert isinstance(passwords.HASHER, Counting)
    seen = []
    for username in ("ana", "inactive", "without", "nobody", "", "\0"):
        Counting.compared.clear()
        with pytest.raises(Unauthenticated):
            await signing_in.sign_in(username, OTHER, HOME)
        seen.append(list(Counting.compared))
    assert seen == [["$argon2id$v=19$m=64,t=1,p=1"]] * len(seen)
