"""What is refused whatever else is sent: a session that has ended, then a parameter that there is not."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from tests.api.routes import JSON_ROUTES, address, operations, send
from tests.conftest import Client


def signed() -> Iterator[tuple[str, str]]:
    """The operations that need one to be signed in; signing out takes whatever token there is."""
    for method, path, operation in operations():
        if operation.get("security") and {} not in operation["security"] and path != "/v1/auth/logout":
            yield method, path


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.status_code >= 400, (answer.request.method, str(answer.request.url), answer.text)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(("method", "path"), list(signed()))
async def test_a_parameter_that_there_is_not_is_refused_everywhere(
    administrator: Client, ids: dict[str, str], method: str, path: str
) -> None:
    answer = await administrator.request(method, address(path, ids), params={"nonsense": "1"})
    assert code(answer) == (422, "unknown_parameter")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/query/nonsense"]


async def test_the_nearest_parameter_is_offered(administrator: Client) -> None:
    for path, near in (("reports/won-amounts?form=2026-01", "from"), ("access-requests?stat=open", "state")):
        answer = await administrator.get(f"/v1/{path}")
        assert code(answer) == (422, "unknown_parameter")
        assert answer.json()["detail"] == f"No such parameter; did you mean {near}?"


async def test_who_is_not_signed_in_any_more_is_told_that_first(administrator: Client, ids: dict[str, str]) -> None:
    async with transaction("system") as session:
        await session.execute(text("update sessions set ended_at = now()"))
    for method, path in JSON_ROUTES:
        if (method, path) in signed():
            for body in ("[]", '{"nonsense": 1}', "{"):
                answer = await send(administrator, method, address(path, ids), body)
                assert code(answer) == (401, "session_ended"), (method, path, body)
    for method, path in signed():
        answer = await administrator.request(method, address(path, ids), params={"nonsense": "1"})
        assert code(answer) == (401, "session_ended"), (method, path)


async def test_a_stranger_is_told_that_they_are_not_signed_in_whatever_they_send(
    client: Client, ids: dict[str, str]
) -> None:
    for method, path in JSON_ROUTES:
        if (method, path) in signed():
            for body, kind in (("{}", "application/json"), ("{", "application/json"), ("{}", "text/plain")):
                answer = await send(client, method, address(path, ids), body, kind)
                assert code(answer) == (401, "unauthenticated"), (method, path, body)
