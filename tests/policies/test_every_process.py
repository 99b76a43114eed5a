"""Two processes of the API and a worker: does what changes over one hold in the others, on the next request and job?

One of the two is that of the tests; the other and the worker are started as they are in earnest.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import httpx

from tests.conftest import Client
from tests.jobs.effects import until
from tests.loading import send
from tests.policies.steps import change, create
from tests.serving import api_running, worker_running

AsProfile = Callable[..., Awaitable[Client]]
MAPPING = {"columns": {"name": "name"}}


async def without(client: httpx.AsyncClient, id: str, section: str, action: str, group: str) -> None:
    """Take a policy away from a profile."""
    policies = (await client.get(f"/v1/profiles/{id}")).json()["policies"]
    gone = {"section": section, "action": action, "field_group": group}
    kept = [each for each in policies if not gone.items() <= each.items()]
    assert len(kept) == len(policies) - 1
    assert (await client.patch(f"/v1/profiles/{id}", json={"policies": kept})).status_code == 200


async def test_a_policy_a_manager_an_assignment_a_deactivation_hold_in_every_process_on_the_next_request(
    administrator: Client, as_profile: AsProfile
) -> None:
    boss, deputy = await as_profile("manager"), await as_profile("manager")
    ana, ben = await as_profile("sales"), await as_profile("sales")
    async with AsyncExitStack() as stack:
        address, worker = await asyncio.gather(
            stack.enter_async_context(api_running()), stack.enter_async_context(worker_running())
        )

        async def there(client: Client) -> Client:
            """The same caller, at the other process."""
            made = Client(base_url=address, headers={"Authorization": client.headers["Authorization"]})
            return await stack.enter_async_context(made)

        one = administrator
        boss_two, deputy_two, ana_two, ben_two = [await there(each) for each in (boss, deputy, ana, ben)]
        customer = await create(ana_two, "customers")
        url = f"/v1/customers/{customer['id']}"

        assert "credit_limit" in (await ana_two.get(url)).json()
        await without(one, "sales", "customers", "read", "billing")
        assert "credit_limit" not in (await ana_two.get(url)).json()
        assert (await ana_two.get("/v1/customers", params={"credit_limit__gt": 1})).json()["code"] == "field_hidden"

        assert (await boss_two.get(url)).status_code == 404
        assert (await change(one, "users", {"id": ana.user_id}, manager_id=boss.user_id)).status_code == 200
        assert (await boss_two.get(url)).status_code == 200

        assert (await ben_two.get(url)).status_code == 404
        deal = await create(one, "opportunities", customer_id=customer["id"], owner_id=ben.user_id)
        assert (await ben_two.get(url)).status_code == 200
        assert (await change(one, "opportunities", deal, owner_id=ana.user_id)).status_code == 200
        assert (await ben_two.get(url)).status_code == 404

        sent = [await send(boss_two, "customers", "name\nBefore\n", MAPPING)]
        await until(lambda: finished(boss_two, sent[0]))
        worker.send_signal(signal.SIGSTOP)
        sent += [await send(each, "customers", "name\nAfter\n", MAPPING) for each in (boss_two, deputy_two)]
        await without(one, "manager", "customers", "import", "open")
        assert (await change(one, "users", {"id": deputy.user_id}, active=False)).status_code == 200
        worker.send_signal(signal.SIGCONT)
        for each in sent:
            await until(lambda each=each: finished(one, each))  # type: ignore[misc]
        states = [(await one.get(each.headers["location"])).json() for each in sent]
        assert [(each["state"], each["counts"]["created"]) for each in states] == [
            ("done", 1), ("failed", 0), ("failed", 0),
        ]  # fmt: skip
        assert [each["failure"] for each in states[1:]] == [
            "Your profile may not import customers",
            "Whoever sent it is no longer an active user",
        ]
        assert [each["failure_code"] for each in states[1:]] == ["forbidden", "no_longer_active"]
        assert (await send(boss_two, "customers", "name\nLater\n", MAPPING)).status_code == 403
        assert (await deputy_two.get("/v1/customers")).status_code == 401

        assert (await ben_two.get("/v1/customers")).status_code == 200
        assert (await change(one, "users", {"id": ben.user_id}, active=False)).status_code == 200
        assert (await ben_two.get("/v1/customers")).status_code == 401


async def finished(client: httpx.AsyncClient, sent: httpx.Response) -> bool:
    assert sent.status_code == 202, sent.text
    return (await client.get(sent.headers["location"])).json()["finished_at"] is not None
