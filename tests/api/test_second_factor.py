"""A second factor: set up, asked for when signing in, lost and taken away."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import clock
from app.db import jobs
from app.db.session import transaction
from tests.api.second_factors import Authenticator, begin, confirm, enrolled, sign_in, switch_off
from tests.api.signing_in import (
    OTHER,
    PASSWORD,
    bearer,
    id_of,
    is_in_force,
    problem,
    refresh,
    run,
    tokens_of,
    value,
)
from tests.loading import work

pytestmark = pytest.mark.usefixtures("price", "later")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The clock stands still, and is moved on: a code must not become the last one while a test looks away."""
    now = clock.now()

    def move(**by: float) -> None:
        nonlocal now
        now += timedelta(**by)

    monkeypatch.setattr(clock, "now", lambda: now)
    return move


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, problem(answer)["code"]


async def test_it_is_set_up_with_the_password_and_a_first_code(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    elsewhere, here = await tokens_of(client), await tokens_of(client)
    state = {"enabled": False, "enabled_at": None, "required": False, "recovery_codes": 0}
    assert (await client.get("/v1/auth/second-factor", headers=bearer(here))).json() == state
    assert refused(await confirm(client, here, "123456")) == (409, "no_second_factor")
    assert refused(await switch_off(client, here, "123456", PASSWORD)) == (409, "no_second_factor")
    for wrong in (OTHER, None):
        assert refused(await begin(client, here, wrong)) == (422, "wrong_password")

    first = (await begin(client, here)).json()["secret"]
    begun = await begin(client, here)
    assert begun.headers["cache-control"] == "no-store"
    enrolment = begun.json()
    assert re.fullmatch(r"[A-Z2-7]{32}", enrolment["secret"])
    assert enrolment["secret"] != first
    assert enrolment["uri"] == f"otpauth://totp/Clientela:ana?secret={enrolment['secret']}&issuer=Clientela"
    assert enrolment["qr_svg"].startswith("<svg xmlns=")
    assert (await sign_in(client, "ana", None)).status_code == 200, "it does not count yet"

    authenticator = Authenticator(enrolment["secret"])
    for wrong in ("000000", "", "é", "١٢٣٤٥٦", "\0", Authenticator(first).code(), authenticator.code(-3)):
        assert refused(await confirm(client, here, wrong)) == (422, "wrong_code")
    confirmed = await confirm(client, here, authenticator.code())
    assert confirmed.headers["cache-control"] == "no-store"
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", code) for code in codes)
    assert await is_in_force(client, here)
    assert not await is_in_force(client, elsewhere), "where only the password was given"
    state = (await client.get("/v1/auth/second-factor", headers=bearer(here))).json()
    assert (state["enabled"], state["required"], state["recovery_codes"]) == (True, False, 10)
    assert refused(await begin(client, here)) == (409, "second_factor_on")
    assert refused(await confirm(client, here, authenticator.code(1))) == (409, "second_factor_on")

    kept = str(await value("select json_agg(f)::text from second_factors f"))
    kept += str(await value("select json_agg(r)::text from recovery_codes r"))
    kept += str(await value("select json_agg(e)::text from events e"))
    assert enrolment["secret"] not in kept
    assert enrolment["secret"].encode().hex() not in kept
    assert all(code.encode().hex() not in kept and code not in kept for code in codes)
    assert '"user.second_factor_on"' in kept


async def test_signing_in_takes_a_code_that_is_good_once(client: httpx.AsyncClient, make_user: Any, later: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    authenticator, _ = await enrolled(client, await tokens_of(client))
    assert refused(await sign_in(client, "ana", None)) == (401, "second_factor_required")
    assert refused(await sign_in(client, "ana", "")) == (401, "second_factor_required")
    assert refused(await sign_in(client, "ana", authenticator.code(), OTHER)) == (401, "wrong_credentials")
    assert refused(await sign_in(client, "ana", authenticator.code())) == (401, "wrong_code"), "it confirmed already"
    later(seconds=150)
    spaced = f"{authenticator.code()[:3]} {authenticator.code()[3:]}"
    assert (await sign_in(client, "ana", spaced)).status_code == 200
    # Used, of the step before one that was used, too old, too early, no codes.
    for odd in (spaced, authenticator.code(-1), authenticator.code(-2), authenticator.code(3)):
        assert refused(await sign_in(client, "ana", odd)) == (401, "wrong_code"), odd
    later(minutes=1)
    for odd in ("000000", "12345", "١٢٣٤٥٦", "\0"):
        assert refused(await sign_in(client, "ana", odd)) == (401, "wrong_code"), odd
    later(minutes=1)
    tokens = (await sign_in(client, "ana", authenticator.code(1))).json()
    assert await is_in_force(client, tokens), "a clock may be half a minute fast"
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200, "staying signed in takes no code"


async def test_guessing_codes_is_limited_as_guessing_passwords_is(
    client: httpx.AsyncClient, make_user: Any, later: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    authenticator, _ = await enrolled(client, await tokens_of(client))
    statuses = [(await sign_in(client, "ana", "000000")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert (await sign_in(client, "ana", authenticator.code(1))).status_code == 429
    for _ in range(3):
        later(seconds=61)
        assert {(await sign_in(client, "ana", "000000")).status_code for _ in range(5)} == {401}
    later(seconds=61)
    assert (await sign_in(client, "ana", "000000")).status_code == 429, "twenty an hour, whatever the minute says"
    later(hours=1)
    assert (await sign_in(client, "ana", authenticator.code())).status_code == 200


async def test_asking_which_factor_there_is_uses_up_no_attempt(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    authenticator, _ = await enrolled(client, await tokens_of(client))
    assert {(await sign_in(client, "ana", None)).status_code for _ in range(7)} == {401}
    assert (await sign_in(client, "ana", authenticator.code(1))).status_code == 200


async def test_a_recovery_code_stands_in_once(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await make_user(username="bea", profile="sales", password=PASSWORD)
    _, codes = await enrolled(client, await tokens_of(client))
    _, others = await enrolled(client, await tokens_of(client, "bea"))
    signed_in = await sign_in(client, "ana", codes[0].upper().replace("-", " "))
    assert signed_in.status_code == 200
    assert refused(await sign_in(client, "ana", codes[0])) == (401, "wrong_code")
    assert refused(await sign_in(client, "ana", others[0])) == (401, "wrong_code")
    state = (await client.get("/v1/auth/second-factor", headers=bearer(signed_in.json()))).json()
    assert state["recovery_codes"] == 9
    assert (await switch_off(client, signed_in.json(), codes[1], PASSWORD)).status_code == 204


async def test_switching_it_off_takes_password_and_code(client: httpx.AsyncClient, make_user: Any, later: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    tokens = await tokens_of(client)
    authenticator, _ = await enrolled(client, tokens)
    later(seconds=60)
    assert refused(await switch_off(client, tokens, authenticator.code(), OTHER)) == (422, "wrong_password")
    assert refused(await switch_off(client, tokens, "000000", PASSWORD)) == (422, "wrong_code")
    assert refused(await sign_in(client, "ana", None)) == (401, "second_factor_required")
    assert (await switch_off(client, tokens, authenticator.code(), PASSWORD)).status_code == 204
    assert (await sign_in(client, "ana", None)).status_code == 200
    assert await value("select count(*) from recovery_codes") == 0
    told = "select string_agg(type, ' ' order by id) from events where type like 'user.second%'"
    assert await value(told) == "user.second_factor_on user.second_factor_off"


async def test_an_administrator_takes_away_what_was_lost(client: httpx.AsyncClient, make_user: Any) -> None:
    for username, profile in (("root", "administrator"), ("ana", "sales"), ("eva", "manager")):
        await make_user(username=username, profile=profile, password=PASSWORD)
    root, eva, tokens = [await tokens_of(client, username) for username in ("root", "eva", "ana")]
    await enrolled(client, tokens)
    path = f"/v1/users/{await id_of('ana')}/second-factor"
    assert (await client.delete(path, headers=bearer(eva))).status_code == 403
    assert refused(await sign_in(client, "ana", None)) == (401, "second_factor_required")
    assert (await client.delete(path, headers=bearer(root))).status_code == 204
    assert not await is_in_force(client, tokens)
    assert (await sign_in(client, "ana", None)).status_code == 200
    ended = "select count(*) from events where type = 'user.second_factor_off'"
    assert await value(ended) == 1
    assert (await client.delete(path, headers=bearer(root))).status_code == 204
    assert await value(ended) == 1, "there was none to take away"
    await enrolled(client, root)
    own = f"/v1/users/{await id_of('root')}/second-factor"
    assert refused(await client.delete(own, headers=bearer(root))) == (403, "forbidden")
    assert refused(await sign_in(client, "root", None)) == (401, "second_factor_required")


async def test_a_second_factor_outlives_the_key_that_it_was_sealed_with(
    client: httpx.AsyncClient, make_user: Any, later: Any, keys_are: Callable[[str], None]
) -> None:
    old, new = "o" * 32, "n" * 32
    keys_are(old)
    await make_user(username="ana", profile="sales", password=PASSWORD)
    authenticator, _ = await enrolled(client, await tokens_of(client))
    for keys in (f"{old},{new}", f"{new},{old}", new):
        keys_are(keys)
        later(minutes=2)
        assert (await sign_in(client, "ana", authenticator.code())).status_code == 200, keys
        async with transaction("system") as session:
            await jobs.promise(session, jobs.Job.TIDY, run_as=None)
        await work()


async def test_where_the_companys_key_is_another_one_recovery_codes_still_open(
    client: httpx.AsyncClient, make_user: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    authenticator, codes = await enrolled(client, await tokens_of(client))
    await run("update second_factors set secret = set_byte(secret, 20, get_byte(secret, 20) # 1)")
    assert refused(await sign_in(client, "ana", authenticator.code(1))) == (401, "wrong_code")
    assert (await sign_in(client, "ana", codes[3])).status_code == 200
