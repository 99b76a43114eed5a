"""What did a visitor send? JSON, or a form of HTML in either of its ways, read within narrow limits.

A stranger sends it: whatever it is, it is read in milliseconds, or refused.
"""

import re
from collections.abc import AsyncIterator, Iterable
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.bodies import is_json, parsed_json
from app.domain.entities.rules import invalid
from app.errors import FieldError, Malformed, TooLarge, Unsupported

LARGEST = 64_000
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
MOST_PARTS, MOST_FILES = 100, 10
# Reading a header with many semicolons takes the square of its length.
LONGEST_HEADER = 500
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")


async def sent(request: Request) -> dict[str, Any]:
    """The fields by name: texts, or whatever JSON holds. Files are left out.

    Raises `TooLarge`, `Unsupported`, `Malformed`, and `Invalid` for a field that comes twice.
    """
    body = await _limited(request)
    header = request.headers.get("content-type", "")[:LONGEST_HEADER]
    match media_type(request):
        case "multipart/form-data":
            pairs = await _multipart(body, header)
        case "application/x-www-form-urlencoded":
            pairs = _urlencoded(body)
        case _ if is_json(header):
            fields = parsed_json(body)
            if not isinstance(fields, dict):
                raise invalid([FieldError("/", "dict_type", "Must be an object")])
            return fields
        case _:
            raise Unsupported("The body must be JSON or a form")
    return _each_once(pairs)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "")[:LONGEST_HEADER].partition(";")[0].strip().lower()


async def _limited(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge(f"The body is over {LARGEST} bytes")
    return bytes(body)


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS)
    except ValueError:
        raise Malformed("The form is not written in UTF-8, or has too many fields") from None


async def _multipart(body: bytes, header: str) -> list[tuple[str, str]]:
    told = Message()
    told["content-type"] = header
    boundary = told.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise Malformed("The form has no boundary")

    async def whole() -> AsyncIterator[bytes]:
        yield body

    # Every byte is a character of Latin-1, so what stands in the form is had back below, whatever it says it is.
    headers = Headers({"content-type": f'multipart/form-data; boundary="{boundary}"; charset=latin-1'})
    try:
        form = await _Parser(headers, whole(), max_files=MOST_FILES, max_fields=MOST_PARTS).parse()  # type: ignore[arg-type]
        await form.close()
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        return [(name.encode("latin-1").decode(), value.encode("latin-1").decode()) for name, value in pairs]
    except (MultiPartException, ValueError):
        raise Malformed("The form cannot be read") from None


class _Parser(MultiPartParser):
    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        if end - start > LONGEST_HEADER:
            raise MultiPartException("A header is too long")
        super().on_header_value(data, start, end)


def _each_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, text in pairs:
        if not name.isprintable():
            raise Malformed("The form has a field whose name is no text")
        if name in fields:
            raise invalid([FieldError(f"/{name[:100]}", "repeated", "Given more than once")])
        fields[name] = text
    return fields
