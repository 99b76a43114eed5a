"""What the tests of the API share."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from app import clock
from app.db import reading
from app.domain import passwords
from tests.api.records import asked, least, make
from tests.api.routes import JSON_ROUTES
from tests.conftest import Client
from tests.policies.test_tokens import forget_keys, secrets_are


@pytest.fixture
async def ids(administrator: Client) -> dict[str, str]:
    """A record of each kind, by the name of its list; the form's key is `odd`."""
    made = {"customers": str((await make(administrator, "customers", name="Acme"))["id"])}
    for path in (path for method, path in JSON_ROUTES if method == "PUT"):
        kind = path.split("/")[2]
        body = least(kind, made["customers"]) | ({"key": "odd"} if kind == "forms" else {})
        answer = await administrator.put(path.format(system="erp", external_id="odd"), json=body)
        assert answer.status_code == 201, answer.text
        made.setdefault(kind, str(answer.json()["id"]))
    made["profiles"] = (await make(administrator, "profiles", **least("profiles", made["customers"])))["id"]
    robot = least("users", made["customers"]) | {"service": True}
    made["service"] = str((await make(administrator, "users", **robot))["id"])
    key = least("api-keys", made["customers"]) | {"user_id": made["service"]}
    made["api-keys"] = str((await make(administrator, "api-keys", **key))["id"])
    made["access-requests"] = await asked(administrator, made["customers"])
    workflows = (await administrator.get("/v1/workflows")).json()["items"]
    return made | {"workflows": workflows[0]["id"]}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Moves the clock on."""
    real, moved = clock.now, timedelta()

    def move(**by: float) -> None:
        nonlocal moved
        moved += timedelta(**by)

    monkeypatch.setattr(clock, "now", lambda: real() + moved)
    return move


@pytest.fixture
def price(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[PasswordHasher], None]]:
    """Hashing costs next to nothing, so that the tests are quick; what it costs in earnest, a test may set."""

    def set_price(hasher: PasswordHasher) -> None:
        monkeypatch.setattr(passwords, "HASHER", hasher)
        passwords._nobodys.cache_clear()

    set_price(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    yield set_price
    passwords._nobodys.cache_clear()


@pytest.fixture
def keys_are() -> Iterator[Callable[[str], None]]:
    """`keys_are("…,…")` gives the company other secret keys, the newest first."""
    with pytest.MonkeyPatch.context() as patched:
        yield lambda keys: secrets_are(patched, keys)
    forget_keys()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of a list is looked through, look by look."""
    made = reading.statement
    looks: list[str] = []

    def watched(shape: reading.Shape, values: Any) -> Any:
        looks.append("beginning" if shape.beginning else "scarce" if shape.scarce else "everywhere")
        return made(shape, values)

    monkeypatch.setattr(reading, "statement", watched)
    return looks
