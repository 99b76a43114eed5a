"""Whatever stands in a path, a query or a header, the answer is a success or a problem document, and never a 500.

Routes and parameters are found from the application, so a new one cannot be forgotten.
"""

import json
import re
from itertools import cycle
from urllib.parse import quote

from tests.api.routes import (
    DOCUMENT,
    JSON_ROUTES,
    LISTS,
    PERHAPS,
    WRITE_ROUTES,
    address,
    answered,
    operations,
    refused,
)
from tests.conftest import Client


async def asked(client: Client, url: str, names: set[str], values: list[str]) -> set[str]:
    """Give these values, percent-encoded, in turn to the parameters of a list, then without those that refused theirs,
    until the database is asked; the parameters that took it."""
    given = dict(zip(sorted(names), cycle(values), strict=False))
    while given:
        answer = await client.get(f"{url}?{'&'.join(f'{name}={value}' for name, value in given.items())}")
        answered(answer)
        if answer.is_success:
            break
        at = {each["pointer"].removeprefix("/query/").split("/")[0] for each in answer.json()["errors"]}
        assert given.keys() & at, answer.text
        given = {name: value for name, value in given.items() if name not in at}
    return set(given)


ODD_QUERIES = (
    "%FF%FE",
    "%ED%A0%80",
    "%",
    "%zz",
    "NaN",
    "Infinity",
    "-1",
    "1e999",
    "%25_%5C",
    "%0A",
    "[]",
    "\\",
    "a" * 201,
)


async def test_a_parameter_takes_an_odd_value_or_refuses_it(administrator: Client, ids: dict[str, str]) -> None:
    """Every parameter gets a null character, a huge number and six of the others, which all lists share out."""
    read = [json.loads(value) for value in PERHAPS.values()]
    others = [quote((given if isinstance(given, str) else json.dumps(given))[:30]) for given in read] + [*ODD_QUERIES]
    for number, path in enumerate(LISTS):
        url = address(path, ids)
        parameters = DOCUMENT["paths"][path]["get"]["parameters"]
        names = {each["name"] for each in parameters if each["in"] == "query"}
        assert not await asked(administrator, url, names, ["a%00b"])
        await asked(administrator, url, names, ["9" * 30])
        for turn in range(number, number + len(others), 5):
            at = turn % len(others)
            await asked(administrator, url, names, others[at:] + others[:at])


async def test_a_list_refuses_what_it_cannot_answer(administrator: Client, ids: dict[str, str]) -> None:
    for path in LISTS:
        url = address(path, ids)
        for query in ("limit=-1", "limit=0", "limit=201", "limit=1.5", "limit=", "limit=9223372036854775808"):
            refused(await administrator.get(f"{url}?{query}"))
        for query in (
            "cursor=a",
            "cursor=%FF",
            "cursor=ñ",
            f"cursor={'A' * 3_999}",
            f"cursor={'A' * 5_000}",
            "cursor==",
        ):
            refused(await administrator.get(f"{url}?{query}"))


async def test_a_list_refuses_what_it_does_not_know(administrator: Client, ids: dict[str, str]) -> None:
    for path in (path for path in LISTS if not path.endswith(("/timeline", "/errors"))):
        url = address(path, ids)
        many = "&".join(f"{i:x}=" for i in range(10_000))
        for query in (
            "a%00b=1",
            "%FF=1",
            "=1",
            many,
            "&".join(["q=1"] * 10_000),
            "__proto__=1",
            "name__=a",
            "sort=%00",
            "fields=%00,",
            f"q={'a' * 5_000}",
        ):
            refused(await administrator.get(f"{url}?{query}"))


async def test_ids_in_paths_that_are_none_do_not_exist(administrator: Client) -> None:
    for path in (path for path in LISTS if path.count("/") == 2):
        for id in (
            "%00",
            "%FF",
            "%ED%A0%80",
            "..%2F..%2Fetc",
            "0",
            "-1",
            "a" * 5_000,
            "%0A",
            "' or 1=1",
            "NaN",
            "%C3%B1",
        ):
            answer = await administrator.get(f"{path}/{id}")
            refused(answer)
            assert answer.status_code == 404


async def test_ids_of_other_systems_are_printable(administrator: Client) -> None:
    for path in (path for _, path in WRITE_ROUTES if "{external_id}" in path):
        name = {"contacts": "last_name"}.get(path.split("/")[2], "name")
        for odd in ("%00", "%0A", "%07", "%C2%85", "a" * 300, "%20"):
            refused(await administrator.put(path.format(system="erp", external_id=odd), json={name: "a"}))
            refused(await administrator.put(path.format(system=odd, external_id="1"), json={name: "a"}))


HEADERS: tuple[bytes, ...] = (
    b"",
    b'"',
    b'""',
    b"W/",
    b"-1",
    b'"9223372036854775808"',
    b'"' + b"9" * 150 + b'"',
    b"a" * 5_000,
    b"\xff\xfe",
    b"\x01",
    b"' or 1=1",
    b",,,",
    "\u00b2".encode(),
)


async def test_an_if_match_that_is_none_matches_nothing(administrator: Client, ids: dict[str, str]) -> None:
    # Sessions, second factors and who is assigned have no versions.
    unversioned = re.compile(r"/v1/auth/.*|/v1/users/.*/(sessions|second-factor)|.*/assignees/.*")
    methods = ("PATCH", "DELETE", "PUT")
    routes = [each for each in WRITE_ROUTES if each[0] in methods and not unversioned.fullmatch(each[1])]
    for number, (method, path) in enumerate(routes):
        for value in HEADERS[number % 3 :: 3]:
            body = {} if method == "DELETE" else {"json": {}}
            answer = await administrator.request(method, address(path, ids), headers=[(b"If-Match", value)], **body)
            refused(answer)


async def test_an_odd_idempotency_key_or_token_is_refused_or_taken(administrator: Client, ids: dict[str, str]) -> None:
    paths = [path for method, path in WRITE_ROUTES if method == "POST" and not path.endswith("/logout")]
    for number, path in enumerate(paths):
        for value in HEADERS[number % 3 :: 3]:
            answered(await administrator.post(address(path, ids), json={}, headers=[(b"Idempotency-Key", value)]))
            headers = [(b"Authorization", b"Bearer " + value)]
            answered(await administrator.post(address(path, ids), json={}, headers=headers))


async def test_a_path_that_is_none_is_a_problem(administrator: Client) -> None:
    for path in ("/", "/v1", "/v1/", "/v1/customers/", "/v1/nothing", "/v1/customers/%2e%2e/users", "//v1//customers"):
        answer = await administrator.get(path)
        refused(answer)
        assert answer.status_code == 404


def test_the_routes_are_found() -> None:
    assert len(JSON_ROUTES) >= 18
    assert len(WRITE_ROUTES) > len(JSON_ROUTES)
    assert all(re.match("/v1/", path) for path in LISTS)


async def test_a_method_that_a_path_does_not_take_is_told_all_that_it_takes(
    administrator: Client, ids: dict[str, str]
) -> None:
    """RFC 9110, 15.5.6."""
    taken: dict[str, set[str]] = {}
    for method, path, _ in operations():
        taken.setdefault(path, set()).update({"GET", "HEAD"} if method == "GET" else {method})
    for path, methods in taken.items():
        answer = await administrator.request("TRACE", address(path, ids) if "{" in path else path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
        # What browsers ask first is in no description.
        assert set(answer.headers["allow"].split(", ")) - {"OPTIONS"} == methods, path


async def test_head_is_answered_as_get_without_the_body(administrator: Client, ids: dict[str, str]) -> None:
    """RFC 9110, 9.3.2. Monitors ask `/healthz` so."""
    for path in (
        "/healthz",
        "/readyz",
        f"/v1/customers/{ids['customers']}",
        "/v1/customers?limit=1",
        "/v1/customers/x",
    ):
        got, head = await administrator.get(path), await administrator.request("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
    assert (await administrator.request("HEAD", "/v1/auth/token")).status_code == 405


async def test_the_pages_of_the_documentation_say_what_they_take(administrator: Client) -> None:
    administrator.event_hooks = {}  # They are in no description, which answers are held against.
    for path in ("/docs", "/openapi.json"):
        assert "GET" in (await administrator.post(path)).headers["allow"].split(", "), path
