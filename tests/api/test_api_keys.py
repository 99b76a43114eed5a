"""API keys: a service user's, narrowed by scopes, hashed, shown once, expiring, their last use recorded."""

import logging
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from app import clock
from app.db.models import metadata
from app.policies import api_keys
from tests.api.api_keys import body, coming_with, make_key
from tests.conftest import Client, People
from tests.contracts import worlds
from tests.loading import loaded


@pytest.fixture
async def robot(people: People) -> UUID:
    return await people.user("sales", "robot", username="robot", service=True)


async def test_a_key_acts_as_its_service_user_with_that_users_profile_narrowed_by_its_scopes(
    administrator: Client, robot: UUID
) -> None:
    made = await make_key(administrator, robot, "customers:read", "leads:create")
    theirs = await administrator.post("/v1/customers", json={"name": "Theirs", "owner_id": str(robot)})
    foreign = await administrator.post("/v1/customers", json={"name": "Foreign"})
    async with coming_with(made["key"]) as client:
        assert [each["name"] for each in (await client.get("/v1/customers")).json()["items"]] == ["Theirs"]
        assert (await client.get(f"/v1/customers/{foreign.json()['id']}")).status_code == 404
        # The profile may, the scopes do not say so.
        assert (await client.patch(theirs.headers["location"], json={"description": "x"})).status_code == 403
        assert (await client.get("/v1/leads")).status_code == 403
        # The scopes say nothing that the profile may not.
        created = await client.post("/v1/leads", json={"company_name": "New"})
        assert (created.status_code, created.json().keys()) == (201, {"id"})
        me = (await client.get("/v1/me")).json()
        assert me["id"] == str(robot)
        assert {name: set(each["actions"]) for name, each in me["sections"].items()} == {
            "customers": {"read"},
            "leads": {"create"},
        }
    lead = (await administrator.get(created.headers["location"])).json()
    assert (lead["created_by"], lead["owner_id"]) == (str(robot), str(robot))
    assert [row[0] for row in await worlds.fetch("select actor from events where type = 'lead.created'")] == [robot]


async def test_scopes_give_nothing_that_the_profile_does_not(administrator: Client, robot: UUID) -> None:
    made = await make_key(administrator, robot, "customers:delete", "products:create", "settings:configure")
    async with coming_with(made["key"]) as client:
        assert (await client.get("/v1/me")).json()["sections"] == {}
        assert (await client.patch("/v1/settings", json={"company_name": "x"})).status_code == 403


async def test_only_the_hash_of_a_key_is_kept_and_it_is_shown_once(
    administrator: Client, robot: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = {"json": body(robot, "customers:read"), "headers": {"Idempotency-Key": "one"}}
    first = await administrator.post("/v1/api-keys", **asked)
    key = first.json()["key"]
    assert api_keys.FORM.fullmatch(key)
    assert first.headers["cache-control"] == "private, no-store"
    again = await administrator.post("/v1/api-keys", **asked)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == {name: value for name, value in first.json().items() if name != "key"}
    read = (await administrator.get(first.headers["location"])).json()
    assert read == again.json()
    assert read["prefix"] == key[:12]
    listed = (await administrator.get("/v1/api-keys", params={"user_id": str(robot)})).json()["items"]
    assert listed == [read]
    async with coming_with(key) as client:
        assert (await client.get("/v1/customers")).status_code == 200
        assert (await client.get("/v1/leads")).status_code == 403
    kept = orjson.dumps(
        [row[0] for table in metadata.tables for row in await worlds.fetch(f'select t::text from "{table}" t')]
    ).decode()
    assert sha256(key.encode()).hexdigest() in kept
    assert key[12:] not in kept
    assert key[12:] not in caplog.text


async def test_a_key_expires(administrator: Client, robot: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    for refused in (now - timedelta(seconds=1), now + timedelta(days=367)):
        answer = await administrator.post(
            "/v1/api-keys", json=body(robot, "customers:read", expires_at=refused.isoformat())
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "out_of_range")
        assert answer.json()["errors"][0]["pointer"] == "/expires_at"
    given = body(robot, "customers:read")
    del given["expires_at"]
    assert (await administrator.post("/v1/api-keys", json=given)).status_code == 422
    made = await make_key(administrator, robot, "customers:read", expires_at=(now + timedelta(days=1)).isoformat())
    async with coming_with(made["key"]) as client:
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=23, minutes=59))
        assert (await client.get("/v1/customers")).status_code == 200
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=1))
        answer = await client.get("/v1/customers")
        assert (answer.status_code, answer.json()["code"]) == (401, "api_key_expired")


async def test_when_a_key_was_last_used_is_recorded_about_once_a_minute(
    administrator: Client, robot: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make_key(administrator, robot, "customers:read")
    address = f"/v1/api-keys/{made['id']}"
    assert (await administrator.get(address)).json()["last_used_at"] is None
    used = clock.now()
    seen = []
    async with coming_with(made["key"]) as client:
        for seconds in (1, 30, 62):
            instant = used + timedelta(seconds=seconds)
            monkeypatch.setattr(clock, "now", lambda instant=instant: instant)
            assert (await client.get("/v1/leads")).status_code == 403
            shown = (await administrator.get(address)).json()
            assert shown["version"] == 1
            seen.append((datetime.fromisoformat(shown["last_used_at"]) - used).total_seconds())
    assert seen == [1, 1, 62]


async def test_a_key_that_is_ended_is_void_with_the_next_request(administrator: Client, robot: UUID) -> None:
    made = await make_key(administrator, robot, "customers:read")
    other = await make_key(administrator, robot, "customers:read")
    address = f"/v1/api-keys/{made['id']}"
    async with coming_with(made["key"]) as client, coming_with(other["key"]) as another:
        assert (await client.get("/v1/customers")).status_code == 200
        renamed = await administrator.patch(address, json={"name": "Other"}, headers={"If-Match": '"1"'})
        assert (renamed.json()["name"], renamed.json()["version"]) == ("Other", 2)
        assert (await administrator.patch(address, json={"scopes": ["leads:read"]})).status_code == 422
        assert (await client.get("/v1/customers")).status_code == 200
        assert (await administrator.delete(address)).status_code == 204
        answer = await client.get("/v1/customers")
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
        assert (await client.post("/v1/leads", json={"company_name": "x"})).status_code == 401
        assert (await client.get("/v1/api-keys")).status_code == 401
        assert (await another.get("/v1/customers")).status_code == 200
    ended = (await administrator.get(address, params={"with": "can"})).json()
    assert not any(ended["can"].values())
    assert ended["ended_at"] is not None
    assert ended["archived_at"] is not None
    told = await worlds.fetch("select type, actor from events where record_id = $1 order by id", UUID(made["id"]))
    assert [tuple(row) for row in told] == [
        (f"api_key.{verb}", administrator.user_id) for verb in ("created", "changed", "archived")
    ]


@pytest.mark.parametrize("how", ["deactivated", "archived"])
async def test_the_keys_of_a_service_user_end_with_it(administrator: Client, robot: UUID, how: str) -> None:
    made = await make_key(administrator, robot, "customers:read")
    async with coming_with(made["key"]) as client:
        assert (await client.get("/v1/customers")).status_code == 200
        if how == "archived":
            assert (await administrator.delete(f"/v1/users/{robot}")).status_code == 204
            assert (await administrator.post(f"/v1/users/{robot}/restore")).status_code == 200
        else:
            for active in (False, True):
                answer = await administrator.patch(f"/v1/users/{robot}", json={"active": active})
                assert answer.status_code == 200, answer.text
        assert (await client.get("/v1/customers")).json()["code"] == "session_ended"
    assert (await administrator.get(f"/v1/api-keys/{made['id']}")).json()["ended_at"] is not None


async def test_another_profile_or_policy_holds_for_a_key_on_the_next_request(
    administrator: Client, robot: UUID
) -> None:
    made = await make_key(administrator, robot, "customers:read", "products:create")
    foreign = (await administrator.post("/v1/customers", json={"name": "Foreign"})).headers["location"]
    async with coming_with(made["key"]) as client:
        assert (await client.get(foreign)).status_code == 404
        changed = await administrator.patch(f"/v1/users/{robot}", json={"profile_id": "support"})
        assert changed.status_code == 200
        assert (await client.get(foreign)).status_code == 200
        assert (await client.post("/v1/products", json={"name": "x"})).status_code == 403
        await worlds.execute(
            "insert into policies (kind, subject, section, action, field_group, scope)"
            " values ('p', 'profile:support', 'products', 'create', 'open', 'all')"
        )
        await worlds.execute("update versions set xid = pg_current_xact_id()")
        assert (await client.post("/v1/products", json={"name": "x"})).status_code == 201


async def test_another_profile_by_a_file_ends_no_key_either(administrator: Client, robot: UUID) -> None:
    made = await make_key(administrator, robot, "customers:read")
    mapping = {"match_on": "username", "columns": {"username": "username", "profile": "profile_id"}}
    done = await loaded(administrator, "users", "username,profile\nrobot,support\n", mapping)
    assert done["counts"]["updated"] == 1
    async with coming_with(made["key"]) as client:
        assert (await client.get("/v1/customers")).status_code == 200


async def test_unknown_scopes_are_refused_with_the_nearest(administrator: Client, robot: UUID) -> None:
    scopes = ["customers:reed", "customers:read", "nothing:read", "api_keys:create", "users:update", "*:read"]
    answer = await administrator.post("/v1/api-keys", json=body(robot, *scopes))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_option")
    problems = {each["pointer"]: each["message"] for each in answer.json()["errors"]}
    assert problems.keys() == {f"/scopes/{place}" for place in (0, 2, 3, 4, 5)}
    assert "customers:read?" in problems["/scopes/0"]
    assert (await administrator.post("/v1/api-keys", json=body(robot))).status_code == 422


async def test_only_service_users_that_are_there_and_active_have_keys(
    administrator: Client, people: People, robot: UUID
) -> None:
    idle = await people.user("sales", service=True, active=False)
    for user_id, status, code in (
        (administrator.user_id, 422, "not_a_service_user"),
        (idle, 422, "not_a_service_user"),
        (uuid4(), 404, "not_found"),
    ):
        answer = await administrator.post("/v1/api-keys", json=body(user_id, "customers:read"))
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["errors"][0]["pointer"] == "/user_id"
    assert await worlds.fetch("select id from api_keys") == []


async def test_nobody_makes_a_key_that_may_do_or_reach_more_than_they(administrator: Client, people: People) -> None:
    policies = [
        {"section": "api_keys", "action": "create", "field_group": "open", "reach": "all"},
        {"section": "users", "action": "read", "field_group": "open", "reach": "all"},
        {"section": "customers", "action": "read", "field_group": "open", "reach": "team"},
    ]  # fmt: skip
    for id, count in (("maker", 3), ("worker", 2)):
        labels = dict.fromkeys(("es", "it", "en"), id)
        given = {"id": id, "labels": labels, "policies": policies[3 - count :]}
        answer = await administrator.post("/v1/profiles", json=given)
        assert answer.status_code == 201, answer.text
    maker = await people.client(await people.user("maker"))
    within = await people.user("worker", service=True, manager=maker.user_id)
    beside = await people.user("worker", service=True)
    beyond = await people.user("administrator", service=True, manager=maker.user_id)
    assert (await maker.post("/v1/api-keys", json=body(within, "customers:read"))).status_code == 201
    for user_id in (beside, beyond):
        answer = await maker.post("/v1/api-keys", json=body(user_id, "customers:read"))
        assert (answer.status_code, answer.json()["code"]) == (403, "exceeds_own_profile"), answer.text
    somebody = await people.client(await people.user("manager"))
    assert (await somebody.post("/v1/api-keys", json=body(within, "customers:read"))).status_code == 403
    assert (await somebody.get("/v1/api-keys")).status_code == 403


async def test_a_service_user_is_made_as_one_and_stays_one(administrator: Client) -> None:
    made = await administrator.post(
        "/v1/users", json={"name": "Robot", "username": "robot", "profile_id": "sales", "service": True}
    )
    assert (made.status_code, made.json()["service"]) == (201, True)
    changed = await administrator.patch(made.headers["location"], json={"service": False})
    assert (changed.status_code, changed.json()["code"]) == (422, "read_only_field")
    found = await administrator.get("/v1/users", params={"service": "true"})
    assert [each["id"] for each in found.json()["items"]] == [made.json()["id"]]


async def test_a_service_user_is_given_no_password(administrator: Client, robot: UUID) -> None:
    answer = await administrator.post(f"/v1/users/{robot}/password", json={"password": "la gata bebe leche"})
    assert (answer.status_code, answer.json()["code"]) == (409, "service_user")


async def test_a_service_user_is_not_the_last_administrator(administrator: Client, people: People) -> None:
    await people.user("administrator", service=True)
    answer = await administrator.patch(f"/v1/users/{administrator.user_id}", json={"profile_id": "sales"})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")


async def test_a_key_is_not_tidied_away_while_it_is_not_used(administrator: Client, robot: UUID) -> None:
    from app.db.session import transaction
    from app.db.tidying import delete_past

    made = await make_key(administrator, robot, "customers:read")
    async with transaction() as session:
        assert not await delete_past(session, "sessions", clock.now() + timedelta(days=300))
    async with coming_with(made["key"]) as client:
        assert (await client.get("/v1/customers")).status_code == 200


async def test_an_odd_key_is_unauthenticated_and_never_another_error(
    administrator: Client, robot: UUID, client: httpx.AsyncClient
) -> None:
    made = await make_key(administrator, robot, "customers:read")
    key = made["key"]
    odd = {
        "only the mark": "crm_",
        "nothing behind the mark but blanks": "crm_   ",
        "the prefix that is shown": made["prefix"],
        "one character less": key[:-1],
        "one character more": key + "A",
        "another last character": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "other case": key[:4] + key[4:].swapcase(),
        "another mark": "crm-" + key[4:],
        "mark in capitals": "CRM_" + key[4:],
        "without the mark": key[4:],
        "twice": key + key,
        "padded": key + "=",
        "plus and slash": "crm_" + "+/" * 21 + "A",
        "a key that never was": api_keys.make_api_key(),
        "its hash": "crm_" + sha256(key.encode()).hexdigest(),
        "the bytes of its hash": "crm_" + sha256(key.encode()).hexdigest()[:43],
        "its id": f"crm_{made['id']}",
        "SQL": "crm_' or true; --",
        "a wildcard": "crm_" + "%" * 43,
        "underscores, which LIKE takes for anything": "crm_" + "_" * 43,
        "a token of three parts": "crm_" + "a.b.c",
        "a path": "crm_../../etc/passwd",
        "many characters": "crm_" + "A" * 6000,
        "not ASCII": "crm_" + "é" * 43,
        "full-width": "crm_" + "Ａ" * 43,
        "digits of another script": "crm_" + "٣" * 43,
        "a soft hyphen": key[:10] + "\u00ad" + key[10:],
        "NUL": key + "\x00",
        "a lone continuation byte": key + "\x80",
        "a tab behind": key + "\tA",
        "JSON": 'crm_{"key":1}',
        "a list": "crm_['a']",
    }
    assert len(odd) >= 30
    wrong = {}
    for name, value in odd.items():
        headers = {"Authorization": b"Bearer " + value.encode()}
        answer = await client.get("/v1/customers", headers=headers)  # type: ignore[arg-type]
        if (answer.status_code, answer.json()["code"]) != (401, "invalid_token"):
            wrong[name] = answer.text
    assert wrong == {}
    for header in (f"Basic {key}", key, f"Bearer{key}", f"Token {key}"):
        assert (await client.get("/v1/customers", headers={"Authorization": header})).status_code == 401
    assert (await client.get("/v1/customers", params={"access_token": key})).status_code == 401
    assert (await client.get("/v1/customers", headers={"Authorization": f"bearer {key}"})).status_code == 200


async def test_what_a_key_asks_a_worker_to_do_is_narrowed_as_it_is(
    administrator: Client, robot: UUID, people: People
) -> None:
    """An import is loaded later, by another process, which knows only who sent it and with what."""
    from app.db.session import transaction
    from app.policies.callers import access_of

    scopes = [f"customers:{action}" for action in ("import", "read", "create", "update")]
    robot = await people.user("marketing", service=True)
    await administrator.patch(f"/v1/users/{robot}", json={"profile_id": "manager"})
    made = await make_key(administrator, robot, *scopes, "imports:read")
    fields = {"entity": "customers", "mapping": '{"columns": {"name": "name"}}'}
    async with coming_with(made["key"]) as client:
        answer = await client.post("/v1/imports", data=fields, files={"file": ("a.csv", "name\nNew\n")})
        assert answer.status_code == 202, answer.text
        refused = await client.post(
            "/v1/imports", data=fields | {"entity": "products"}, files={"file": ("a.csv", "name\nNew\n")}
        )
        assert refused.status_code == 403
    (job,) = await worlds.fetch(
        "select run_as, payload ->> 'session_id' as session_id from jobs where kind = 'load_import'"
    )
    async with transaction() as session:
        access = await access_of(session, job["run_as"], UUID(job["session_id"]))
    assert access.user_id == robot
    assert {f"{section}:{action}" for section, action, _ in access.grants} == {*scopes, "imports:read"}
