"""API keys over HTTP."""

from typing import Annotated

import orjson
from fastapi import Depends, Response, status
from pydantic import Field

from app.api import dry_runs, render
from app.api.deps import Caller, Id, IdempotencyKey, IfMatch, Session
from app.api.records import read_routes
from app.db.models.credentials import ApiKey
from app.domain import api_keys, records
from app.domain.entities.api_keys import API_KEYS, ApiKeyCreate, ApiKeyRead, ApiKeyUpdate
from app.domain.entities.fields import readable

router = read_routes(API_KEYS)


@readable
class NewApiKey(ApiKeyRead):
    """A new API key, shown this once: of a repeated request the answer comes without it."""

    key: Annotated[str, Field(title="Key", description="To be sent as `Authorization: Bearer crm_…`.")]


# What is tried would answer a key that is none.
@router.post("", status_code=status.HTTP_201_CREATED, response_model=NewApiKey, dependencies=[Depends(dry_runs.refuse)])
async def create_api_key(session: Session, access: Caller, data: ApiKeyCreate, key: IdempotencyKey = None) -> Response:
    """Make a key for a service user, and be shown it, this once. It does what its user may and its scopes say."""
    record, made = await api_keys.create(session, access, data)
    kept = await render.created(session, access, API_KEYS, record.id)
    body = bytes(kept.body)[:-1] + b',"key":' + orjson.dumps(made) + b"}"
    headers = {name: value for name, value in kept.headers.items() if name != "content-length"}
    return Response(body, kept.status_code, headers)


@router.patch("/{id}", response_model=ApiKeyRead)
async def update_api_key(
    session: Session, access: Caller, id: Id, data: ApiKeyUpdate, if_match: IfMatch = None
) -> Response:
    """Give a key another name. What it may do does not change: make another key."""
    record = await access.row(session, ApiKey, id, "update")
    await records.unchanged_since(session, access, API_KEYS, record, if_match)
    await records.change(session, access, API_KEYS, record, data)
    return await render.written(session, access, API_KEYS, record.id)


@router.delete("/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def end_api_key(session: Session, access: Caller, id: Id, if_match: IfMatch = None) -> Response:
    """End a key, at once and for good."""
    record = await access.row(session, ApiKey, id, "delete")
    await records.unchanged_since(session, access, API_KEYS, record, if_match)
    await api_keys.end(session, access, record)
    return Response(status_code=204)
