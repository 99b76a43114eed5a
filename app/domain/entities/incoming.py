"""What becomes of one row of a file: the values of a record, or what is wrong with it?

A row is checked for itself, whatever the database holds. Records that it names are left as keys, to be found later.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial as bound_to
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, to_jsonable_python

from app.domain.entities.activities import complete as complete_activity
from app.domain.entities.fields import Entity, Values, longest, nested, spec, specs
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.merging import IDENTITY, Draft, Errors
from app.domain.entities.opportunity_imports import complete_import, stays
from app.domain.entities.row_errors import located, row_error
from app.domain.entities.rules import is_blank, prepare
from app.domain.entities.targets import (
    EXTERNAL_ID,
    Target,
    called,
    compared,
    import_model,
    key_of,
    key_target,
    targets,
)
from app.domain.entities.values import nearest
from app.domain.entities.vocabulary import Vocabulary
from app.errors import Invalid

# Stands where a record is named that is still to be found.
UNKNOWN = UUID(int=0)
_UNKNOWN_ID = str(UNKNOWN)
# How many texts of a column are kept with what they mean, checked: most columns repeat a few.
MOST_KEPT = 2_000
# What a cell is to the record.
_NOTHING, _GIVEN, _NAMED, _ITEM, _EXTERNAL_ID, _WRONG = range(6)


def imported(entity: Entity, now: datetime) -> Entity:
    """The entity as its import model and the rules for imports see it."""
    if entity.name == "activities":
        return replace(entity, complete=bound_to(complete_activity, now=now))
    if entity.name != "opportunities":
        return entity
    return replace(entity, create=import_model(entity), complete=bound_to(complete_import, now=now))  # type: ignore[arg-type]


class Rows:
    """Checks the rows of one file. `header` is the file's own.

    The models of the entities check each field for itself; what fields must be together is for `prepare` to say.
    """

    def __init__(
        self,
        entity: Entity,
        mapping: Mapping,
        options: ImportOptions,
        header: list[str],
        vocabulary: Vocabulary,
        now: datetime,
    ) -> None:
        self.vocabulary, self.now, self.width = vocabulary, now, len(header)
        self.match_on = mapping.match_on
        self.targets = targets(entity, mapping, options, vocabulary.time_zone)
        self.entity = imported(entity, now)
        self.key = key_target(entity, mapping, self.targets)
        self.shown = frozenset(specs(entity.read)) - frozenset(entity.children)
        fields = self.entity.create.model_fields
        self.required = [name for name, info in fields.items() if info.is_required()]
        self.checks: dict[str, TypeAdapter[Any]] = {
            each.field: TypeAdapter(fields[each.field].rebuild_annotation(), config=_AS_MODELS)
            for each in self.targets
            if each.field in fields
        }
        places = {name: position for position, name in enumerate(header)}
        self.columns: list[tuple[Target, int | None, dict[Any, Any]]] = [
            (each, None if each.column is None else places[each.column], {}) for each in self.targets
        ]
        self.at = {id(target): at for target, at, _ in self.columns}
        self.known_items: dict[tuple[str, bytes], Any] = {}

    def key_in(self, cells: list[str]) -> str | None:
        """The key by which the row is one with others."""
        if self.key is None or self.match_on is None:
            return None
        text = _meant(self.key, self._text(self.key, cells))
        return key_of(self.entity.name, self.match_on, text) if text else None

    def draft(self, row: int, cells: list[str], key: str | None) -> Draft | Errors:
        """The row as its own cells say it. key: as `key_in` answers it."""
        if len(cells) > self.width and any(map(str.strip, cells[self.width :])):
            return [row_error(row, None, "too_many_cells", "The row has more cells than the header")]
        draft = Draft(row, key)
        errors: Errors = []
        wrong: set[str] = set()
        items: dict[str, dict[int, Values]] = {}
        for target, at, known in self.columns:
            text = target.constant if at is None else cells[at] if at < len(cells) else ""
            kind, value = known.get(text) or _keep(known, text, self._understood(target, text))
            if kind == _GIVEN:
                draft.given[target.field] = value
            elif kind == _NAMED:
                draft.named[target.field] = value
                draft.given[target.field] = UNKNOWN
            elif kind == _ITEM:
                items.setdefault(target.field, {}).setdefault(target.position, {})[target.item or ""] = value
            elif kind == _WRONG:
                errors += self._wrong(row, cells, target, value)
                wrong.add(target.field)
            elif kind == _EXTERNAL_ID:
                draft.external_id = value
        if self.key is not None and draft.key is None and not errors:
            errors.append(row_error(row, self.key, "required_information", "A row needs the key that it is matched on"))
        for name, by_position in items.items():
            if name in wrong:
                continue
            found = self._checked_items(name, [by_position[position] for position in sorted(by_position)])
            if isinstance(found, ValidationError):
                errors += self._invalid(row, cells, name, found)
                wrong.add(name)
                continue
            # Many rows share them: nobody changes them in place.
            draft.items[name], draft.given[name] = found
        missing = [
            self._problem(row, cells, (name,), "required_information", f"{name} is required")
            for name in self.required
            if name not in draft.given and name not in wrong
        ]
        if errors or (missing and self.key is None):
            return errors + missing
        # What is missing is enough for a record that is there already.
        draft.lacks = missing
        return draft

    def _understood(self, target: Target, given: Any) -> tuple[int, Any]:
        """What a cell or constant means: a value, checked if it is all of a field; key and text; nothing; an error."""
        text = _meant(target, given.strip()) if isinstance(given, str) else given
        if text is None or text == "":
            return _NOTHING, None
        try:
            if target.refers_to is not None and target.by is not None:
                said = called(str(text))
                return _NAMED if target.item is None else _ITEM, [key_of(target.refers_to, target.by, said), said]
            value = text if isinstance(text, bool) else target.read(str(text))
            if target.item is not None:
                return _ITEM, value
            if target.field == EXTERNAL_ID:
                return _EXTERNAL_ID, value
            return _GIVEN, self.checks[target.field].validate_python(value)
        except (PydanticCustomError, ValidationError) as error:
            return _WRONG, error

    def _checked_items(self, name: str, said: list[Values]) -> tuple[list[Values], list[Values]] | ValidationError:
        """The items of a list as they were said and in full, both as they are written; or what is wrong with them."""
        key = name, orjson.dumps(said, default=str)
        found: tuple[list[Values], list[Values]] | ValidationError | None = self.known_items.get(key)
        if found is None:
            found = _keep(self.known_items, key, self._items(name, said))
        return found

    def _items(self, name: str, said: list[Values]) -> tuple[list[Values], list[Values]] | ValidationError:
        raw = [
            {part: _UNKNOWN_ID if isinstance(value, list) else value for part, value in each.items()} for each in said
        ]
        try:
            models = self.checks[name].validate_python(raw)
        except ValidationError as error:
            return error
        full: list[Values] = to_jsonable_python(models)
        _normalise(said, full, models, IDENTITY.get(name))
        return said, full

    def _wrong(self, row: int, cells: list[str], target: Target, error: ValueError) -> Errors:
        if isinstance(error, ValidationError):
            return self._invalid(row, cells, target.field, error)
        assert isinstance(error, PydanticCustomError)
        return [row_error(row, target, error.type, error.message(), self._text(target, cells))]

    def _invalid(self, row: int, cells: list[str], field: str, error: ValidationError) -> Errors:
        return [
            self._problem(row, cells, (field, *each["loc"]), _CODES.get(each["type"], each["type"]), each["msg"])
            for each in error.errors(include_url=False, include_context=False)
        ]

    def too_long(self, draft: Draft, cells: list[str]) -> Errors:
        """What is wrong with lists to which many rows added: they hold no more than one that is sent in a piece."""
        return [
            self._problem(draft.row, cells, (name,), "too_long", f"At most {most} items")
            for name, most in longest(self.entity.create)
            if len(draft.given.get(name) or ()) > most
        ]

    def finished(self, draft: Draft, cells: list[str]) -> Values | Errors:
        """The data of a row that goes to the database, once all rows that are one with it are in the draft."""
        named = draft.named
        data: Values = {
            "key": draft.key,
            "external_id": draft.external_id,
            "given": [name for name in draft.given if name not in named and name != "closed_from"],
            "items": draft.items,
            "named": named,
            "lacks": draft.lacks,
        }
        if not draft.lacks:
            try:
                values = prepare(self.entity, draft.given, None, self.vocabulary)
            except Invalid as error:
                problems = [
                    self._problem(draft.row, cells, each.pointer.split("/")[1:], each.code, each.message)
                    for each in error.errors
                ]
                if self.key is None or any(each.code != "required_information" for each in error.errors):
                    return problems
                data["lacks"] = problems
        if data["lacks"]:
            values = {name: value for name, value in draft.given.items() if name not in named}
            data["values"] = values | compared(self.entity.name, values)
            return data
        if "phones" in draft.items:
            pairs = zip(draft.items["phones"], values["phones"], strict=True)
            data["items"] = draft.items | {"phones": [said | {"number": full["number"]} for said, full in pairs]}
        data["stays"] = self._stays(values)
        data["keys"] = list(dict.fromkeys(self.entity.match_keys(values))) if self.entity.match_keys else []
        data["values"] = kept = {}
        data["changes"] = changes = {}
        for name, value in values.items():
            if value is not None and name not in named:
                kept[name] = value
                if name in self.shown and not is_blank(value):
                    changes[name] = [None, value]
        return data

    def _stays(self, values: Values) -> list[tuple[Any, ...]]:
        """Field, stage, entered, left; `values` are completed with what follows."""
        if self.entity.name == "opportunities":
            closed_from = values.pop("closed_from", None)
            closed_from = closed_from or self.vocabulary.pipelines[values["pipeline_id"]].first.key
            return [("stage", *stay) for stay in stays(values, closed_from)]
        entered = [name for name in self.entity.stays if values.get(name)]
        values |= {f"{name}_entered_at": self.now for name in entered}
        return [(name, values[name], self.now, None) for name in entered]

    def _problem(self, row: int, cells: list[str], loc: Any, code: str, message: str) -> dict[str, Any]:
        """An error at a place in the record, with the column that it comes from."""
        target = located(self.targets, loc)
        value = self._text(target, cells) if target else None
        field = ".".join(str(part) for part in loc if not str(part).isdigit())
        near = nearest(value, self._options(target)) if target and value and code == "unknown_option" else None
        return row_error(row, target, code, message, value, field=field, nearest=near)

    def _text(self, target: Target, cells: list[str]) -> str:
        at = self.at[id(target)]
        return str(target.constant) if at is None else cells[at].strip() if at < len(cells) else ""

    def _options(self, target: Target) -> list[str]:
        """What could stand where something unknown stands."""
        if target.field in ("stage", "closed_from"):
            return list(self.vocabulary.default_pipeline("opportunities").stages)
        if target.field == "profile_id":
            return list(self.vocabulary.profiles)
        info = self.entity.create.model_fields[target.field]
        if target.item and (item := nested(info)):
            info = item.model_fields[target.item]
        options = self.vocabulary.options.get(spec(info).picklist or "", {})
        return [key for key, option in options.items() if option.active]


_CODES = {"missing": "required_information", "string_too_short": "required_information"}
# The settings of the models count for fields that are checked one by one, too.
_AS_MODELS = ConfigDict(str_strip_whitespace=True)


def _meant(target: Target, text: str) -> str | None:
    return target.value_map.get(text, text)


def _keep(known: dict[Any, Any], key: Any, value: Any) -> Any:
    if len(known) >= MOST_KEPT:
        known.clear()
    known[key] = value
    return value


def _normalise(said: list[Values], full: list[Values], models: list[BaseModel], identity: str | None) -> None:
    """What was said of items as the model wrote it, and with what tells them apart."""
    for item, written, model in zip(said, full, models, strict=True):
        for name in (*model.model_fields_set, *([identity] if identity else [])):
            if isinstance(item.get(name), list):
                written[name] = item[name]
            else:
                item[name] = written[name]
