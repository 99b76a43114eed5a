"""The caller: who they are and what their profile lets them do."""

from typing import Annotated

import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import render
from app.api.deps import Caller, IfMatch, Session
from app.api.routers import Router
from app.db.models.users import User
from app.domain import records
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Fields, partial
from app.domain.entities.users import USERS, UserRead, UserUpdate
from app.domain.entities.values import Language, OrNull, TimeZone
from app.policies.access import Access

router = Router(tags=["me"])


class Section(BaseModel):
    """What the caller may do in a section: action → reach (own, team, all), the field groups they read and edit, and
    the fields that follow from them."""

    actions: dict[str, str]
    readable: list[str]
    editable: list[str]
    fields: dict[str, list[str]] = Field(
        description="read, create, update → the names of the fields. What is not named here is not written over the "
        "API, or not by you. Of which records, says `can` of each (`with=can`)."
    )


class Me(UserRead):
    """The caller, whole, with what their profile grants."""

    model_config = ConfigDict(json_schema_extra=None)

    sections: Annotated[dict[str, Section], Field(title="Sections")]


class MyFields(Fields):
    locale: Annotated[OrNull[Language], Field(title="Language")] = None
    time_zone: Annotated[OrNull[TimeZone], Field(title="Time zone")] = None


@partial
class MeUpdate(MyFields):
    """What one changes oneself."""


@router.get("/me", response_model=Me)
async def read_me(session: Session, access: Caller) -> Response:
    """Read who you are and what you may do."""
    return await _answer(session, access)


@router.patch("/me", response_model=Me)
async def update_me(session: Session, access: Caller, data: MeUpdate, if_match: IfMatch = None) -> Response:
    """Change your language and time zone."""
    system = Access.own_account(access)
    user = await system.row(session, User, access.user_id, "update")
    await records.unchanged_since(session, system, USERS, user, if_match)
    await records.change(session, system, USERS, user, UserUpdate(**data.model_dump(exclude_unset=True)))
    return await _answer(session, access)


async def _answer(session: Session, access: Access) -> Response:
    answer = await render.written(session, Access.own_account(access), USERS, access.user_id)
    body = bytes(answer.body)[:-1] + b',"sections":' + _sections(access) + b"}"
    return Response(body, 200, {"ETag": answer.headers["etag"], **render.PRIVATE}, "application/json")


def _sections(access: Access) -> bytes:
    sections: dict[str, Section] = {}
    for (section, action, group), scope in sorted(access.grants.items()):
        known = sections.setdefault(section, Section(actions={}, readable=[], editable=[], fields={}))
        if group == "open":
            known.actions[action] = scope
        if action == "read":
            known.readable.append(group)
        if action == "update":
            known.editable.append(group)
    for name in sections.keys() & ENTITIES.keys():
        entity, known = ENTITIES[name], sections[name]
        for action, declared in (("read", entity.read), ("create", entity.create), ("update", entity.update)):
            if action in known.actions:
                allowed = access.fields(entity, action)
                known.fields[action] = [field for field in declared.model_fields if field in allowed]
    return orjson.dumps({name: each.model_dump() for name, each in sections.items()})
