"""Where one is signed in: seen, and ended one by one, all but this one, or by an administrator."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.signing_in import PASSWORD, bearer, id_of, is_in_force, problem, refresh, run, tokens_of, value

pytestmark = pytest.mark.usefixtures("price")


async def sessions(client: httpx.AsyncClient, tokens: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.get("/v1/auth/sessions", headers=bearer(tokens))
    assert answer.status_code == 200
    return list(answer.json()["items"])


async def test_one_sees_ones_own_sessions_and_ends_one_or_all_others(
    client: httpx.AsyncClient, make_user: Any, later: Any
) -> None:
    await make_user(username="ana", profile="sales", password=PASSWORD)
    await make_user(username="bea", profile="sales", password=PASSWORD)
    theirs = await tokens_of(client, "bea")
    [foreign] = await sessions(client, theirs)
    client.headers["user-agent"] = "Firefox " * 100
    phone = await tokens_of(client)
    later(minutes=10)
    client.headers["user-agent"] = "curl/8"
    laptop, here = await tokens_of(client), await tokens_of(client)
    later(minutes=1)
    phone = (await refresh(client, phone["refresh_token"])).json()

    seen = await sessions(client, here)
    assert [each["current"] for each in seen] == [True, False, False]
    assert [each["user_agent"] for each in seen] == ["curl/8", "curl/8", ("Firefox " * 100)[:200]]
    assert seen[0]["last_used_at"] == seen[0]["created_at"]
    assert seen[2]["last_used_at"] > seen[0]["created_at"] > seen[2]["created_at"], "refreshing is using"

    for id in (foreign["id"], uuid4()):
        answer = await client.delete(f"/v1/auth/sessions/{id}", headers=bearer(here))
        assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")
    assert (await client.delete(f"/v1/auth/sessions/{seen[2]['id']}", headers=bearer(here))).status_code == 204
    assert (await client.delete(f"/v1/auth/sessions/{seen[2]['id']}", headers=bearer(here))).status_code == 404
    assert not await is_in_force(client, phone)
    assert (await refresh(client, phone["refresh_token"])).status_code == 401
    assert await is_in_force(client, laptop)

    assert (await client.delete("/v1/auth/sessions", headers=bearer(here))).status_code == 204
    assert (await refresh(client, laptop["refresh_token"])).status_code == 401
    assert [each["current"] for each in await sessions(client, here)] == [True]
    assert await is_in_force(client, theirs)

    later(days=30, minutes=-12)
    fresh = await tokens_of(client)
    assert len(await sessions(client, fresh)) == 2
    later(days=1)
    fresh = (await refresh(client, fresh["refresh_token"])).json()
    assert len(await sessions(client, fresh)) == 1, "what nothing can renew any more is none"


async def test_an_administrator_signs_a_user_out_everywhere(client: httpx.AsyncClient, make_user: Any) -> None:
    for username, profile in (("root", "administrator"), ("ana", "sales"), ("eva", "manager")):
        await make_user(username=username, profile=profile, password=PASSWORD)
    root, ana, eva = [await tokens_of(client, username) for username in ("root", "ana", "eva")]
    roots = await tokens_of(client, "root")
    path = f"/v1/users/{await id_of('ana')}/sessions"
    assert (await client.delete(path, headers=bearer(eva))).status_code == 403
    assert await is_in_force(client, ana)
    assert (await client.delete(path, headers=bearer(root))).status_code == 204
    assert not await is_in_force(client, ana)
    assert (await refresh(client, ana["refresh_token"])).status_code == 401
    told = "select json_build_array(type, actor) from events where record_id = :id order by id desc limit 1"
    assert await value(told, id=await id_of("ana")) == ["user.signed_out", str(await id_of("root"))]
    # Oneself: everywhere but here.
    assert (await client.delete(f"/v1/users/{await id_of('root')}/sessions", headers=bearer(root))).status_code == 204
    assert await is_in_force(client, root)
    assert not await is_in_force(client, roots)
    assert (await client.delete(f"/v1/users/{uuid4()}/sessions", headers=bearer(root))).status_code == 404
    await run("update users set archived_at = now() where username_key = 'ana'")
    assert (await client.delete(path, headers=bearer(root))).status_code == 409
