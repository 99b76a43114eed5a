"""The rules that all entities share: options, required information, telephones, amounts. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError, to_jsonable_python

from app.domain.entities.fields import Entity, Values, defaults, longest, with_options
from app.domain.entities.naming import ids_named
from app.domain.entities.values import check_partial_date, did_you_mean, quantise, to_e164
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Invalid, NotFound


def given_values(data: BaseModel) -> Values:
    """What a body gave, field by field: lists of objects as JSON, the rest as Python values."""
    return {
        name: to_jsonable_python(value) if isinstance(value := getattr(data, name), list | BaseModel) else value
        for name in data.model_fields_set
    }


def prepare(
    entity: Entity,
    given: Values,
    before: Values | None,
    vocabulary: Vocabulary,
    editable: Collection[str] | None = None,
) -> Values:
    """The values to write: what was given and what follows from it.

    before: the record as it is, None for a new one. editable: the fields that who changes it may give; what else is
    missing is not theirs to know. None is all. Raises `Invalid` with all that is wrong at once, or else `NotFound` for
    what the vocabulary lacks.
    """
    if before is None:
        new = defaults(entity.create) | given
        wanted = new
    else:
        new = before | given
        wanted = given
    problems = [
        *_unknown_options(entity.create, wanted, before or {}, vocabulary),
        *_too_long(entity.create, wanted, before or {}),
        *_missing(entity, new, vocabulary, editable),
        *_naming_itself(entity, wanted, new.get("id")),
    ]
    derived: Values = {}
    try:
        derived = entity.complete(new, set(wanted), vocabulary)
    except Invalid as error:
        problems += error.errors
    except NotFound:
        if not problems:
            raise
    if problems:
        raise invalid(problems)
    return wanted | derived


def invalid(problems: Sequence[FieldError]) -> Invalid:
    """One error that names all problems; its code is theirs where they share one."""
    codes = {problem.code for problem in problems}
    detail = problems[0].message if len(problems) == 1 else "Several values are not valid"
    return Invalid(detail, code=codes.pop() if len(codes) == 1 else "invalid", errors=list(problems))


def unknown_option(pointer: str, field: str, value: Any, known: Collection[str]) -> FieldError:
    return FieldError(pointer, "unknown_option", f"Not an option of {field}{did_you_mean(str(value), known)}")


def _unknown_options(
    declared: type[BaseModel],
    values: Mapping[str, Any],
    before: Mapping[str, Any],
    vocabulary: Vocabulary,
    path: str = "",
) -> Iterator[FieldError]:
    for name, picklist, items in with_options(declared):
        value = values.get(name)
        if value is None or value == [] or value == before.get(name):
            continue
        if picklist:
            options = vocabulary.options.get(picklist, {})
            for each in value if isinstance(value, list) else [value]:
                option = options.get(each)
                if option is None or not option.active:
                    active = [key for key, known in options.items() if known.active]
                    yield unknown_option(f"{path}/{name}", name, each, active)
        elif items and isinstance(value, list):
            for position, each in enumerate(value):
                yield from _unknown_options(items, each, {}, vocabulary, f"{path}/{name}/{position}")


def _too_long(declared: type[BaseModel], values: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[FieldError]:
    """What is given in one piece is checked by its model; lists also grow, row by row of a file."""
    for name, most in longest(declared):
        value = values.get(name)
        if value and len(value) > most and len(value) > len(before.get(name) or ()):
            yield FieldError(f"/{name}", "too_long", f"At most {most} items")


def _missing(
    entity: Entity, new: Values, vocabulary: Vocabulary, editable: Collection[str] | None
) -> Iterator[FieldError]:
    for name in vocabulary.minimum_information.get(entity.name, ()):
        if is_blank(new.get(name)) and (editable is None or name in editable):
            yield required(name)


def _naming_itself(entity: Entity, values: Values, id: Any) -> Iterator[FieldError]:
    if id is None:
        return
    for pointer, target, named in ids_named(entity.create, values):
        if target == entity.name and named == id:
            yield FieldError(pointer, "names_itself", "Must be another record")


def is_blank(value: Any) -> bool:
    """Whether there is nothing where something could be."""
    return value is None or (not value and isinstance(value, (str, list)))


def required(name: str) -> FieldError:
    return FieldError(f"/{name}", "required_information", f"{name} is required")


def telephones(phones: list[Values], country: str, problems: list[FieldError]) -> list[Values]:
    """The phones with numbers as E.164, and one primary."""
    written = []
    for position, phone in enumerate(phones):
        try:
            written.append(phone | {"number": to_e164(phone["number"], country)})
        except PydanticCustomError as error:
            problems.append(FieldError(f"/phones/{position}/number", error.type, error.message()))
    return one_primary(written)


def one_primary(items: list[Values]) -> list[Values]:
    """The first that says it is primary is; none says so: the first."""
    primary = next((i for i, item in enumerate(items) if item["primary"]), 0)
    return [item | {"primary": i == primary} for i, item in enumerate(items)]


def primary_address(addresses: Sequence[Values]) -> Values:
    """The first of kind main, else the first, else nothing."""
    return next((each for each in addresses if each["kind"] == "main"), addresses[0] if addresses else {})


def to_currency(new: Values, names: Sequence[str], given: set[str], vocabulary: Vocabulary) -> Values:
    """The amounts among `names` to the digits of the record's currency, the company's if it says none."""
    currency = new.get("currency") or vocabulary.currency
    if not given & {*names, "currency"}:
        return {}
    amounts: Values = {}
    problems: list[FieldError] = []
    for name in names:
        if new.get(name) is not None:
            try:
                amounts[name] = quantise(Decimal(new[name]), currency)
            except PydanticCustomError as error:
                problems.append(FieldError(f"/{name}", error.type, error.message()))
    if problems:
        raise invalid(problems)
    return amounts | {"currency": currency} if amounts else amounts


def birth_date(new: Values, problems: list[FieldError]) -> None:
    try:
        check_partial_date(new.get("birth_day"), new.get("birth_month"), new.get("birth_year"))
    except PydanticCustomError as error:
        part = {"year_out_of_range": "year", "month": "month", "month_missing": "month"}.get(error.type, "day")
        problems.append(FieldError(f"/birth_{part}", error.type, error.message()))
