"""The four files of a company, as they are, loaded over the API: the facts that must hold afterwards."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Client, People
from tests.contracts.worlds import fetch
from tests.loading import errors_of, everything, loaded, total
from tests.serving import api_running, worker_running

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "crm-sales-opportunities"
DATA = EXAMPLE / "data"
PASSWORD = "correct horse battery staple"


@pytest.fixture
async def address(make_user: Any, database_url: str) -> AsyncIterator[str]:
    """Where an API with a worker listens, both processes of their own, with an administrator `ada`."""
    await make_user("ada", "administrator", PASSWORD)
    async with worker_running(), api_running() as url:
        yield url


async def run_script(url: str) -> list[str]:
    """What the example's script prints."""
    environment = {**os.environ, "CRM_URL": url, "CRM_USERNAME": "ada", "CRM_PASSWORD": PASSWORD}
    script = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE / "load"), str(DATA), env=environment, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await script.communicate()
    assert script.returncode == 0, printed.decode()
    return printed.decode().splitlines()


async def test_the_example_loads_the_four_files_and_loading_them_again_changes_nothing(
    address: str, people: People
) -> None:
    assert await run_script(address) == [
        "sales_teams.csv as managers: done, 6 created, 29 merged",
        "sales_teams.csv as agents: done, 35 created",
        "products.csv as products: done, 7 created",
        "accounts.csv as customers: done, 85 created",
        "sales_pipeline.csv as opportunities: done, 8800 created",
    ]
    ada = await people.client(await _id_of("ada"))
    won = await everything(ada, "/v1/opportunities", stage="won", fields="id,amount")
    assert len(won) == 4238
    assert sum(Decimal(each["amount"]) for each in won) == 10005534
    stages = {
        stage: await total(ada, "/v1/opportunities", stage=stage) for stage in ("lost", "qualification", "reception")
    }
    assert stages == {"lost": 2473, "qualification": 1589, "reception": 500}
    assert await total(ada, "/v1/opportunities", lost_reason="unknown") == 2473
    assert await total(ada, "/v1/opportunities", source="import") == 8800
    assert await total(ada, "/v1/opportunities", customer_id__is_null="true") == 1425
    assert await _pairs() == 1259

    users = {each["username"]: each for each in await everything(ada, "/v1/users")}
    await _is_seen_by_an_agent(await people.client(UUID(users["Darcel Schlecht"]["id"])))
    team = [each["id"] for each in users.values() if each["manager_id"] == users["Summer Sewald"]["id"]]
    await _is_seen_by_a_manager(await people.client(UUID(users["Summer Sewald"]["id"])), team)
    await _have_their_customers_fields(ada)
    await _have_their_history(ada)

    before = await _everything_written()
    assert await run_script(address) == [
        "sales_teams.csv as managers: done, 6 unchanged, 29 merged",
        "sales_teams.csv as agents: done, 35 unchanged",
        "products.csv as products: done, 7 unchanged",
        "accounts.csv as customers: done, 85 unchanged",
        "sales_pipeline.csv as opportunities: done, 8800 unchanged",
    ]
    assert await _everything_written() == before


async def _is_seen_by_an_agent(darcel: Client) -> None:
    assert await total(darcel, "/v1/customers") == 55
    assert await total(darcel, "/v1/opportunities") == 5173
    assert await total(darcel, "/v1/opportunities", owner_id=str(darcel.user_id)) == 747
    (own,) = (await darcel.get("/v1/opportunities", params={"owner_id": str(darcel.user_id), "limit": 1})).json()[
        "items"
    ]
    params = {"owner_id__ne": str(darcel.user_id), "limit": 1}
    (other,) = (await darcel.get("/v1/opportunities", params=params)).json()["items"]
    assert (await darcel.patch(f"/v1/opportunities/{own['id']}", json={})).status_code == 200
    assert (await darcel.patch(f"/v1/opportunities/{other['id']}", json={})).status_code == 403


async def _is_seen_by_a_manager(summer: Client, team: list[str]) -> None:
    assert len(team) == 6
    assert await total(summer, "/v1/customers", assigned="true") == 72
    assert await total(summer, "/v1/opportunities") == 6478
    assert await total(summer, "/v1/opportunities", owner_id=team) == 1701


async def _have_their_customers_fields(ada: Client) -> None:
    by_name = {each["name"]: each for each in await everything(ada, "/v1/customers")}
    assert len(by_name) == 85
    acme = by_name["Acme Corporation"]
    assert (acme["sector"], acme["country"], acme["employees"]) == ("technology", "US", 2822)
    assert (acme["annual_revenue"], acme["currency"], acme["owner_id"]) == ("1100040000.00", "USD", None)
    assert sum(each["sector"] == "technology" for each in by_name.values()) == 12
    assert sum(each["country"] == "PH" for each in by_name.values()) == 1
    assert sum(each["country"] == "KR" for each in by_name.values()) == 1
    assert sum(each["parent_id"] == acme["id"] for each in by_name.values()) == 4
    assert sum(each["parent_id"] is not None for each in by_name.values()) == 15


async def _have_their_history(ada: Client) -> None:
    won = (await ada.get("/v1/opportunities", params={"stage": "won", "limit": 1})).json()["items"][0]
    stays = (await ada.get(f"/v1/opportunities/{won['id']}/stages")).json()["items"]
    assert [(each["stage"], each["entered_at"], each["left_at"], each["source"]) for each in stays] == [
        ("qualification", won["opened_at"], won["closed_at"], "import"),
        ("won", won["closed_at"], None, "import"),
    ]
    assert won["stage_entered_at"] == won["closed_at"]
    (open_,) = (await ada.get("/v1/opportunities", params={"stage": "qualification", "limit": 1})).json()["items"]
    stays = (await ada.get(f"/v1/opportunities/{open_['id']}/stages")).json()["items"]
    assert [(each["stage"], each["entered_at"], each["left_at"]) for each in stays] == [
        ("qualification", open_["opened_at"], None)
    ]


async def test_without_the_value_map_each_misspelt_product_is_refused_and_the_rest_loads(people: People) -> None:
    ada = await people.client(await people.user("administrator", username="ada"))
    for file, entity, mapping in (
        ("sales_teams.csv", "users", "agents"),
        ("products.csv", "products", "products"),
        ("accounts.csv", "customers", "customers"),
    ):
        said = json.loads((EXAMPLE / f"{mapping}.json").read_text())
        if mapping == "agents":
            said["columns"]["manager"] = None
        await loaded(ada, entity, (DATA / file).read_bytes(), said)
    said = json.loads((EXAMPLE / "opportunities.json").read_text())
    for column in said["columns"]["product"]:
        del column["value_map"]
    done = await loaded(ada, "opportunities", (DATA / "sales_pipeline.csv").read_bytes(), said, {"date_order": "mdy"})
    assert done["counts"] == {"created": 7320, "updated": 0, "unchanged": 0, "refused": 1480, "merged": 0}
    errors = await errors_of(ada, done)
    assert len({error["row"] for error in errors}) == 1480
    assert {(error["column"], error["code"], error["value"], error["nearest"]) for error in errors} == {
        ("product", "unknown_reference", "GTXPro", "GTX Pro")
    }
    assert await total(ada, "/v1/opportunities") == 7320


async def _id_of(username: str) -> UUID:
    [[id]] = await fetch("select id from users where username_key = $1", username)
    return UUID(str(id))


async def _pairs() -> int:
    [[count]] = await fetch("select count(*) from customer_assignees")
    return int(count)


async def _everything_written() -> list[Any]:
    """What would differ if anything had been written again."""
    tables = ("users", "customers", "products", "opportunities")
    queries = [f"select md5(string_agg(t::text, ',' order by id)) from {table} t" for table in tables]
    counted = ("events", "stage_stays", "opportunity_lines", "match_keys", "external_ids", "assignment_reasons")
    queries += [f"select count(*)::text from {table}" for table in counted]
    return [(await fetch(query))[0][0] for query in queries]
