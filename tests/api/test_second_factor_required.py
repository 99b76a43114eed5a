"""Where a profile demands a second factor: whoever has none may set one up, and nothing else."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.second_factors import begin, enrolled
from tests.api.signing_in import PASSWORD, bearer, problem, run, sign_in, tokens_of, value
from tests.conftest import Client
from tests.contracts.cells import routes
from tests.contracts.matrix import OPEN

pytestmark = pytest.mark.usefixtures("price")

# Open to who must set one up, beside what is open to everybody.
OPEN_TO_THEM = {
    ("GET", "/v1/me"),
    ("PATCH", "/v1/me"),
    ("GET", "/v1/auth/second-factor"),
    ("POST", "/v1/auth/second-factor"),
    ("POST", "/v1/auth/second-factor/confirm"),
    ("POST", "/v1/auth/logout"),
}
# Without one the body is refused before it is asked who sent it.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/auth/password/change"): {"json": {"password": PASSWORD, "current_password": PASSWORD}},
    ("POST", "/v1/users/{id}/password"): {"json": {"password": PASSWORD, "current_password": PASSWORD}},
    ("DELETE", "/v1/auth/second-factor"): {"json": {"code": "123456"}},
}


async def demand(profile: str, is_demanded: bool = True) -> None:
    await run(f"update profiles set second_factor_required = {is_demanded} where id = '{profile}'")
    await run("update versions set xid = pg_current_xact_id()")


async def test_nothing_is_open_before_it_is_set_up_and_everything_after(
    client: httpx.AsyncClient, make_user: Any, as_profile: Any
) -> None:
    await make_user(username="ana", profile="administrator", password=PASSWORD)
    other: Client = await as_profile("sales")
    early = await tokens_of(client)
    await demand("administrator")
    tokens = await tokens_of(client)
    for held in (early, tokens):
        me = await client.get("/v1/me", headers=bearer(held))
        assert (me.status_code, me.json()["username"]) == (200, "ana")
        state = (await client.get("/v1/auth/second-factor", headers=bearer(held))).json()
        assert (state["required"], state["enabled"]) == (True, False)
    asked, open_to_them = 0, []
    for method, path in sorted(routes() - OPEN_TO_THEM):
        if path in OPEN or method == "OPTIONS":
            continue
        names = {name: uuid4() for name in ("id", "user_id", "line_id")}
        url = path.format(**names, key="none", system="other", external_id="1")
        answer = await client.request(method, url, headers=bearer(tokens), **BODIES.get((method, path), {}))
        asked += 1
        if (answer.status_code, answer.json().get("code")) != (403, "second_factor_enrolment_required"):
            open_to_them.append((method, path, answer.text))
    assert open_to_them == []
    assert asked > 80
    assert (await other.get("/v1/customers")).status_code == 200, "another profile is not concerned"

    await enrolled(client, tokens)
    for path in ("/v1/customers", "/v1/users", "/v1/auth/sessions"):
        assert (await client.get(path, headers=bearer(tokens))).status_code == 200
    assert (await client.post("/v1/products", json={"name": "Valve"}, headers=bearer(tokens))).status_code == 201
    assert (await client.get("/v1/me", headers=bearer(early))).status_code == 401, "it knew the password alone"


async def test_signing_out_and_refreshing_stay_open(client: httpx.AsyncClient, make_user: Any) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await demand("sales")
    tokens = await tokens_of(client)
    refreshed = await client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 200
    refused = await client.get("/v1/customers", headers=bearer(refreshed.json()))
    assert (refused.status_code, problem(refused)["code"]) == (403, "second_factor_enrolment_required")
    assert (await begin(client, tokens)).status_code == 201
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 403, "begun is not set up"
    await demand("sales", False)
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 200
    assert (await client.post("/v1/auth/logout", headers=bearer(tokens))).status_code == 204


async def test_it_holds_from_the_next_request_on_and_again_when_it_was_taken_away(
    client: httpx.AsyncClient, make_user: Any
) -> None:
    id = await make_user(username="ana", profile="sales", password=PASSWORD)
    root = await make_user(username="root", profile="administrator", password=PASSWORD)
    tokens, administrator = await tokens_of(client), await tokens_of(client, "root")
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 200
    demanded = {"second_factor_required": True}
    answer = await client.patch("/v1/profiles/sales", json=demanded, headers=bearer(administrator))
    assert answer.status_code == 200, answer.text
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 403
    await enrolled(client, tokens)
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 200
    path = f"/v1/users/{id}/second-factor"
    assert (await client.delete(path, headers=bearer(administrator))).status_code == 204
    assert (await client.get("/v1/customers", headers=bearer(tokens))).status_code == 401
    fresh = (await sign_in(client)).json()
    assert (await client.get("/v1/customers", headers=bearer(fresh))).status_code == 403
    told = "select count(*) from events where actor = :root and type = 'user.second_factor_off'"
    assert await value(told, root=root) == 1
