"""Is what failed for good seen by those who look after it, and done after all when they say so?"""

import asyncio
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from app.api.jobs import Kind
from app.db.jobs import Job
from app.domain import import_loading
from app.jobs.job import MOST_ATTEMPTS
from app.server import mailbox
from app.settings import settings
from tests import loading
from tests.api.records import make
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.jobs.company import lead, rows, switch

NAMES = {"columns": {"name": "name"}, "match_on": "name"}


async def give_up() -> None:
    """Do what is due, for the last time."""
    await worlds.execute("update jobs set attempts = $1 where state = 'pending'", MOST_ATTEMPTS - 1)
    await loading.work()


async def failed(client: Client, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/jobs", params={"state": "failed", **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def retry(client: Client, id: int, **headers: str) -> httpx.Response:
    return await client.post(f"/v1/jobs/{id}/retry", headers=headers)


async def make_watch(administrator: Client, reach: str) -> None:
    """A profile that looks after jobs and does nothing else."""
    both = [{"section": "jobs", "action": action, "field_group": "open"} for action in ("read", "configure")]
    labels = {"es": "Guardia", "it": "Guardia", "en": "Watch"}
    await make(
        administrator, "profiles", id="watch", labels=labels, policies=[each | {"reach": reach} for each in both]
    )


async def test_a_file_that_could_not_be_loaded_is_loaded_after_all(
    administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(import_loading, "load", None)
        sent = (await loading.send(administrator, "customers", "name\nAceros\n", NAMES)).json()
        await give_up()
    told = (await administrator.get(f"/v1/imports/{sent['id']}")).json()
    assert (told["state"], told["failure_code"]) == ("failed", "given_up")
    [job] = await failed(administrator, kind="load_import")
    assert (job["payload"]["import_id"], job["run_as"]) == (sent["id"], str(administrator.user_id))
    assert (job["attempts"], job["last_error"]) == (MOST_ATTEMPTS, "TypeError")
    assert (await administrator.get(f"/v1/jobs/{job['id']}")).json() == job

    again = await retry(administrator, job["id"])
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (200, "pending", 0)
    waiting = (await administrator.get(f"/v1/imports/{sent['id']}")).json()
    assert waiting["state"] == "received"
    assert (waiting["failure"], waiting["failure_code"], waiting["finished_at"]) == (None, None, None)
    await loading.work()
    loaded = (await administrator.get(f"/v1/imports/{sent['id']}")).json()
    assert (loaded["state"], loaded["counts"]["created"]) == ("done", 1)
    assert (await administrator.get(f"/v1/jobs/{job['id']}")).json()["state"] == "done"
    assert await failed(administrator) == []


async def test_a_message_and_a_run_that_failed_go_their_way_again(
    people: People, administrator: Client, mail_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:9")
        settings.cache_clear()
        await switch("web_lead")
        await lead()
        with away.context() as broken:
            broken.setattr("app.domain.web_lead.act", None)
            await give_up()
        assert [row.state for row in await rows("select state from workflow_runs")] == ["failed"]
        [run] = await failed(administrator)
        await people.user("sales")
        assert (await retry(administrator, run["id"])).status_code == 200
        await loading.work()
        assert [row.state for row in await rows("select state from workflow_runs")] == ["done"]
        await worlds.execute("update jobs set run_at = now() where state = 'pending'")
        # Away for days.
        await worlds.execute("update messages set created_at = created_at - interval '3 days'")
        await give_up()
    settings.cache_clear()
    [message] = await rows("select id, state, version from messages")
    assert message.state == "failed"
    [job] = await failed(administrator)
    assert (job["kind"], job["payload"]) == ("send_message", {"message_id": str(message.id)})
    assert (await retry(administrator, job["id"])).status_code == 200
    [event] = await rows("select actor from events where type = 'message.queued'")
    assert event.actor == administrator.user_id
    await loading.work()
    assert [(row.state, row.failure) for row in await rows("select state, failure from messages")] == [("sent", None)]
    assert len(mailbox.newest(mail_folder)) == 1


async def test_only_what_failed_is_retried_and_only_once(administrator: Client) -> None:
    job = await worlds.failed_job()
    answers = await asyncio.gather(*(retry(administrator, job) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"not_failed"}
    assert (await retry(administrator, job + 1)).status_code == 404
    assert (await administrator.get(f"/v1/jobs/{job + 1}")).status_code == 404
    for id in ("0", "-1", "x", str(2**63)):
        assert (await administrator.get(f"/v1/jobs/{id}")).status_code == 404, id


async def test_a_repeated_request_is_one_retry(administrator: Client) -> None:
    job = await worlds.failed_job()
    key = {"Idempotency-Key": "once"}
    first, second = await retry(administrator, job, **key), await retry(administrator, job, **key)
    assert (first.status_code, second.status_code, first.json()) == (200, 200, second.json())


async def test_what_was_promised_anew_meanwhile_is_not_done_twice(administrator: Client) -> None:
    older, newer = await worlds.failed_job(), await worlds.failed_job()
    assert (await retry(administrator, newer)).json()["state"] == "pending"
    assert (await retry(administrator, older)).json()["state"] == "done"


async def test_jobs_come_in_pages_the_newest_first(administrator: Client) -> None:
    made = [await worlds.failed_job() for _ in range(5)]
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await administrator.get("/v1/jobs", params={"limit": 2, "kind": "tidy"} | cursor)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made[::-1]
    assert await failed(administrator, kind="send_message") == []
    for wrong in (
        {"state": "away"},
        {"kind": "tidyy"},
        {"cursor": "x"},
        {"limit": "0"},
        {"limit": "201"},
        {"stat": "failed"},
    ):
        assert (await administrator.get("/v1/jobs", params=wrong)).status_code == 422, wrong


def test_every_kind_can_be_asked_for() -> None:
    assert get_args(Kind) == tuple(Job)


async def test_a_profile_sees_the_jobs_of_those_whom_it_reaches(people: People, administrator: Client) -> None:
    await make_watch(administrator, "team")
    watching = await people.user("watch")
    member, stranger = await people.user("sales", manager=watching), await people.user("sales")
    jobs = [await worlds.failed_job() for _ in range(3)]
    for job, whose in zip(jobs, (member, stranger, None), strict=True):
        await worlds.execute("update jobs set run_as = $1 where id = $2", whose, job)
    client = await people.client(watching)
    assert [each["id"] for each in await failed(client)] == jobs[:1]
    for job in jobs[1:]:
        assert (await client.get(f"/v1/jobs/{job}")).status_code == 404
        assert (await retry(client, job)).status_code == 404
    assert (await retry(client, jobs[0])).status_code == 200


async def test_whoever_may_not_change_a_message_cannot_have_it_sent(people: People, administrator: Client) -> None:
    await make_watch(administrator, "all")
    message = await make(administrator, "messages", channel="email", to_address="eva@acero.es", subject="A", text="B")
    await worlds.execute("update messages set state = 'failed', failure = 'away'")
    job = await worlds.failed_job()
    await worlds.execute(
        "update jobs set kind = 'send_message', payload = jsonb_build_object('message_id', $1::text) where id = $2",
        message["id"],
        job,
    )
    client = await people.client(await people.user("watch"))
    assert (await retry(client, job)).status_code == 404
    assert [row.state for row in await rows("select state from messages")] == ["failed"]
    assert [row.state for row in await rows(f"select state from jobs where id = {job}")] == ["failed"]
