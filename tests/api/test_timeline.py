"""A customer's timeline."""

from tests.conftest import Client


async def test_the_timeline_is_newest_first_and_paged_by_key(administrator: Client) -> None:
    customer = (await administrator.post("/v1/customers", json={"name": "Rossi S.r.l."})).json()
    for sector in ("retail", "medical", "software"):
        await administrator.patch(f"/v1/customers/{customer['id']}", json={"sector": sector})
    path, cursor, seen = f"/v1/customers/{customer['id']}/timeline", None, []
    while True:
        page = (await administrator.get(path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        if not (cursor := page["next_cursor"]):
            break
    assert [each["version"] for each in seen] == [4, 3, 2, 1]
    assert seen[0]["changes"] == {"sector": ["medical", "software"]}
    assert seen[3]["changes"]["name"] == [None, "Rossi S.r.l."]
    assert len({each["operation_id"] for each in seen}) == 4


async def test_a_cursor_that_is_none_is_refused(administrator: Client) -> None:
    customer = (await administrator.post("/v1/customers", json={"name": "Rossi S.r.l."})).json()
    for cursor in ("x", "_", "2026-01-01_1", "2026-01-01T00:00:00Z_²", "2026-01-01T00:00:00Z_" + "9" * 30):
        answer = await administrator.get(f"/v1/customers/{customer['id']}/timeline", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
