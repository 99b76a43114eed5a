"""Attempts to change things, made at random from what the application says that its routes take.

They name ids and values from either world: whether an attempt is refused, and how, must not tell which of them there
are.
"""

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import specs
from tests.contracts.questions import Values

# Whoever asks stays who they are, and hashing passwords takes its time.
APART = re.compile(r"/auth/|password|second|invit|/submissions|/imports|/openid")
# Which kind of record a field names.
NAMED = {
    name: spec.refers_to
    for entity in ENTITIES.values()
    for name, spec in specs(entity.create).items()
    if spec.refers_to
}
METHODS = ("post", "patch", "put", "delete")


@dataclass(frozen=True)
class Attempt:
    method: str
    path: str
    body: dict[str, Any] | None


@dataclass
class Attempts:
    """What to try with. ids: kind of record → ids, seen: those that the caller sees; values: `kind.field` → values that
    stand in some row; known_as: ids in another system."""

    document: dict[str, Any]
    random: Random
    ids: Values
    seen: dict[str, set[str]]
    values: Values
    words: list[str]
    known_as: list[str]
    routes: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.routes = [
            (method, path)
            for path, methods in self.document["paths"].items()
            for method in methods
            if method in METHODS and not APART.search(path)
        ]

    def see(self, attempt: Attempt, body: dict[str, Any]) -> None:
        """Not again what the profile forbids whatever it is about."""
        if body.get("code") == "forbidden" and str(body["detail"]).startswith("Your profile may not"):
            kept = [each for each in self.routes if not _is_of(each, attempt)]
            self.routes = kept or self.routes

    def attempt(self) -> Attempt:
        method, template = self.random.choice(self.routes)
        kind = template.split("/")[2] if template.count("/") > 1 else ""
        path = template.replace("{system}", "other").replace("{external_id}", self.random.choice(self.known_as))
        path = re.sub(r"\{[^}]+\}", lambda _: self._id(kind, seen=0.6), path)
        content = self.document["paths"][template][method].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return Attempt(method, path, self._object(kind, schema) if schema else None)

    def _object(self, kind: str, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        schema = self._resolved(schema)
        properties = schema.get("properties", {})
        naming = [name for name in properties if name.endswith("_id")]
        # Most are to get as far as what they name: every further value may be refused before.
        chosen = set(self.random.sample(sorted(properties), min(len(properties), self.random.choice([0, 0, 0, 1, 2]))))
        chosen |= set(self.random.sample(naming, min(len(naming), self.random.choice([0, 1, 1, 1, 2]))))
        chosen |= set(schema.get("required", ()))
        return {name: self._value(kind, name, properties[name], depth) for name in sorted(chosen) if name in properties}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        choices = [each for each in schema.get("anyOf", schema.get("oneOf", ())) if each.get("type") != "null"]
        if choices:
            return self._resolved(self.random.choice(choices))
        if "$ref" in schema:
            found = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            return self._resolved(found)
        return schema

    def _value(self, kind: str, name: str, schema: dict[str, Any], depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._object(kind, schema, depth + 1) if depth < 3 else {}
            case "array":
                items = schema.get("items", {})
                return [self._value(kind, name, items, depth + 1) for _ in range(self.random.choice([0, 1, 1, 2]))]
            case "boolean":
                return self.random.random() < 0.5
            case "integer" | "number":
                return self.random.randint(1, 28)
        if schema.get("format") == "uuid":
            return self._id(NAMED.get(name, ""), seen=0.3)
        if schema.get("format") in ("date", "date-time"):
            return "2026-03-01" if schema["format"] == "date" else "2026-03-01T10:00:00Z"
        known = self.values.get(f"{kind}.{name}")
        return self.random.choice(known if known and self.random.random() < 0.8 else self.words)

    def _id(self, kind: str, seen: float) -> str:
        """The id of a record of a kind, with that probability one that is seen; now and then one of another kind."""
        every = self.ids.get(kind) if self.random.random() < 0.95 else None
        every = every or self.ids[self.random.choice(sorted(self.ids))]
        visible = sorted(self.seen.get(kind, ()))
        return self.random.choice(visible if visible and self.random.random() < seen else every)


def _is_of(route: tuple[str, str], attempt: Attempt) -> bool:
    method, path = route
    return method == attempt.method and bool(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), attempt.path))
