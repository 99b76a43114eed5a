"""Do two worlds answer alike? Questions, attempts to change things, and what their answers have to have in common."""

import base64
import re
from collections import Counter
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from app import clock
from app.db.models import RECORDS
from tests.conftest import Client
from tests.contracts import worlds
from tests.contracts.contract import document
from tests.contracts.other_world import CANARIES, CANARY, WORDS, Other
from tests.contracts.questions import Grammar, Question
from tests.contracts.refusals import Attempt, Attempts
from tests.contracts.staging import NOW, Case, Stage
from tests.loading import errors_of, loaded

QUESTIONS, ATTEMPTS = 100, 30
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SUNG = re.compile(rf"{CANARY}\dx\d+")
# What an answer may reveal beyond reach: docs/decisions/0016.
REVEALED = {"duplicate", "taken", "loop"}
# Status, headers, body.
Answer = tuple[int, dict[str, str], dict[str, Any]]


async def compare(stage: Stage, profile: str, case: Case) -> None:
    """Ask a hundred questions, and try to change things, in a world and in another that differs from it only in what
    the caller may not see. AssertionError where the answers differ or tell what is hidden, or a refusal leaves traces.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        random = Random(case.seed)
        eyes = await stage.set(case, profile)
        rows = await worlds.read_rows()
        other = Other(eyes, str(stage.world.administrator.user_id), random).world(rows)
        assert other != rows
        ids, values = pools([rows, other])
        external_ids = [*stage.world.records, "unknown"]
        grammar = Grammar(document(), random, ids, values, [*WORDS, "chess", *CANARIES], external_ids)
        attempts = Attempts(document(), random, ids, eyes.seen(rows), values, [*WORDS, *CANARIES], external_ids)

        questions, tried = await ask_all(stage, grammar), await try_all(stage, attempts)
        refused = Counter(str(given[2].get("code")) for _, given in tried if given[0] >= 400)
        print(f"{profile}: {len(questions)} questions, {len(tried)} attempts, refused: {dict(refused)}")
        await worlds.write_rows(other, rows)
        known = {each for named in ids.values() for each in named}
        for question, first in questions:
            second = await answer(stage.client, question)
            assert second == first, f"{question}: {difference(first, second)}"
            assert CANARY not in shown(second), question
        mark = await stage.memory.mark()
        for attempt, first in tried:
            second = await attempted(stage, attempt, mark)
            codes = {each[2].get("code") for each in (first, second)}
            alike = comparable(second, known) == comparable(first, known)
            assert alike or codes & REVEALED, f"{attempt}: {difference(first, second)}"
            assert set(SUNG.findall(shown(second))) <= set(SUNG.findall(str(attempt))), attempt


async def ask_all(stage: Stage, grammar: Grammar) -> list[tuple[Question, Answer]]:
    """So many questions, and those that follow from their answers."""
    asked: list[tuple[Question, Answer]] = []
    openings = grammar.openings(CANARIES[:1])
    while len(asked) < QUESTIONS:
        question: Question | None = next(openings, None) or grammar.question()
        while question:
            asked.append((question, await answer(stage.client, question)))
            grammar.see(question, asked[-1][1][2])
            question = following(*asked[-1])
    return asked


async def try_all(stage: Stage, attempts: Attempts) -> list[tuple[Attempt, Answer]]:
    mark = await stage.memory.mark()
    tried: list[tuple[Attempt, Answer]] = []
    while len(tried) < ATTEMPTS:
        attempt = attempts.attempt()
        tried.append((attempt, await attempted(stage, attempt, mark)))
        attempts.see(attempt, tried[-1][1][2])
    return tried


async def attempted(stage: Stage, attempt: Attempt, mark: int) -> Answer:
    """The answer to an attempt. What it changed is taken back; if it was refused, that is nothing."""
    body = {} if attempt.body is None else {"json": attempt.body}
    given = told(await stage.client.request(attempt.method, attempt.path, **body))
    changed = await stage.memory.take_back(mark) - worlds.ASKING
    assert given[0] < 400 or not changed, f"{attempt} was refused and changed {changed}"
    return given


def difference(first: Answer, second: Answer) -> str:
    """Where two answers part."""
    texts = [orjson.dumps([status, body, headers]).decode() for status, headers, body in (first, second)]
    at = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), 0)
    return " instead of ".join(text[max(0, at - 200) : at + 100] for text in texts)


def following(question: Question, given: Answer) -> Question | None:
    """The next page, or the same question without what was refused."""
    status, _, body = given
    if cursor := body.get("next_cursor"):
        return Question(question.path, (*question.without({"cursor"}).parameters, ("cursor", cursor)))
    if status == 403 and body["code"] == "field_hidden":
        asks_less = question.without({error["pointer"].rpartition("/")[2] for error in body["errors"]})
        return asks_less if asks_less != question else None
    return None


async def answer(client: Client, question: Question) -> Answer:
    return told(await client.get(question.path, params=list(question.parameters)))


def told(response: httpx.Response) -> Answer:
    """Status, headers and body, without what tells one request from another."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    is_json = response.content and "json" in response.headers.get("content-type", "")
    body = response.json() if is_json else {"text": response.text}
    if response.status_code >= 400:
        body["request_id"] = ""
    return response.status_code, headers, body


def shown(given: Answer) -> str:
    """All that an answer says, cursors opened."""
    _, headers, body = given
    cursor = str(body.get("next_cursor") or "")
    if re.fullmatch(r"[\w-]{40,}", cursor):  # those of a timeline, of files and of requests say openly where they are
        cursor += str(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return orjson.dumps([headers, body]).decode() + cursor


def comparable(given: Answer, known: set[str]) -> str:
    """An answer without the ids and numbers of what it made itself."""
    status, headers, body = given
    said = orjson.dumps([status, headers | {"content-length": ""}, body | {"number": ""}]).decode()
    return ID.sub(lambda found: found[0] if found[0] in known else "new", said)


def pools(tables: list[worlds.Rows]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The ids by kind, and the values by kind and field, of several worlds."""
    ids: dict[str, set[str]] = {}
    values: dict[str, set[str]] = {}
    for world in tables:
        for kind in RECORDS:
            for record in world[kind]:
                ids.setdefault(kind, set()).add(record["id"])
                for name, value in record.items():
                    for each in value if isinstance(value, list) else [value]:
                        if isinstance(each, str | int | float | bool):
                            text = str(each).lower() if isinstance(each, bool) else str(each)
                            values.setdefault(f"{kind}.{name}", set()).add(text)
    return {name: sorted(each) for name, each in ids.items()}, {name: sorted(each) for name, each in values.items()}


async def compare_files(stage: Stage, profile: str, case: Case) -> None:
    """Send in the same file in both worlds, whose rows name every customer that is in either of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        eyes = await stage.set(case, profile)
        rows = await worlds.read_rows()
        other = Other(eyes, str(stage.world.administrator.user_id), Random(case.seed)).world(rows)
        names = sorted({row["name"] for world in (rows, other) for row in world["customers"]})
        content = "first_name,customer\n" + "".join(f'Eva,"{name}"\n' for name in names)
        seen = Counter(row["name"] for row in rows["customers"] if row["id"] in eyes.seen(rows)["customers"])
        meant = [name for name, bearers in seen.items() if bearers == 1]
        first = await outcome_of(stage.client, content)
        await stage.memory.take_back()
        await stage.set(case, profile)
        await worlds.write_rows(other, rows)
        assert await outcome_of(stage.client, content) == first
        assert first["counts"]["created"] == len(meant), first
        assert len(first["errors"]) == len(names) - len(meant)


async def outcome_of(client: Client, content: str) -> dict[str, Any]:
    """What an import of contacts came to: its counts and errors."""
    mapping = {"columns": {"first_name": "first_name", "customer": "customer"}}
    done = await loaded(client, "contacts", content, mapping)
    return {"counts": done["counts"], "errors": await errors_of(client, done)}
