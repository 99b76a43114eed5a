"""Which error codes can the product answer? Found in its source and in the types of what it validates."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

APP = Path(__file__).parents[2] / "app"

# What Pydantic answers for each kind of schema, and for each limit of it.
BY_KIND = {
    "bool": ("bool_parsing", "bool_type"),
    "date": ("date_from_datetime_parsing", "date_type"),
    "datetime": ("datetime_from_date_parsing", "datetime_parsing", "datetime_type"),
    "decimal": ("decimal_parsing", "decimal_type", "finite_number"),
    "dict": ("dict_type",),
    "int": ("finite_number", "int_from_float", "int_parsing", "int_parsing_size", "int_type"),
    "list": ("list_type",),
    "literal": ("literal_error",),
    "model": ("model_attributes_type", "model_type"),
    "model-fields": (),
    "str": ("string_type", "string_unicode"),
    "uuid": ("uuid_parsing", "uuid_type"),
}
BY_LIMIT = {
    ("str", "max_length"): "string_too_long",
    ("str", "min_length"): "string_too_short",
    ("str", "pattern"): "string_pattern_mismatch",
    ("list", "max_length"): "too_long",
    ("list", "min_length"): "too_short",
    ("dict", "max_length"): "too_long",
    ("dict", "min_length"): "too_short",
    **{(kind, "ge"): "greater_than_equal" for kind in ("int", "decimal")},
    **{(kind, "le"): "less_than_equal" for kind in ("int", "decimal")},
    **{(kind, "gt"): "greater_than" for kind in ("int", "decimal")},
    **{(kind, "lt"): "less_than" for kind in ("int", "decimal")},
}
# Schemas that only lead to others, or that raise errors of our own, which stand in the source.
SILENT = {
    "any", "chain", "dataclass", "dataclass-args", "dataclass-field", "default", "definition-ref", "definitions",
    "function-after", "function-before", "function-plain", "function-wrap", "lax-or-strict", "model-field", "none",
    "nullable", "union", "tagged-union", "json-or-python", "is-instance", "tuple", "enum",
}  # fmt: skip
# `missing` and `extra_forbidden` are answered under names of our own; these need more than the source to be seen.
OTHERWISE = {"value_error"}


@cache
def in_source() -> dict[str, set[int]]:
    """Every code in the source of the product, with the statuses that are seen to go with it."""
    statuses = _statuses()
    found: dict[str, set[int]] = defaultdict(set)
    for path in sorted(APP.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for name, code in _calls(tree, _parameters() | _places(tree)):
            found[code] |= {statuses[name][0]} if name in statuses and name != "AppError" else set()
    for status, code in statuses.values():
        found[code].add(status)
    return dict(found)


@cache
def in_types() -> set[str]:
    """Every code of Pydantic's that a body, a parameter or a row of a file can be refused with."""
    from fastapi.routing import APIRoute, iter_route_contexts

    from app.api.listing import filters
    from app.domain.entities.catalog import ENTITIES
    from app.domain.entities.mapping import ImportOptions
    from app.domain.entities.mapping import Mapping as FileMapping
    from app.domain.entities.targets import IMPORTABLE, import_model
    from app.main import app

    models: list[Any] = [FileMapping, ImportOptions, *(import_model(ENTITIES[name]) for name in IMPORTABLE)]
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute):
            continue
        body, takes = route.body_field, route.dependant
        fields = [*([body] if body else []), *takes.path_params, *takes.query_params, *takes.header_params]
        models += [field.field_info.rebuild_annotation() for field in fields]
    schemas = [TypeAdapter(each).core_schema for each in models]
    schemas += [each.values.core_schema for entity in ENTITIES.values() for each in filters(entity).values()]
    return {code for schema in schemas for code in _of_schema(schema)} | OTHERWISE


def _of_schema(schema: Any) -> Iterator[str]:
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from _of_schema(each)
    if not isinstance(schema, Mapping):
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        if kind not in SILENT:
            yield from BY_KIND[kind]
        yield from (code for (of, limit), code in BY_LIMIT.items() if of == kind and schema.get(limit) is not None)
    for name, each in schema.items():
        if name not in ("metadata", "serialization", "cls", "ref", "function"):
            yield from _of_schema(each)


@cache
def _statuses() -> dict[str, tuple[int, str]]:
    """Status and own code of each error class."""
    from app import errors

    classes = [errors.AppError, *errors.AppError.__subclasses__()]
    return {each.__name__: (each.status, each.code) for each in classes}


@cache
def _parameters() -> dict[str, int]:
    """What is called from anywhere with a code, and at which place; -1: only by name."""
    shared: dict[str, int] = {}
    for path in APP.rglob("*.py"):
        shared |= {name: at for name, at in _places(ast.parse(path.read_text())).items() if not name.startswith("_")}
    return shared | dict.fromkeys(_statuses(), -1) | {"FieldError": 1, "PydanticCustomError": 0}


def _places(tree: ast.Module) -> dict[str, int]:
    """The functions and classes of one module that take a parameter `code`, and at which place."""
    found = {}
    for node in ast.walk(tree):
        body = node.body if isinstance(node, ast.ClassDef) else [node]
        for each in body:
            if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            names = [argument.arg for argument in (*each.args.posonlyargs, *each.args.args) if argument.arg != "self"]
            if "code" in names:
                found[node.name if each.name == "__init__" else each.name] = names.index("code")  # type: ignore[attr-defined]
    return found


def _calls(tree: ast.Module, places: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Who is called with which code; nobody, for the error of a row that is written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            said = {getattr(key, "value", None): value for key, value in zip(node.keys, node.values, strict=True)}
            if {"code", "message"} <= said.keys():
                yield from (("", code) for code in _literals(said["code"]))
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in places:
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        place = places[name]
        if 0 <= place < len(node.args):
            given.append(node.args[place])
        for each in given:
            yield from ((name, code) for code in _literals(each))


def _literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, not those that it compares."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=otherwise):
            yield from _literals(body)
            yield from _literals(otherwise)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _literals(each)
