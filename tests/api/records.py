"""Records made over HTTP for the tests to work on."""

import asyncio
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from app import clock
from tests.conftest import Client
from tests.contracts.worlds import FORM, PROFILE, TEMPLATE, execute

_numbers = count(1)


def least(kind: str, customer_id: str) -> dict[str, Any]:
    """The least that makes a record of a kind, with keys that no other has."""
    key = f"odd{next(_numbers)}"
    bodies: dict[str, dict[str, Any]] = {
        "customers": {"name": "Odd"},
        "contacts": {"last_name": "Ruiz", "customer_id": customer_id},
        "products": {"name": "Valve"},
        "access-requests": {"tax_id": key, "reason": "They called"},
        "leads": {"last_name": "Ruiz"},
        "opportunities": {"name": "Valves", "customer_id": customer_id},
        "activities": {"kind": "call", "subject": "Call"},
        "messages": {"channel": "phone", "subject": "Called"},
        "templates": TEMPLATE | {"key": key},
        "forms": FORM | {"key": key},
        "users": {"name": "Ana", "username": key, "profile_id": "sales"},
        "profiles": PROFILE | {"id": key},
        "api-keys": {"name": "Shop", "scopes": ["leads:create"], "expires_at": str(clock.now() + timedelta(days=9))},
    }
    return bodies[kind]


# By which stages an opportunity is won.
TO_WON = ("qualification", "proposal", "negotiation", "won")
# What the actions upon records ask for at the least.
ACTIONS: dict[str, dict[str, Any]] = {
    "/v1/activities/{id}/done": {"outcome": "reached"},
    "/v1/leads/{id}/stage": {"stage": "contacted"},
    "/v1/opportunities/{id}/stage": {"stage": "qualification"},
    "/v1/forms/{key}/submissions": {"email": "eva@acero.es"},
}


async def make(client: Client, entity: str, /, **values: Any) -> dict[str, Any]:
    """Create a record and answer it as the API did."""
    answer = await client.post(f"/v1/{entity}", json=values)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def opportunity(client: Client, *stages: str, **values: Any) -> str:
    """The id of an opportunity that went through these stages."""
    made = await make(client, "opportunities", **{"name": "Valves"} | values)
    for stage in stages:
        move = {"stage": stage} | ({"lost_reason": "price"} if stage == "lost" else {})
        answer = await client.post(f"/v1/opportunities/{made['id']}/stage", json=move)
        assert answer.status_code == 200, answer.text
    return str(made["id"])


async def asked(client: Client, customer_id: str) -> str:
    """A request to be let in to a customer, which is the client's to decide."""
    id = str(uuid7())
    await execute(
        "insert into access_requests (id, requester_id, evidence, reason, customer_id, state, created_at)"
        " values ($1, $2, jsonb_build_object('tax_id', $3::text), 'They called', $4, 'open', now())",
        UUID(id),
        client.user_id,
        id[:30],
        UUID(customer_id),
    )
    return id


async def found(client: Client, entity: str, **parameters: Any) -> list[str]:
    """The names that a list answers, in its order."""
    answer = await client.get(f"/v1/{entity}", params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def at_once(*requests: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


def problems(answer: httpx.Response, status: int = 422) -> set[tuple[str, str]]:
    """The (pointer, code) pairs of a refusal."""
    assert answer.status_code == status, answer.text
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}
