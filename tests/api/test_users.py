"""Users over HTTP."""

from typing import Any

import pytest

from tests.api.records import make, problems
from tests.conftest import Client

ANA = {"name": "Ana", "username": "Ana.Ruiz", "profile_id": "sales"}


async def test_a_user_needs_no_e_mail(administrator: Client) -> None:
    made = await make(administrator, "users", **ANA)
    assert (made["email"], made["active"], made["username"]) == (None, True, "Ana.Ruiz")
    assert "password_hash" not in made


@pytest.mark.parametrize("same", ["Ana.Ruiz", "ANA.RUIZ", "ａna.ruiz", " ana.ruiz "])
async def test_a_username_is_taken_whatever_its_case(administrator: Client, same: str) -> None:
    await make(administrator, "users", **ANA)
    answer = await administrator.post("/v1/users", json=ANA | {"username": same})
    assert problems(answer, 409) == {("/username", "duplicate")}


async def test_a_username_stays_taken_when_its_user_is_archived(administrator: Client) -> None:
    made = await make(administrator, "users", **ANA)
    await administrator.delete(f"/v1/users/{made['id']}")
    assert (await administrator.post("/v1/users", json=ANA)).status_code == 409
    assert (await administrator.post(f"/v1/users/{made['id']}/restore")).status_code == 200


async def test_an_unknown_profile_names_the_nearest(administrator: Client) -> None:
    answer = await administrator.post("/v1/users", json=ANA | {"profile_id": "sale"})
    assert problems(answer) == {("/profile_id", "unknown_option")}
    assert "sales" in answer.json()["detail"]


async def test_managers_do_not_go_in_circles(administrator: Client) -> None:
    ana = await make(administrator, "users", **ANA)
    eva = await make(administrator, "users", **(ANA | {"username": "eva", "manager_id": ana["id"]}))
    circle = await administrator.patch(f"/v1/users/{ana['id']}", json={"manager_id": eva["id"]})
    assert problems(circle, 409) == {("/manager_id", "loop")}
    alone = await administrator.patch(f"/v1/users/{ana['id']}", json={"manager_id": ana["id"]})
    assert problems(alone) == {("/manager_id", "names_itself")}
    absence = {"from_on": "2026-08-01", "until_on": "2026-08-15", "substitute_id": ana["id"]}
    alone = await administrator.patch(f"/v1/users/{ana['id']}", json={"absence": absence})
    assert problems(alone) == {("/absence/substitute_id", "names_itself")}


async def test_an_absence_ends_after_it_begins(administrator: Client) -> None:
    ana = await make(administrator, "users", **ANA)
    url = f"/v1/users/{ana['id']}"
    absence = {"from_on": "2027-01-10", "until_on": "2027-01-01"}
    assert {pointer for pointer, _ in problems(await administrator.patch(url, json={"absence": absence}))} == {
        "/absence"
    }
    absence = {"from_on": "2027-01-01", "until_on": "2027-01-10", "substitute_id": str(administrator.user_id)}
    assert (await administrator.patch(url, json={"absence": absence})).json()["absence"] == absence
    assert (await administrator.patch(url, json={"absence": None})).json()["absence"] is None


async def test_the_account_is_shown_only_to_those_who_may(administrator: Client, as_profile: Any) -> None:
    ana = await make(administrator, "users", **ANA)
    seen = (await (await as_profile("sales")).get(f"/v1/users/{ana['id']}")).json()
    assert seen["name"] == "Ana"
    assert not {"username", "email", "profile_id", "manager_id"} & set(seen)
    assert (await (await as_profile("manager")).get(f"/v1/users/{ana['id']}")).json()["username"] == "Ana.Ruiz"


async def test_only_an_administrator_makes_users(as_profile: Any) -> None:
    assert (await (await as_profile("manager")).post("/v1/users", json=ANA)).status_code == 403


async def test_the_last_administrator_remains_one(administrator: Client) -> None:
    url = f"/v1/users/{administrator.user_id}"
    for change in ({"active": False}, {"profile_id": "sales"}):
        answer = await administrator.patch(url, json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert (await administrator.delete(url)).json()["code"] == "last_administrator"
