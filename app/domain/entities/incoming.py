"""What becomes of one row of a file: the values of a record, or what is wrong with it?

A row is checked for itself, whatever the database holds. Records that it names are left as keys, to be found later.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial as bound_to
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from app.domain.entities.fields import Entity, Values, nested, partial, spec, specs
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.opportunity_imports import complete_import, stays
from app.domain.entities.rules import given_values, prepare
from app.domain.entities.targets import EXTERNAL_ID, Target, import_model, key_of, key_target, targets
from app.domain.entities.values import nearest
from app.domain.entities.vocabulary import Vocabulary
from app.errors import Invalid

Errors = list[dict[str, Any]]

# Stands where a record is named that is still to be found.
UNKNOWN = "00000000-0000-0000-0000-000000000000"
# What makes two items of a list one.
IDENTITY = {
    "phones": "number", "emails": "address", "addresses": "kind", "social_profiles": "network", "important_dates": "label",
    "relatives": "name", "lines": "product_id",
}  # fmt: skip
LONGEST_SHOWN = 200
_KEPT = 20_000
_NOTHING: Any = object()


@dataclass(slots=True)
class Draft:
    """What a row says. `items`: of lists of objects only what was said; `named`: field → [key, text]; `lacks`: errors if new."""

    row: int
    key: str | None = None
    external_id: str | None = None
    given: Values = field(default_factory=dict)
    items: dict[str, list[Values]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    lacks: Errors = field(default_factory=list)


class Rows:
    """Checks the rows of one file. `header` is the file's own."""

    def __init__(
        self,
        entity: Entity,
        mapping: Mapping,
        options: ImportOptions,
        header: list[str],
        vocabulary: Vocabulary,
        now: datetime,
    ) -> None:
        self.vocabulary = vocabulary
        self.now = now
        self.matched = mapping.match_on is not None
        self.targets = targets(entity, mapping, options, vocabulary.time_zone)
        self.entity = imported(entity, now)
        self.partial = partial(self.entity.create)
        self.key = key_target(entity, mapping, self.targets)
        self.match_on = mapping.match_on or ""
        places = {name: position for position, name in enumerate(header)}
        # What each cell's text was understood as: most columns repeat a few values.
        self.columns: list[tuple[Target, int | None, dict[str, Any]]] = [
            (each, places[each.column] if each.column is not None else None, {}) for each in self.targets
        ]
        self.width = len(header)
        self.shown = frozenset(specs(entity.read))

    def key_in(self, cells: list[str]) -> str | None:
        """The key by which the row is one with others."""
        if self.key is None:
            return None
        at = next(at for target, at, _ in self.columns if target is self.key)
        text = _mapped(
            self.key, cells[at].strip() if at is not None and at < len(cells) else str(self.key.constant or "")
        )
        return key_of(self.entity.name, self.match_on, text) if text else None

    def draft(self, number: int, cells: list[str]) -> Draft | Errors:
        """The row as its own cells say it."""
        if len(cells) > self.width and any(map(str.strip, cells[self.width :])):
            return [_error(number, None, None, "too_many_cells", "The row has more cells than the header", None)]
        draft, raw, errors = Draft(number, self.key_in(cells)), {}, []  # type: Draft, Values, Errors
        texts: dict[str, dict[int, Values]] = {}
        for target, at, known in self.columns:
            text = (cells[at].strip() if at < len(cells) else "") if at is not None else target.constant
            value = known.get(text) if isinstance(text, str) else None
            if value is None:
                value = self._understood(target, text)
                if len(known) > _KEPT:
                    known.clear()
                known[str(text)] = value
            if isinstance(value, PydanticCustomError):
                errors.append(self._explained(number, cells, target, value.type, value.message()))
            elif value is _NOTHING:
                continue
            elif target.field == EXTERNAL_ID:
                draft.external_id = value
            elif target.item is not None:
                texts.setdefault(target.field, {}).setdefault(target.position, {})[target.item] = value
            elif target.refers_to:
                draft.named[target.field] = value
                raw[target.field] = UNKNOWN
            else:
                raw[target.field] = value
        for name, items in texts.items():
            draft.items[name] = [items[position] for position in sorted(items)]
            raw[name] = [
                {key: UNKNOWN if isinstance(each, list) else each for key, each in item.items()}
                for item in draft.items[name]
            ]
        if self.matched and draft.key is None and not errors:
            target = self.key
            errors.append(
                self._explained(number, cells, target, "required", "A row needs the key that it is matched on")
            )
        if errors:
            return errors
        try:
            model = self.entity.create.model_validate(raw)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            problems = [
                self._located(
                    number,
                    cells,
                    list(each["loc"]),
                    "required" if each["type"] == "missing" else each["type"],
                    each["msg"],
                )
                for each in found
            ]
            if not self.matched or any(each["type"] != "missing" or len(each["loc"]) > 1 for each in found):
                return problems
            # Enough for a record that is there already.
            model, draft.lacks = self.partial.model_validate(raw), problems
        draft.given = given_values(model)
        for name, items in draft.items.items():
            _normalise(items, draft.given[name], getattr(model, name), IDENTITY.get(name))
        return draft

    def finished(self, draft: Draft, cells: list[str]) -> Values | Errors:
        """The data of a row that goes to the database, once all rows that are one with it are in the draft."""
        data: Values = {
            "key": draft.key,
            "external_id": draft.external_id,
            "given": [name for name in draft.given if name not in draft.named and name != "closed_from"],
            "items": draft.items,
            "named": draft.named,
            "lacks": draft.lacks,
            "values": {name: value for name, value in draft.given.items() if name not in draft.named},
        }
        if draft.lacks:
            return data
        try:
            values = prepare(self.entity, draft.given, None, self.vocabulary)
        except Invalid as error:
            problems = [
                self._located(draft.row, cells, each.pointer.split("/")[1:], each.code, each.message)
                for each in error.errors
            ]
            if self.matched and all(each.code == "required_information" for each in error.errors):
                return data | {"lacks": problems}
            return problems
        for name in draft.items.keys() & {"phones"}:
            for item, written in zip(draft.items[name], values[name], strict=True):
                item |= {"number": written["number"]}
        if self.entity.name == "opportunities":
            data["stays"] = [("stage", *stay) for stay in stays(values | {"closed_from": self._closed_from(values)})]
            values.pop("closed_from", None)
        else:
            data["stays"] = [(name, values[name], self.now, None) for name in self.entity.stays if values.get(name)]
            values |= {f"{name}_entered_at": self.now for name in self.entity.stays if values.get(name)}
        data["keys"] = list(dict.fromkeys(self.entity.match_keys(values))) if self.entity.match_keys else []
        data["values"] = {name: value for name, value in values.items() if name not in draft.named}
        data["changes"] = {
            name: [None, value]
            for name, value in data["values"].items()
            if name in self.shown and value not in (None, []) and name not in self.entity.children
        }
        return data

    def _closed_from(self, values: Values) -> str:
        first: str = self.vocabulary.pipelines[values["pipeline_id"]].first.key
        return values.get("closed_from") or first

    def _understood(self, target: Target, text: Any) -> Any:
        if isinstance(text, str):
            text = _mapped(target, text)
            if text is None or not text:
                return _NOTHING
        if target.refers_to and target.by:
            return [key_of(target.refers_to, target.by, str(text)), str(text)]
        try:
            return target.read(str(text)) if not isinstance(text, bool) else text
        except PydanticCustomError as error:
            return error

    def _located(self, number: int, cells: list[str], loc: list[Any], code: str, message: str) -> dict[str, Any]:
        """An error at a place in the record, with the column that it comes from."""
        names = [str(part) for part in loc if not str(part).isdigit()]
        positions = [int(part) for part in loc if str(part).isdigit()]
        same = [each for each in self.targets if names and each.field == names[0]]
        exact = [
            each
            for each in same
            if (each.item in names[1:] or each.item is None)
            and (not positions or each.item is None or each.position == positions[0])
        ]
        target = next(iter(exact or same), None)
        return self._explained(number, cells, target, code, message, ".".join(names) or None)

    def _explained(
        self, number: int, cells: list[str], target: Target | None, code: str, message: str, name: str | None = None
    ) -> dict[str, Any]:
        at = next((at for each, at, _ in self.columns if each is target), None)
        value = cells[at].strip() if at is not None and at < len(cells) else None
        near = self._nearest(target, value) if target and value and code == "unknown_option" else None
        if target and name is None:
            name = f"{target.field}.{target.item}" if target.item else target.field
        return _error(number, target.column if target else None, name, code, message, value, near)

    def _nearest(self, target: Target, value: str) -> str | None:
        if target.field in ("stage", "closed_from"):
            return nearest(value, self.vocabulary.default_pipeline("opportunities").stages)
        if target.field == "profile_id":
            return nearest(value, self.vocabulary.profiles)
        info = self.entity.create.model_fields[target.field]
        if target.item and (item := nested(info)):
            info = item.model_fields[target.item]
        options = self.vocabulary.options.get(spec(info).picklist or "", {})
        return nearest(value, [key for key, option in options.items() if option.active])


def combined(first: Draft, later: Draft) -> Draft:
    """Two rows that are one record: what the later one says counts, and lists collect."""
    lists = {
        name: laid_over(name, first.given[name], later.given[name], later.items.get(name))
        for name, value in later.given.items()
        if isinstance(value, list) and name in first.given
    }
    items = {
        name: laid_over(name, first.items[name], parts, parts) if name in first.items else parts
        for name, parts in later.items.items()
    }
    return replace(
        first,
        external_id=later.external_id or first.external_id,
        given=first.given | later.given | lists,
        items=first.items | items,
        named=first.named | later.named,
        lacks=[each for each in first.lacks if each in later.lacks or each["field"] not in later.given],
    )


def laid_over(name: str, before: list[Any], given: list[Any], said: list[Any] | None = None) -> list[Any]:
    """A list with what was given laid over it: what is the same item takes what was said of it, the rest is added."""
    identity = IDENTITY.get(name)
    after = list(before)
    for position, item in enumerate(given):
        same = next((i for i, each in enumerate(after) if _same(each, item, identity)), None)
        if same is None:
            after.append(item)
        elif isinstance(item, dict):
            after[same] = after[same] | (said[position] if said else item)
    return after


def imported(entity: Entity, now: datetime) -> Entity:
    """The entity as its import model and the rules for imports see it."""
    if entity.name != "opportunities":
        return entity
    return replace(entity, create=import_model(entity), complete=bound_to(complete_import, now=now))  # type: ignore[arg-type]


def _same(one: Any, other: Any, identity: str | None) -> bool:
    if identity is None or not isinstance(one, dict):
        return bool(one == other)
    return bool(one.get(identity) == other.get(identity))


def _normalise(said: list[Values], full: list[Values], models: list[BaseModel], identity: str | None) -> None:
    """What was said of items as the model wrote it, and with what tells them apart."""
    for item, written, model in zip(said, full, models, strict=True):
        names = {*model.model_fields_set, *([identity] if identity else [])}
        for name in names:
            if isinstance(item.get(name), list) and name.endswith("_id"):
                written[name] = item[name]
            else:
                item[name] = written[name]


def _mapped(target: Target, text: str) -> str | None:
    return target.value_map.get(text, text)


def _error(
    number: int,
    column: str | None,
    name: str | None,
    code: str,
    message: str,
    value: str | None,
    near: str | None = None,
) -> dict[str, Any]:
    return {
        "row": number,
        "column": column,
        "field": name,
        "code": code,
        "value": printable(value),
        "message": message,
        "nearest": near,
    }


def printable(value: str | None) -> str | None:
    """A cell as an error shows it: short, and without what cannot be stored."""
    if value is None:
        return None
    clean = value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(clean) <= LONGEST_SHOWN else f"{clean[:LONGEST_SHOWN]}…"
