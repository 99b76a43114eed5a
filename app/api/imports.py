"""Files of records, over HTTP."""

from typing import Annotated, Any, TypeVar

import orjson
from fastapi import File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field, ValidationError

from app.api import render
from app.api.deps import Caller, Id, IdempotencyKey, Reader, Session
from app.api.records import read_routes
from app.api.render import Page
from app.db.queries import import_errors
from app.db.statements import Statement
from app.domain import imports
from app.domain.entities.imports import IMPORTS, ImportRead
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.rules import invalid
from app.domain.entities.targets import IMPORTABLE
from app.errors import FieldError, Malformed, TooLarge
from app.policies.access import Access, not_found

LARGEST_FILE = 20_000_000
# As bodies of JSON are answered, see `problems`.
OUR_CODES = {"missing": "required_information", "extra_forbidden": "unknown_field"}

Model = TypeVar("Model", bound=BaseModel)

router = read_routes(IMPORTS)


class RowError(BaseModel):
    """Why a row was refused. `row` is as a spreadsheet counts: the header is row 1."""

    row: int
    column: str | None = Field(description="The column of the file.")
    field: str | None = Field(description="The field that it goes to.")
    code: str
    value: Any = Field(description="What stands there in the file.")
    message: str
    nearest: str | None = Field(description="What was probably meant.")


@router.post("", status_code=202, response_model=ImportRead)
async def create_import(
    session: Session,
    access: Caller,
    request: Request,
    file: Annotated[
        UploadFile,
        # Generators know a file by this format; by `contentMediaType` alone they take it for a text.
        File(description="CSV, 20 MB and 100,000 rows at most.", json_schema_extra={"format": "binary"}),
    ],
    entity: Annotated[str, Form(description=f"{', '.join(IMPORTABLE)}.")],
    mapping: Annotated[str, Form(description="JSON: which column fills which field. See the guide to imports.")],
    options: Annotated[str, Form(description="JSON: delimiter, encoding, date_order, decimal_mark, dry_run.")] = "{}",
    key: IdempotencyKey = None,
) -> Response:
    """Send in a file. It is checked and loaded in the background: follow `Location`."""
    unknown = sorted(set(await request.form()) - {"file", "entity", "mapping", "options"})
    if unknown:
        # Whoever sends `dry_run` here would else have loaded the file.
        raise invalid([FieldError(f"/{name}", "unknown_field", "There is no such field") for name in unknown])
    content = await file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise TooLarge(f"The file is over {LARGEST_FILE} bytes")
    said = _parsed(Mapping, mapping, "/mapping"), _parsed(ImportOptions, options, "/options")
    id = await imports.receive(session, access, entity, (file.filename or "file.csv")[:255], content, *said)
    return await render.created(session, access, IMPORTS, id, 202)


@router.get("/{id}/errors", response_model=Page[RowError])
async def list_import_errors(
    reader: Reader,
    id: Id,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,9}\.\d{1,9}$")] = None,
) -> Response:
    """Which rows were refused, and why."""
    row, n = (int(part) for part in cursor.split(".")) if cursor else (0, 0)

    def make(access: Access) -> Statement:
        reach = access.reach(IMPORTS.name)
        values = {"id": id, "row": row, "n": n, "limit": limit, "sid": access.session_id}
        return import_errors.statement(reach, values | {"reached": list(access.reached(reach.level))})

    _, found = await reader.read(make)
    if not found["record"]:
        raise not_found(IMPORTS.singular)
    items = orjson.loads(found["items"])
    places = [f"{item['row']}.{item.pop('n')}" for item in items]
    more = places[limit - 1] if len(items) > limit else None
    body = orjson.dumps({"items": items[:limit], "next_cursor": more, "total": None})
    return Response(body, 200, render.PRIVATE, "application/json")


def _parsed(model: type[Model], text: str, at: str) -> Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        found = error.errors()
        if any(each["type"] == "json_invalid" for each in found):
            raise Malformed(f"{at[1:]} is not valid JSON") from None
        problems = [
            FieldError(
                at + "".join(f"/{part}" for part in each["loc"]), OUR_CODES.get(each["type"], each["type"]), each["msg"]
            )
            for each in found
        ]
        raise invalid(problems) from None
