"""Where does each column of a file go, once its mapping is understood?"""

from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from app.domain.entities.catalog import ENTITIES
from app.domain.entities.cells import Read, kind_of, reader
from app.domain.entities.customers import tax_id_key
from app.domain.entities.fields import Entity, Values, nested, spec
from app.domain.entities.mapping import Column, ImportOptions, Mapping
from app.domain.entities.opportunity_imports import OpportunityImport
from app.domain.entities.rules import invalid
from app.domain.entities.users import username_key
from app.domain.entities.values import clean_line, did_you_mean, fold
from app.errors import FieldError, escaped

IMPORTABLE = ("users", "customers", "contacts", "leads", "products", "opportunities", "activities")
EXTERNAL_ID, ID = "external_id", "id"
LONGEST_KEY = 255

# By what a record of each kind may be found, and how such a key is compared.
KEYS: dict[str, dict[str, Callable[[str], str]]] = {
    "users": {"name": fold, "username": username_key, "email": str.casefold},
    "customers": {"name": fold, "number": str.upper, "tax_id": tax_id_key, "email": str.casefold},
    "contacts": {"email": str.casefold},
    "leads": {"email": str.casefold},
    "products": {"name": fold, "sku": str},
    "opportunities": {},
    "activities": {},
}
# The field that a key is kept in, where it is another, and how a mapping names it.
KEPT_IN = {(name, "email"): ("emails", "address") for name in ("customers", "contacts", "leads")}


@dataclass(frozen=True, slots=True)
class Target:
    """One use of a column, or of a constant where `column` is None.

    field, item, position: `addresses.2.country` is the field addresses, its item's country, position 1. refers_to, by:
    of a cell that names a record, which kind of record and by which key.
    """

    column: str | None
    constant: Any
    field: str
    item: str | None
    position: int
    value_map: Dictionary[str, str | None]
    read: Read
    refers_to: str | None
    by: str | None


def import_model(entity: Entity) -> type[BaseModel]:
    """What a row of a file is checked against."""
    return OpportunityImport if entity.name == "opportunities" else entity.create


def targets(entity: Entity, mapping: Mapping, options: ImportOptions, time_zone: str) -> list[Target]:
    """What a mapping says, in order. Raises `Invalid` that names all of it that cannot be."""
    problems: list[FieldError] = []
    found: list[Target] = []
    for name, goes_to in mapping.columns.items():
        at = f"/mapping/columns/{escaped(name)}"
        for each in goes_to if isinstance(goes_to, list) else [goes_to] if goes_to is not None else []:
            column = each if isinstance(each, Column) else Column(to=each)
            try:
                found.append(_target(entity, name, None, column, mapping, options, time_zone))
            except _Wrong as wrong:
                problems.append(FieldError(at, wrong.code, wrong.message))
    for to, constant in mapping.constants.items():
        try:
            found.append(_target(entity, None, constant, Column(to=to), mapping, options, time_zone))
        except _Wrong as wrong:
            problems.append(FieldError(f"/mapping/constants/{to}", wrong.code, wrong.message))
    problems += _problems(entity, mapping, found)
    if problems:
        raise invalid(problems)
    return found


def key_target(entity: Entity, mapping: Mapping, found: list[Target]) -> Target | None:
    """The target whose cells are the rows' own key."""
    field, item = KEPT_IN.get((entity.name, mapping.match_on or ""), (mapping.match_on, None))
    return next((each for each in found if (each.field, each.item, each.position) == (field, item, 0)), None)


def called(text: str) -> str:
    """What another system, or who wrote the file, calls a record by. Raises PydanticCustomError for what is none."""
    line = clean_line(text)
    if len(line) > LONGEST_KEY:
        raise PydanticCustomError("string_too_long", f"Must have at most {LONGEST_KEY} characters")
    return line


def key_of(entity: str, by: str, text: str) -> str:
    """A key as it is compared."""
    if by == EXTERNAL_ID:
        return text
    return text.lower() if by == ID else KEYS[entity][by](text)


def compared(entity: str, values: Values) -> Values:
    """The columns by which names are compared, of the names among the values."""
    return {
        f"{name}_key": KEYS[entity][name](values[name])
        for name in ("name", "username")
        if name in KEYS[entity] and name in values
    }


class _Wrong(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


def _target(
    entity: Entity,
    column: str | None,
    constant: Any,
    to: Column,
    mapping: Mapping,
    options: ImportOptions,
    time_zone: str,
) -> Target:
    model = import_model(entity)
    if to.to == EXTERNAL_ID:
        return Target(column, constant, EXTERNAL_ID, None, 0, to.value_map, called, None, None)
    field, *rest = to.to.split(".")
    position = int(rest.pop(0)) - 1 if rest and rest[0].isdecimal() and len(rest[0]) < 3 else 0
    field, by = _named(model, field, to.by) if not rest else (field, None)
    info = model.model_fields.get(field)
    if info is None or not spec(info).importable:
        raise _Wrong("unknown_field", f"No such field{did_you_mean(field, _names(model))}")
    item = None
    if item_model := nested(info):
        if len(rest) != 1 or position < 0:
            raise _Wrong(
                "unknown_field",
                f"A column goes to one field of its items, such as {field}.{next(iter(item_model.model_fields))}",
            )
        item, by = _named(item_model, rest[0], to.by)
        info = item_model.model_fields.get(item)
        if info is None:
            raise _Wrong("unknown_field", f"No such field of {field}{did_you_mean(rest[0], _names(item_model))}")
    elif rest:
        raise _Wrong("unknown_field", f"{field} has no fields of its own")
    refers_to = spec(info).refers_to
    if to.by is not None and by != to.by:
        raise _Wrong("not_applicable", "`by` is for a record that the column names, such as customer")
    if refers_to and by not in (ID, EXTERNAL_ID, *KEYS[refers_to]):
        raise _Wrong(
            "unknown_key", f"{refers_to} are not found by {by}, but by {', '.join((*KEYS[refers_to], EXTERNAL_ID))}"
        )
    if by == EXTERNAL_ID and mapping.external_system is None:
        raise _Wrong("external_system", "The mapping must say of which external_system the ids are")
    read = str if refers_to else reader(kind_of(info), options, time_zone, to.multiply)
    if to.multiply is not None and kind_of(info) not in ("number", "whole"):
        raise _Wrong("not_applicable", "Only a number is multiplied")
    return Target(column, constant, field, item, max(position, 0), to.value_map, read, refers_to, by)


def _named(model: type[BaseModel], name: str, by: str | None) -> tuple[str, str | None]:
    """`customer` is the customer that a key names, `customer_id` the one of an id: the field, and by what."""
    info = model.model_fields.get(f"{name}_id")
    if info is not None and spec(info).refers_to and name not in model.model_fields:
        return f"{name}_id", by or "name"
    info = model.model_fields.get(name)
    return name, ID if info is not None and spec(info).refers_to else None


def _problems(entity: Entity, mapping: Mapping, found: list[Target]) -> list[FieldError]:
    problems = []
    places = [(each.field, each.item, each.position) for each in found]
    for twice in {place for place in places if places.count(place) > 1}:
        problems.append(FieldError("/mapping", "duplicate", f"More than one column or constant goes to {twice[0]}"))
    keys = (EXTERNAL_ID, *(key for key in KEYS[entity.name] if key != "number"))
    if mapping.match_on is not None and mapping.match_on not in keys:
        problems.append(
            FieldError("/mapping/match_on", "unknown_key", f"{entity.name} are matched on {', '.join(keys)}")
        )
    elif mapping.match_on is not None and key_target(entity, mapping, found) is None:
        problems.append(FieldError("/mapping/match_on", "unmapped", "No column goes to what the rows are matched on"))
    if EXTERNAL_ID in (place[0] for place in places) and mapping.external_system is None:
        problems.append(
            FieldError("/mapping/external_system", "external_system", "Must say of which system the external_id is")
        )
    return problems


def _names(model: type[BaseModel]) -> list[str]:
    return [name for name, info in model.model_fields.items() if spec(info).importable]


def check_columns(mapping: Mapping, header: list[str]) -> None:
    """Raise `Invalid` unless the mapping names exactly the columns that the file has."""
    problems = [
        FieldError("/mapping/columns", "unknown_column", f"The file has no column {name}{did_you_mean(name, header)}")
        for name in mapping.columns
        if name not in header
    ]
    problems += [
        FieldError(
            "/mapping/columns", "unmapped_column", f"The mapping does not say where {name} goes; null leaves it out"
        )
        for name in header
        if name not in mapping.columns
    ]
    if problems:
        raise invalid(problems)


def importable(name: str) -> Entity:
    """The entity of that name. Raises `Invalid` if files are not loaded into it."""
    if name not in IMPORTABLE:
        hint = did_you_mean(name, IMPORTABLE)
        raise invalid([FieldError("/entity", "unknown_entity", f"Files are loaded into {', '.join(IMPORTABLE)}{hint}")])
    return ENTITIES[name]
