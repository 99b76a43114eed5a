"""Picklists and pipelines over HTTP: read, for now."""

from typing import Any

from app.texts.picklists import PICKLISTS
from tests.conftest import Client


async def test_every_shipped_picklist_has_its_options_in_order_and_three_languages(administrator: Client) -> None:
    lists = {each["key"]: each for each in (await administrator.get("/v1/picklists?limit=200")).json()["items"]}
    assert set(lists) == set(PICKLISTS)
    for key, shipped in PICKLISTS.items():
        assert [each["key"] for each in lists[key]["options"]] == [each.key for each in shipped.options]
        for each in (lists[key], *lists[key]["options"]):
            assert set(each["labels"]) == {"es", "it", "en"}


async def test_the_shipped_pipeline_leads_forward_back_and_to_lost(administrator: Client) -> None:
    [pipeline] = (await administrator.get("/v1/pipelines?entity=opportunities&default=true")).json()["items"]
    assert {each["key"]: set(each["allowed_next"]) for each in pipeline["stages"]} == {
        "reception": {"qualification", "lost"},
        "qualification": {"reception", "proposal", "lost"},
        "proposal": {"qualification", "negotiation", "lost"},
        "negotiation": {"proposal", "won", "lost"},
        "won": set(),
        "lost": set(),
    }
    assert [each["kind"] for each in pipeline["stages"]] == ["open"] * 4 + ["won", "lost"]
    read = await administrator.get(f"/v1/pipelines/{pipeline['id']}")
    assert read.json() == pipeline


async def test_everybody_reads_them_and_nobody_writes_them_yet(as_profile: Any) -> None:
    for profile in ("manager", "sales", "marketing", "support"):
        client = await as_profile(profile)
        for path in ("/v1/picklists", "/v1/pipelines"):
            assert (await client.get(path)).status_code == 200
            assert (await client.post(path, json={})).status_code == 405
