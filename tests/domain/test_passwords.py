"""Passwords: which are refused, and how the others are kept."""

import asyncio
import unicodedata

import pytest
from argon2 import PasswordHasher

from app.domain import passwords
from app.errors import Invalid

USERNAME = "darcel.schlecht@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "x1y2z3" * 171,
        "password1234",
        "Password2026!!",
        "P@ssw0rd12345",
        "Contraseña2026",
        "passwordpassword",
        "ciaociaociao1",
        "Verano2026!!!",
        "administrator",
        "qwertyuiop12",
        "Liverpool.2026",
        "lost4815162342",
        "massimiliano",
        "MichaelJackson",
        "QWERTYasdfgh",
        "123456789012",
        "9876543210987",
        "2026-11-21 10:00",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "abababababab",
        "darcel.schlecht",
        "Darcel Schlecht 1",
        "thcelhcs.lecrad",
        USERNAME,
        "darcelschlechtpassword",
        "lone surrogate \ud800",
    ],
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check_password(password, USERNAME)
    assert refused.value.code == "weak_password"
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/password", "weak_password")]
    assert not password or password not in refused.value.detail


@pytest.mark.parametrize(
    "password",
    [
        "el perro come uvas",
        "kXv93!mqpL2z",
        "Привет, как дела?",
        "一二三四五六七八九十甲乙",
        "password of my dog",
        "x1y2z3" * 170,
    ],
)
def test_a_password_that_nobody_tries_first_is_taken(password: str) -> None:
    passwords.check_password(password, USERNAME)


def test_a_short_username_forbids_nothing() -> None:
    passwords.check_password("viola de gamba", "gam")
    with pytest.raises(Invalid):
        passwords.check_password("viola.gamba.7", "viola-gamba")


async def test_a_password_matches_however_its_accents_are_typed() -> None:
    kept = await passwords.hash_password("canción de otoño")
    assert await passwords.password_matches(unicodedata.normalize("NFD", "canción de otoño"), kept)
    assert not await passwords.password_matches("cancion de otono", kept)
    assert not await passwords.password_matches("canción de otoño" + " ", kept)


async def test_what_cannot_be_a_password_matches_nothing() -> None:
    kept = await passwords.hash_password("el perro come uvas")
    for odd in ("", "\ud800", "x" * 1025, "\0"):
        assert not await passwords.password_matches(odd, kept)
    assert not await passwords.password_matches("el perro come uvas", None)
    assert not await passwords.password_matches("nobody has this password", None)
    assert not await passwords.password_matches("el perro come uvas", "not a hash")


async def test_one_password_is_never_kept_the_same_way_twice_and_never_as_it_is() -> None:
    first, second = await asyncio.gather(*[passwords.hash_password("el perro come uvas") for _ in range(2)])
    assert first != second
    assert first.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert "perro" not in first


async def test_a_hash_at_another_price_is_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))
    assert not passwords.is_outdated(await passwords.hash_password("el perro come uvas"))
