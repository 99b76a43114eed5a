"""Every answer that is not a success: errors by meaning, as problem details (RFC 9457)."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy.exc
from asyncpg import PostgresError
from asyncpg.exceptions import InterfaceError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity
from app.domain.entities.values import did_you_mean
from app.errors import (
    AppError,
    Conflict,
    FieldError,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    escaped,
)

log = logging.getLogger("clientela.api")

DOCUMENTED = (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503)

# An answer names so many problems; looking for the nearest name of thousands of unknown fields would take seconds.
MOST_PROBLEMS = 100

# What a unique constraint's name says: the field whose value is taken.
TAKEN = {
    "users_username_key": "username",
    "customers_tax_id_key": "tax_id",
    "products_sku_key": "sku",
    "templates_key_key": "key",
    "forms_key_key": "key",
    "external_ids_pkey": "external_id",
}


class ProblemError(BaseModel):
    """One thing that is wrong: where, a stable code, a sentence."""

    pointer: str
    code: str
    message: str


def _of(code: str, text: str) -> Any:
    """A member that only problems of one code have."""
    return Field(default=None, description=f"With `{code}`: {text}", json_schema_extra=_only_there)


def _only_there(schema: dict[str, Any]) -> None:
    schema.pop("default")


class Problem(BaseModel):
    """What went wrong, for programs (`code`) and people (`detail`). Never repeats a value that was sent."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemError]
    version: int = _of("stale", "the present one.")
    changed: dict[str, Any] = _of("stale", "the visible fields that changed since, with their present values.")
    stage: str = _of("forbidden_move", "the present one.")
    allowed: list[str] = _of("forbidden_move", "the stages that may follow.")
    owns: dict[str, int] = _of("owns_work", "how much is theirs still, by section, of what you may see.")


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "Problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in DOCUMENTED
}


def install(app: FastAPI) -> None:
    """Let the application answer every error as a problem."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(ValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _by_status)
    for kind in (
        sqlalchemy.exc.DBAPIError,
        sqlalchemy.exc.TimeoutError,
        PostgresError,
        InterfaceError,
        OSError,
        asyncio.TimeoutError,
    ):
        app.add_exception_handler(kind, _database)
    app.add_exception_handler(Exception, _unforeseen)


def answer(request: Request, error: AppError) -> Response:
    body = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": _request_id(request),
        "errors": error.errors,
        **error.extra,
    }
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if error.status == 503:
        headers.setdefault("Retry-After", "2")
    return Response(orjson.dumps(body), error.status, headers, "application/problem+json")


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


async def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return answer(request, error)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)
    found = error.errors()
    if any(each["loc"][:1] == ("path",) for each in found):
        return answer(request, NotFound("No such record"))
    problems = [_problem(request, dict(each)) for each in found[:MOST_PROBLEMS]]
    return answer(request, rules.invalid(problems))


def _problem(request: Request, each: dict[str, Any]) -> FieldError:
    place, *path = (
        each["loc"]
        if each["loc"] and each["loc"][0] in ("body", "query", "header", "cookie")
        else ("body", *each["loc"])
    )
    pointer = "".join(f"/{escaped(part)}" for part in path if not str(part).startswith(("function-", "list[")))
    if place != "body":
        pointer = f"/{place}{pointer}"
    match each["type"]:
        case "missing":
            return FieldError(pointer or "/", "required_information", f"{path[-1] if path else 'A body'} is required")
        case _ if place == "body" and _left_blank(request, each.get("input"), path):
            return FieldError(pointer, "required_information", f"{path[-1]} is required")
        case "extra_forbidden":
            return _not_writable(request, pointer, [str(part) for part in path])
        case kind:
            return FieldError(pointer or "/", kind, str(each["msg"]).removeprefix("Value error, "))


def unknown_parameter(name: str, known: Iterable[str]) -> FieldError:
    """A query parameter that there is not: left unsaid, a wrong name would be answered with everything."""
    return FieldError(f"/query/{name}", "unknown_parameter", f"No such parameter{did_you_mean(name, known)}")


def _left_blank(request: Request, value: Any, path: list[Any]) -> bool:
    """Whether a field that every record must have was given as null or blank."""
    entity = _entity(request)
    if entity is None or len(path) != 1 or not (value is None or (isinstance(value, str) and not value.strip())):
        return False
    info = entity.create.model_fields.get(str(path[0]))
    return info is not None and info.is_required()


def _entity(request: Request) -> Entity | None:
    parts = request.url.path.split("/")
    return ENTITIES.get(parts[2].replace("-", "_")) if len(parts) > 2 else None


def _not_writable(request: Request, pointer: str, path: list[str]) -> FieldError:
    entity = _entity(request)
    if entity is None or len(path) != 1:
        return FieldError(pointer, "unknown_field", "No such field")
    if path[0] in entity.read.model_fields:
        return FieldError(pointer, "read_only_field", "This field is not changed by writing to it")
    return FieldError(pointer, "unknown_field", f"No such field{did_you_mean(path[0], entity.create.model_fields)}")


async def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, AppError):  # what reading the body raised, wrapped by FastAPI
        return answer(request, error.__cause__)
    kinds: dict[int, type[AppError]] = {
        400: Malformed, 401: Unauthenticated, 404: NotFound, 413: TooLarge, 415: Unsupported, 422: Invalid,
        503: Unavailable,
    }  # fmt: skip
    if error.status_code == 405:
        return answer(request, MethodNotAllowed((error.headers or {})["Allow"].split(", ")))
    detail = "No such path" if error.status_code == 404 else str(error.detail)
    return answer(request, kinds.get(error.status_code, Malformed)(detail))


async def _database(request: Request, error: Exception) -> Response:
    """Constraints by name, locks and lost connections by state: what the database says, in the API's words."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
    original = getattr(cause, "__cause__", None)
    name = getattr(original, "constraint_name", None) or getattr(cause, "constraint_name", None)
    if state == "23505" and name in TAKEN:
        field = TAKEN[name]
        problem = FieldError(f"/{field}", "duplicate", "Another record has this value")
        return answer(request, Conflict(f"{field} is taken", code="duplicate", errors=[problem]))
    if state in ("23503", "23505", "40001", "40P01"):
        return answer(request, Conflict("Somebody else was quicker; try again", code="conflict"))
    if state == "55P03":
        return answer(request, Conflict("The record is being changed by somebody else; try again", code="locked"))
    if state.startswith("22"):
        log.warning("a value reached the database that it does not store: %s", state, exc_info=error)
        return answer(request, Invalid("A value cannot be stored"))
    if state == "57014":
        log.warning("a statement took longer than it may, request %s", _request_id(request))
        detail = "Answering this takes too long: ask for less, by a filter or another order"
        return answer(request, Unavailable(detail, code="too_slow", headers={"Retry-After": "30"}))
    if state[:2] in ("08", "53", "57", "25") or isinstance(
        cause, OSError | TimeoutError | sqlalchemy.exc.TimeoutError | InterfaceError
    ):
        log.warning("database unavailable: %s %s", type(cause).__name__, state)
        return answer(request, Unavailable("The database does not answer; try again"))
    return await _unforeseen(request, error)


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("unforeseen error, request %s", _request_id(request), exc_info=error)
    return answer(request, AppError("Something went wrong here; the request id helps to find it"))
