"""Errors by meaning. Each has an HTTP status and a stable code; `api/problems.py` turns them into problem details.

The table of all codes is `docs/errors.md`, held true by a test.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


def escaped(part: object) -> str:
    """A part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value: a JSON pointer into the body (or `/query/<name>`), a code, a sentence."""

    pointer: str
    code: str
    message: str


class AppError(Exception):
    """An answer other than success. `detail` never repeats a value that was sent."""

    status = 500
    code = "internal"
    title = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: list[FieldError] | None = None,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = errors or []
        self.extra = extra or {}
        self.headers = headers or {}


class AccessChanged(Exception):
    """What the caller may do changed while the request ran: it is undone, and runs once more."""


class Malformed(AppError):
    """The request cannot be read at all."""

    status, code, title = 400, "malformed", "Malformed request"


class Unauthenticated(AppError):
    """No caller, or one whose session has ended."""

    status, code, title = 401, "unauthenticated", "Not signed in"


class Forbidden(AppError):
    """The caller sees it and may not do that with it."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(AppError):
    """It does not exist, or not for this caller: the two are told apart by nobody."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(AppError):
    """The path takes other methods, which `Allow` names: HEAD wherever it takes GET."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, methods: Iterable[str]) -> None:
        taken = set(methods)
        allowed = ", ".join(sorted(taken | {"HEAD"} if "GET" in taken else taken))
        super().__init__("This path does not take this method", headers={"Allow": allowed})


class Conflict(AppError):
    """The state of things forbids it."""

    status, code, title = 409, "conflict", "Conflict"


class Stale(AppError):
    """The record changed since the version that the caller names."""

    status, code, title = 412, "stale", "Changed meanwhile"


class TooLarge(AppError):
    """The body is over the limit."""

    status, code, title = 413, "too_large", "Too large"


class Unsupported(AppError):
    """A media type that the route does not take."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Invalid(AppError):
    """Well formed, and wrong."""

    status, code, title = 422, "invalid", "Invalid values"


class TooMany(AppError):
    """Over a rate limit."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(AppError):
    """Something the answer needs is away; worth trying again."""

    status, code, title = 503, "unavailable", "Unavailable"
