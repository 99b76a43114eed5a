"""Questions to the API, made at random from what the application says that its routes take."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from app import clock

Values = dict[str, list[str]]
# What lists take besides filters; asked more often than each of those.
CONTROLS = ("q", "sort", "fields", "limit", "count", "archived", "with")


@dataclass(frozen=True)
class Question:
    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    def without(self, names: set[str]) -> "Question":
        """The same without what is said about some fields."""
        kept = [
            (name, ",".join(part for part in value.split(",") if part.lstrip("-") not in names))
            for name, value in self.parameters
            if name.partition("__")[0] not in names
        ]
        return Question(self.path, tuple((name, value) for name, value in kept if value))


@dataclass
class Grammar:
    """What to ask with. ids: kind of record → ids; values: `kind.field` → values that stand in some row; external_ids:
    those that the system `other` has for records."""

    document: dict[str, Any]
    random: Random
    ids: Values
    values: Values
    words: list[str]
    external_ids: list[str]
    paths: list[str] = field(init=False)
    seen: Values = field(default_factory=dict)
    shape: tuple[str, dict[str, str | None], list[dict[str, Any]]] | None = None

    def __post_init__(self) -> None:
        reads = {path: methods["get"] for path, methods in self.document["paths"].items() if "get" in methods}
        # Those that take more are asked more often.
        self.paths = [
            path for path, get in reads.items() for _ in range(2 + min(len(get.get("parameters", ())), 40) // 10)
        ]

    def openings(self, words: list[str]) -> Iterator[Question]:
        """What is always asked first: reports, and every list, also with `can` and for each of the words, where it
        takes them; then the pages of customers that were listed."""
        for path, methods in self.document["paths"].items():
            names = {each["name"] for each in methods.get("get", {}).get("parameters", ())}
            if names & {"limit", "from"} and "{" not in path:
                yield Question(path)
                yield from [Question(path, (("with", "can"),))] if "with" in names else []
                for word in words if "q" in names else ():
                    # One at a time is soon found, where many are: the rest of the list is then not looked through.
                    yield from (Question(path, (("q", word),)), Question(path, (("q", word), ("limit", "1"))))
        listed = self.seen.get("customers", [])
        for id in self.random.sample(listed, min(len(listed), 6)):
            yield Question(f"/v1/customers/{id}/page")

    def see(self, question: Question, body: dict[str, Any]) -> None:
        """Remember which records there are to ask about, and not to ask again for lists that are closed."""
        if body.get("code") == "forbidden":
            self.paths = [path for path in self.paths if path != question.path]
        if question.path.count("/") == 2:
            known = self.seen.setdefault(question.path.split("/")[2], [])
            known += [each["id"] for each in body.get("items", ()) if each["id"] not in known]

    def question(self) -> Question:
        """Any question, or the last one about something else: a new shape costs more than new values in it."""
        if self.shape is None or self.random.random() < 0.3:
            self.shape = self._shape()
        template, kept, asked = self.shape
        kind = template.split("/")[2] if template.count("/") > 1 else ""
        seen, known = self.seen.get(kind), [*self.ids.get(kind, []), self._uuid()]
        id = self.random.choice(seen if seen and self.random.random() < 0.7 else known)
        given = kept | {each["name"]: self._value(kind, each) for each in asked}
        parameters = tuple((name, value) for name, value in given.items() if value is not None)
        outside = {"system": "other", "external_id": self.random.choice(self.external_ids)}
        return Question(re.sub(r"\{([^}]+)\}", lambda found: outside.get(found[1], id), template), parameters)

    def _shape(self) -> tuple[str, dict[str, str | None], list[dict[str, Any]]]:
        """A path, what is said of its answer's form, and the parameters whose values change with every question."""
        template = self.random.choice(self.paths)
        kind = template.split("/")[2] if template.count("/") > 1 else ""
        declared = [
            each for each in self.document["paths"][template]["get"].get("parameters", ()) if each["in"] == "query"
        ]
        if not declared:
            return template, {}, []
        controls = [each for each in declared if each["name"] in CONTROLS]
        asked = self.random.sample(declared, min(len(declared), self.random.choice([0, 1, 1, 2])))
        asked += self.random.sample(controls, min(len(controls), self.random.choice([0, 1, 1, 2])))
        asked += [each for each in controls if each["name"] == "q" and self.random.random() < 0.35]
        of_form = [each for each in asked if each["name"] in CONTROLS and each["name"] not in ("q", "limit")]
        kept = {each["name"]: self._value(kind, each) for each in of_form}
        return template, kept, [each for each in asked if each["name"] not in kept]

    def _value(self, kind: str, parameter: dict[str, Any]) -> str | None:
        name, schema = parameter["name"], parameter["schema"]
        schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
        of = schema.get("items", schema)
        match name:
            case "cursor":
                return None
            case "q":
                return " ".join(self._word() for _ in range(self.random.choice([1, 1, 2])))
            case "limit":
                return str(self.random.choice([1, 2, 3, 50, 200]))
            case "from" | "to":
                return f"2026-0{self.random.randint(1, 4)}"
            case "sort" | "fields":
                return ",".join(self.random.sample(of["enum"], self.random.choice([1, 2])))
        if "enum" in of:
            return str(self.random.choice(of["enum"]))
        if of.get("type") == "boolean":
            return self.random.choice(["true", "false"])
        column, _, operator = name.partition("__")
        known = self.values.get(f"{kind}.{column}")
        if known and self.random.random() < 0.9:
            value = self.random.choice(known)
            if operator in ("contains", "starts"):
                start = 0 if operator == "starts" else self.random.randrange(len(value) or 1)
                return value[start : start + self.random.randint(1, 8)] or "a"
            return value
        if of.get("format") == "uuid":
            return self._uuid()
        if of.get("format") == "date-time":
            return (clock.now() - timedelta(days=self.random.randint(0, 900))).strftime("%Y-%m-%dT%H:%M:%SZ")
        return str(self.random.randint(1, 2000)) if of.get("type") in ("integer", "number") else self._word()

    def _word(self) -> str:
        word = self.random.choice(self.words)
        spoilt = self.random.random()
        if len(word) > 5 and spoilt < 0.2:
            at = self.random.randrange(len(word))
            return word[:at] + "x" + word[at + 1 :]
        return word[: self.random.randint(3, len(word))] if len(word) > 3 and spoilt < 0.4 else word

    def _uuid(self) -> str:
        everything = [id for ids in self.ids.values() for id in ids]
        return self.random.choice([*everything, str(UUID(int=self.random.getrandbits(128)))])
