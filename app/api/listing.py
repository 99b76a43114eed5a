"""The query parameters of a list, made from an entity's declaration: what OpenAPI shows and what is accepted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams

from app.api.problems import unknown_parameter
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, spec, specs
from app.domain.entities.values import Line, clean_line, did_you_mean, fold, like_escape, search_words
from app.domain.entities.vocabulary import Vocabulary
from app.domain.listing import ALONG, Listing
from app.errors import FieldError

LIMIT = 200
Q_LENGTH = 200
VALUES = 100
PARAMETERS = 500
ORDERED = ("gt", "gte", "lt", "lte")
TEXTUAL = ("contains", "starts")
PART: TypeAdapter[str] = TypeAdapter(Line)


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter: the field and operator it stands for, what reads its values, how OpenAPI describes them.

    many: the field is a list itself.
    """

    field: str
    operator: str
    values: TypeAdapter[Any]
    picklist: str | None
    schema: dict[str, Any]
    many: bool = False


@cache
def filters(entity: Entity, of: str | None = None) -> dict[str, Filter]:
    """Every filter of the entity's list, by the parameter's name.

    of: the field by which it is the list of one in a path, `/{id}/…`. It is no filter there, nor is `id`, the path's.
    """
    found: dict[str, Filter] = {}
    for name, info in entity.read.model_fields.items():
        flags = spec(info)
        if not flags.filter or (of is not None and name in ("id", of)):
            continue
        kind, many, nullable = _kind(info)
        # Cleaned first: a type of which the declaration says only that it is text would take what PostgreSQL does not.
        cleaned: Any = Annotated[kind, BeforeValidator(clean_line)]
        adapter: TypeAdapter[Any] = TypeAdapter(cleaned)
        schema = adapter.json_schema(mode="serialization")
        for operator in _operators(kind, many, nullable, flags.picklist):
            parameter = name if operator == "any" else f"{name}__{operator}"
            if operator == "is_null":
                found[parameter] = Filter(name, operator, TypeAdapter(bool), None, {"type": "boolean"})
            elif operator in TEXTUAL:  # a part of an address is no address
                found[parameter] = Filter(name, operator, PART, None, PART.json_schema())
            else:
                found[parameter] = Filter(name, operator, adapter, flags.picklist, schema, many)
    return found


def _kind(info: FieldInfo) -> tuple[Any, bool, bool]:
    """The type of the field's values (of its items, for a list), whether it is a list, whether it may be null."""
    annotation: Any = info.rebuild_annotation()
    base = info.annotation
    nullable = NoneType in get_args(base)
    if get_origin(base) is list:
        return get_args(base)[0], True, False
    if nullable:
        inner = next(each for each in get_args(base) if each is not NoneType)
        constrained = info.metadata and get_origin(annotation) is Annotated
        return Annotated[(inner, *info.metadata)] if constrained else inner, False, True
    return annotation, False, False


def _operators(kind: Any, many: bool, nullable: bool, picklist: str | None) -> tuple[str, ...]:
    bare = kind
    while get_origin(bare) is Annotated:
        bare = get_args(bare)[0]
    null = ("is_null",) if nullable else ()
    if many:
        return ("any", "all", "none")
    if bare is bool:
        return ("any",)
    if bare in (int, Decimal, datetime, date):
        return ("any", "ne", *ORDERED, *null)
    if bare is UUID or get_origin(bare) is Literal or picklist:
        return ("any", "ne", *null)
    return ("any", "ne", *TEXTUAL, *null)


def parameters(entity: Entity, of: str | None = None) -> list[dict[str, Any]]:
    """The parameters as OpenAPI lists them; `of` as of `filters`."""
    sorts = sorted(f"{sign}{name}" for name, each in specs(entity.read).items() if each.sort for sign in ("", "-"))
    described: list[dict[str, Any]] = []

    def add(name: str, schema: dict[str, Any], description: str = "") -> None:
        repeated = schema.get("type") == "array"
        described.append(
            {"name": name, "in": "query", "required": False, "schema": schema}
            | ({"description": description} if description else {})
            | ({"style": "form", "explode": name not in ("sort", "fields")} if repeated else {})
        )

    if "q" in _controls(entity):
        add(
            "q",
            {"type": "string", "maxLength": Q_LENGTH},
            "Words in any order, without accents, the first eight; one wrong letter is forgiven when nothing else is"
            " found.",
        )
    if sorts:
        add(
            "sort",
            {"type": "array", "items": {"type": "string", "enum": sorts}},
            "Comma-separated, `-` for descending; nulls last. Left out: newest first.",
        )
    add(
        "fields",
        {"type": "array", "items": {"type": "string", "enum": list(entity.read.model_fields)}},
        "Comma-separated: only these.",
    )
    add("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT, "default": 50})
    add("cursor", {"type": "string", "maxLength": 4000}, "`next_cursor` of the page before, with the same question.")
    add("count", CONTROLS["count"].json_schema(), "Fills `total`: exactly, or up to 10,000.")
    add("archived", {"type": "boolean", "default": False}, "The archived ones instead.")
    described.append(WITH)
    for name, each in filters(entity, of).items():
        one = each.operator in (*ORDERED, *TEXTUAL, "is_null")
        add(name, each.schema if one else {"type": "array", "items": each.schema})
    return described


def parse(query: QueryParams, entity: Entity, vocabulary: Vocabulary, of: str | None = None) -> Listing:
    """The question that the parameters ask; `of` as of `filters`. Raises `Invalid` for what is unknown or wrong."""
    problems: list[FieldError] = []
    known = filters(entity, of)
    given: dict[str, list[str]] = {}
    items = query.multi_items()
    if len(items) > PARAMETERS:
        raise rules.invalid([FieldError("/query", "too_many_parameters", f"More than {PARAMETERS} parameters")])
    for name, value in items:
        given.setdefault(name, []).append(value)
    controls = _controls(entity)
    where = {}
    for name in given.keys() - controls:
        if name not in known:
            problems.append(unknown_parameter(name, [*known, *controls]))
        else:
            of_field = known[name]
            value = _value(name, of_field, given[name], entity, vocabulary, problems)
            if of_field.operator == "any" and not of_field.many and len(value or ()) == 1:
                where[of_field.field, "is"] = value[0]
            else:
                where[of_field.field, of_field.operator] = value
    chosen = {name: _control(name, given[name], entity, problems) for name in controls if name in given}
    if problems:
        raise rules.invalid(problems)
    return Listing(where=where, along=chosen.pop("with", ()), **chosen)


def along(query: QueryParams) -> tuple[str, ...]:
    """What `with` asks for beside the fields of one record. Raises `Invalid`."""
    problems: list[FieldError] = []
    found = _named("with", query.getlist("with"), ALONG, "unknown_with", problems)
    if problems:
        raise rules.invalid(problems)
    return found


@cache
def _controls(entity: Entity) -> frozenset[str]:
    """The parameters besides filters that the entity's list takes."""
    searched = any(each.search for each in specs(entity.read).values())
    return frozenset(CONTROLS) if searched else frozenset(CONTROLS) - {"q"}


CONTROLS: dict[str, Any] = {
    "q": TypeAdapter(Annotated[str, Field(max_length=Q_LENGTH), BeforeValidator(clean_line)]),
    "sort": TypeAdapter(Annotated[str, Field(max_length=500)]),
    "fields": TypeAdapter(Annotated[str, Field(max_length=4000)]),
    "limit": TypeAdapter(Annotated[int, Field(ge=1, le=LIMIT)]),
    "cursor": TypeAdapter(Annotated[str, Field(max_length=4000)]),
    "count": TypeAdapter(Literal["exact", "estimate"]),
    "archived": TypeAdapter(bool),
    "with": TypeAdapter(Annotated[str, Field(max_length=500)]),
}

WITH: dict[str, Any] = {
    "name": "with",
    "in": "query",
    "required": False,
    "schema": {"type": "array", "items": {"type": "string", "enum": list(ALONG)}},
    "description": "Comma-separated. `can`: what you may do with each record.",
    "style": "form",
    "explode": False,
}


def _control(name: str, values: list[str], entity: Entity, problems: list[FieldError]) -> Any:
    match name:
        case "with":
            return _named(name, values, ALONG, "unknown_with", problems)
        case "fields":
            return _named(name, values, entity.read.model_fields, "unknown_field", problems)
        case "sort":
            allowed = [n for n, each in specs(entity.read).items() if each.sort]
            parts = _named(name, values, allowed, "unknown_field", problems)
            if len({part.lstrip("-") for part in parts}) < len(parts):
                problems.append(FieldError("/query/sort", "repeated", "A field is named twice"))
            return parts
    if len(values) > 1:
        problems.append(FieldError(f"/query/{name}", "repeated", "Given more than once"))
        return None
    try:
        value = CONTROLS[name].validate_python(values[0])
        if name == "q" and value and not search_words(value):
            problems.append(_nothing_to_find(name))
        return value
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problems.append(FieldError(f"/query/{name}", first["type"], first["msg"]))
        return None


def _named(
    name: str, values: list[str], allowed: Collection[str], code: str, problems: list[FieldError]
) -> tuple[str, ...]:
    """The parts of a comma-separated parameter, each once; those of `sort` may begin with `-`."""
    parts = tuple(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))
    unknown = [part for part in parts if part.removeprefix("-" if name == "sort" else "") not in allowed]
    what = "a field to be named here" if code == "unknown_field" else "something that comes with records"
    for part in unknown[:10]:
        problems.append(FieldError(f"/query/{name}", code, f"Not {what}{did_you_mean(part, allowed)}"))
    return parts


def _value(
    name: str, of: Filter, values: list[str], entity: Entity, vocabulary: Vocabulary, problems: list[FieldError]
) -> Any:
    single = of.operator in (*ORDERED, *TEXTUAL, "is_null")
    if len(values) > (1 if single else VALUES):
        problems.append(FieldError(f"/query/{name}", "repeated", "Given too often"))
        return None
    read = []
    for value in values:
        try:
            read.append(of.values.validate_python(value))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problems.append(FieldError(f"/query/{name}", first["type"], first["msg"]))
    options = _options(of, entity, vocabulary)
    if options is not None:
        problems += [
            rules.unknown_option(f"/query/{name}", of.field, each, options) for each in read if each not in options
        ]
    if of.operator in TEXTUAL and read:
        text = fold(read[0]) if of.field == "name" else str(read[0]).casefold()
        if not text:
            problems.append(_nothing_to_find(name))
        return f"%{like_escape(text)}%" if of.operator == "contains" else f"{like_escape(text)}%"
    return (read[0] if read else None) if single else read


def _nothing_to_find(name: str) -> FieldError:
    return FieldError(f"/query/{name}", "nothing_to_find", "Has nothing but punctuation: name a letter or a digit")


def _options(of: Filter, entity: Entity, vocabulary: Vocabulary) -> list[str] | None:
    """What a filter's value must be one of: options, active or not, and stages of the entity's pipelines."""
    if of.operator in (*TEXTUAL, "is_null"):
        return None
    if of.picklist:
        return list(vocabulary.options.get(of.picklist, {}))
    if of.field == "profile_id":
        return list(vocabulary.profiles)
    if of.field == "entity":
        return list(ENTITIES)
    if of.field == "stage":
        return [key for each in vocabulary.pipelines.values() if each.entity == entity.name for key in each.stages]
    return None
