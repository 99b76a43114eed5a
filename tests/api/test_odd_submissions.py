"""What comes in by a form that nobody would send, and from those who send too much."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from time import process_time
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import clock
from app.db import tidying
from app.db.session import transaction
from tests.api.records import make, problems
from tests.api.submissions import ANA, URL, leads, rows
from tests.api.test_forms import CONTACT
from tests.conftest import Client
from tests.jobs.company import work


@pytest.fixture
async def form(administrator: Client) -> dict[str, Any]:
    return await make(administrator, "forms", **CONTACT)


async def test_what_is_wrong_is_told_by_field_and_never_repeated(form: Any, client: httpx.AsyncClient) -> None:
    answer = await client.post(
        URL,
        json={
            "email": "ana@",
            "phone": "12",
            "request": "everything",
            "message": "a\u0000b",
            "extra": 1,
            "consent": False,
        },
    )
    assert problems(answer) == {
        ("/name", "required_information"),
        ("/email", "email"),
        ("/request", "literal_error"),
        ("/message", "forbidden_characters"),
        ("/extra", "string_type"),
        ("/consent", "consent_required"),
    }
    assert problems(await client.post(URL, json=ANA | {"phone": "12"})) == {("/phone", "phone_too_short")}
    twice = await client.post(
        URL,
        content="name=a&name=b",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
    )
    assert problems(twice) == {("/name", "repeated")}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    large = await client.post(URL, content=pieces(), headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert await rows("select 1 from submissions") == []


async def test_what_bots_send_is_answered_like_the_rest_and_makes_no_lead(
    form: Any, client: httpx.AsyncClient, later: Callable[..., None]
) -> None:
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    forged = stamp[:-1] + ("A" if stamp[-1] != "A" else "B")
    answers = [
        await client.post(URL, json=ANA | {"url_2": "https://spam.example"}),
        await client.post(URL, json=ANA | {"stamp": stamp, "message": "too soon"}),
        await client.post(URL, json=ANA | {"stamp": forged, "message": "forged"}),
        await client.post(URL, json=ANA | {"stamp": "9" * 5_000, "message": "odd"}),
    ]
    later(hours=25)
    answers.append(await client.post(URL, json=ANA | {"stamp": stamp, "message": "too late"}))
    assert await work() == 5
    assert {state for (state,) in await rows("select state from submissions")} == {"trapped"}
    assert await rows("select 1 from leads union all select 1 from consents") == []
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    later(seconds=3)
    answers.append(await client.post(URL, json=ANA | {"stamp": stamp}))
    assert await work() == 1
    assert len(await rows("select 1 from leads")) == 1
    headers = [{n: v for n, v in answer.headers.items() if n != "x-request-id"} for answer in answers]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert all(each == headers[0] for each in headers)


async def test_one_address_sends_so_much_and_more_with_a_stamp(
    form: Any, administrator: Client, client: httpx.AsyncClient, later: Callable[..., None]
) -> None:
    async def sent(number: int, **more: str) -> int:
        status: int = (await client.post(URL, json=ANA | {"email": f"v{number}@acero.es"} | more)).status_code
        return status

    assert [await sent(number) for number in range(6)] == [202] * 5 + [429]
    refused = await client.post(URL, json=ANA)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    stamp = (await client.get("/v1/forms/contact")).json()["stamp"]
    later(minutes=1, seconds=3)
    assert [await sent(number, stamp=stamp) for number in range(10, 21)] == [202] * 10 + [429]
    assert len(await leads(administrator)) == 15
    elsewhere = httpx.ASGITransport(client._transport.app, client=("2001:db8::1", 1))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://crm.test") as other:
        assert (await other.post(URL, json=ANA)).status_code == 202
    kept = await rows("select bucket from rate_counts")
    assert kept
    assert not any("2001" in bucket or "127.0" in bucket for (bucket,) in kept)
    async with transaction("system") as session:
        await tidying.delete_past(session, "rate_counts", clock.now() + timedelta(hours=23))
        assert await session.scalar(text("select count(*) from rate_counts")) == len(kept)
        await tidying.delete_past(session, "rate_counts", clock.now() + timedelta(hours=26))
        assert await session.scalar(text("select count(*) from rate_counts")) == 0


def part(content: bytes, disposition: bytes = b'form-data; name="name"') -> bytes:
    return b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n"


JSON, URLENCODED, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
ODD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "a text": (b"name=a", "text/plain"),
    "no JSON": (b"{", JSON),
    "a list": (b"[]", JSON),
    "NaN": (b'{"name": NaN}', JSON),
    "a key twice": (b'{"name": "a", "name": "b"}', JSON),
    "a lone surrogate": (rb'{"name": "\ud800"}', JSON),
    "arrays in arrays": (b"[" * 30_000, JSON),
    "lists": (b'{"name": [[["a"]]]}', JSON),
    "a huge number": (b'{"phone": ' + b"9" * 5_000 + b"}", JSON),
    "5,000 fields": (b"{" + b",".join(b'"f%d":"1"' % i for i in range(5_000)) + b"}", JSON),
    "a long name": (b'{"' + b"n" * 5_000 + b'": "1"}', JSON),
    "marks": (('{"email": "a@acero.es", "message": "a' + "\u0315\u0300" * 4_500 + '"}').encode(), JSON),
    "a null character": (b"name=%00&email=a%00@acero.es", URLENCODED),
    "a name of nulls": (b"%00=1", URLENCODED),
    "broken percents": (b"name=%zz%&%ED%A0%80=1", URLENCODED),
    "not UTF-8": (b"name=\xff\xfe", URLENCODED),
    "many pairs": (b"a&" * 30_000, URLENCODED),
    "no boundary": (part(b"a"), "multipart/form-data"),
    "an odd boundary": (part(b"a"), 'multipart/form-data; boundary="\\"'),
    "another boundary": (part(b"a") + b"--x--", "multipart/form-data; boundary=y"),
    "cut off": (part(b"Ana")[:-2], MULTIPART),
    "no name": (part(b"a", b"form-data") + b"--x--", MULTIPART),
    "not UTF-8 in a part": (part(b"\xff") + b"--x--", MULTIPART),
    "an odd charset": (part(b"a") + b"--x--", "multipart/form-data; charset=undefined; boundary=x"),
    "a huge file name": (part(b"a", b'form-data; name="f"; filename="' + b"a" * 40_000 + b'"') + b"--x--", MULTIPART),
    "semicolons": (part(b"a", b'form-data; name="' + b";" * 60_000 + b'"') + b"--x--", MULTIPART),
    "many parts": (part(b"a") * 1_000, MULTIPART),
    "a long type": (b"name=a", "multipart/form-data; " + ";" * 8_000),
}


@pytest.mark.parametrize("odd", ODD)
async def test_what_nobody_would_send_is_refused_at_once(odd: str, form: Any, client: httpx.AsyncClient) -> None:
    body, kind = ODD[odd]
    headers = {"Content-Type": kind, "Accept": "application/json"}
    before = process_time()
    answer = await client.post(URL, content=body, headers=headers)
    # Of the processor, which nobody else's work makes longer: what takes the square of its length takes seconds.
    assert process_time() - before < 0.2
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rows("select 1 from submissions") == []
