"""`X-Dry-Run: true`: a write is checked and answered as if done, and nothing of it is kept."""

import httpx

from tests.api.records import make, problems
from tests.api.routes import DOCUMENT, WRITE_ROUTES, address, operations
from tests.api.submissions import ANA
from tests.conftest import Client
from tests.contracts.worlds import fingerprint

TRYING = {"X-Dry-Run": "true"}
TRIED = [
    (method, path)
    for method, path, operation in operations()
    if "X-Dry-Run" in {each["name"] for each in operation.get("parameters", ())}
]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_all_that_a_write_answers_is_answered_and_nothing_is_kept(administrator: Client) -> None:
    customer = await make(administrator, "customers", name="Acme")
    opportunity = await make(administrator, "opportunities", name="V", customer_id=customer["id"], amount="5")
    user = await make(administrator, "users", username="eva", name="Eva", profile_id="sales")
    before = await fingerprint()
    url, at = f"/v1/customers/{customer['id']}", f"/v1/opportunities/{opportunity['id']}"
    writes = (
        ("POST", "/v1/customers", {"name": "Beta"}, 201, {"name": "Beta", "version": 1}),
        ("PATCH", url, {"name": "Beta"}, 200, {"name": "Beta", "version": 2}),
        ("PUT", "/v1/customers/by/erp/1", {"name": "Beta"}, 201, {"name": "Beta"}),
        ("POST", f"{at}/stage", {"stage": "qualification"}, 200, {"stage": "qualification"}),
        ("PATCH", "/v1/settings", {"country": "FR"}, 200, {"country": "FR"}),
        ("DELETE", url, None, 204, {}),
        ("POST", f"/v1/users/{administrator.user_id}/hand-over", {"to": [user["id"]]}, 200, {"opportunities": 1}),
        (
            "POST",
            "/v1/messages",
            {"channel": "email", "direction": "out", "customer_id": customer["id"], "to_address": "a@acme.example"}
            | {"subject": "Hi", "text": "Hi"},
            201,
            {"state": "queued"},
        ),
    )
    for method, path, body, status, says in writes:
        for headers in (TRYING, {"X-Dry-Run": " True "}):
            answer = await administrator.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, (method, path, answer.text)
            assert says.items() <= (answer.json() if answer.content else {}).items()
            assert await fingerprint() == before, (method, path)
    assert (await administrator.get(url)).json() == customer


async def test_what_would_be_refused_is_refused(administrator: Client) -> None:
    product = await make(administrator, "products", name="Valve", sku="V-1")
    for headers in ({}, TRYING):
        for body, status, said in (
            ({"name": "Pipe", "sku": "V-1"}, 409, "duplicate"),
            ({"name": "Pipe", "prise": "1"}, 422, "unknown_field"),
        ):
            assert code(await administrator.post("/v1/products", json=body, headers=headers)) == (status, said)
        stale = await administrator.patch(
            f"/v1/products/{product['id']}", json={"name": "x"}, headers={"If-Match": '"7"', **headers}
        )
        assert code(stale) == (412, "stale")


async def test_a_request_that_was_tried_may_be_done_with_the_same_key(administrator: Client) -> None:
    key = {"Idempotency-Key": "one"}
    tried = await administrator.post("/v1/customers", json={"name": "Acme"}, headers=key | TRYING)
    done = await administrator.post("/v1/customers", json={"name": "Acme"}, headers=key)
    assert (tried.status_code, done.status_code, done.headers.get("Idempotency-Replayed")) == (201, 201, None)
    assert tried.json()["id"] != done.json()["id"]
    assert (await administrator.get(f"/v1/customers/{tried.json()['id']}")).status_code == 404
    again = await administrator.post("/v1/customers", json={"name": "Acme"}, headers=key)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (done.json()["id"], "true")


async def test_false_is_done_and_anything_else_is_no_answer(administrator: Client) -> None:
    made = await administrator.post("/v1/customers", json={"name": "Acme"}, headers={"X-Dry-Run": "false"})
    assert (await administrator.get(f"/v1/customers/{made.json()['id']}")).status_code == 200
    before = await fingerprint()
    for said in ("", "yes", "1"):
        for method, path in (("POST", "/v1/customers"), ("PATCH", f"/v1/customers/{made.json()['id']}")):
            answer = await administrator.request(method, path, json={"name": "B"}, headers={"X-Dry-Run": said})
            assert problems(answer) == {("/header/X-Dry-Run", "bool_parsing")}
    twice = [("X-Dry-Run", "false"), ("X-Dry-Run", "true")]
    answer = await administrator.post("/v1/customers", json={"name": "B"}, headers=twice)
    assert problems(answer) == {("/header/X-Dry-Run", "bool_parsing")}
    assert await fingerprint() == before


async def test_no_write_is_done_that_is_asked_to_be_only_tried(
    administrator: Client, client: Client, ids: dict[str, str]
) -> None:
    """Where it cannot be tried, that is said; who is not signed in is told that first."""
    before = await fingerprint()
    for method, path in WRITE_ROUTES:
        url = address(path, ids)
        body = ANA if path.endswith("/submissions") else {}
        answer = await administrator.request(method, url, json=body, headers=TRYING)
        if (method, path) in TRIED:
            assert answer.status_code < 300 or answer.json()["code"] != "no_dry_run", (method, path, answer.text)
        else:
            assert code(answer) == (422, "no_dry_run"), (method, path)
            assert [each["pointer"] for each in answer.json()["errors"]] == ["/header/X-Dry-Run"]
        if DOCUMENT["paths"][path][method.lower()].get("security", [{}])[0] and path != "/v1/auth/logout":
            refused = await client.request(method, url, json=body, headers=TRYING)
            assert code(refused) == (401, "unauthenticated"), (method, path)
        assert await fingerprint() == before, (method, path)


def test_records_can_be_tried_and_credentials_cannot() -> None:
    assert {("POST", "/v1/customers"), ("PATCH", "/v1/leads/{id}"), ("POST", "/v1/imports")} <= set(TRIED)
    assert not {path for _, path in TRIED} & {"/v1/auth/token", "/v1/forms/{key}/submissions", "/v1/me/password"}
