"""Why somebody sees a record or does not, over HTTP, for those who configure users or profiles."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from app.api.deps import Caller, Session
from app.api.render import PRIVATE
from app.api.routers import Router
from app.domain import explaining
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.values import Line

router = Router(prefix="/access", tags=["access"])


class NamedPolicy(BaseModel):
    """A policy that grants it, and the profile in which it stands."""

    profile: str
    inherited: bool = Field(description="Whether the person's own profile has it from that one.")
    section: str
    action: str
    field_group: str
    reach: str | None


class GrantedLevel(BaseModel):
    """What a profile grants in a section; `reach` only for the group `open`, the widest of the policies."""

    section: str
    action: str
    field_group: str
    granted: bool
    reach: str | None
    policies: list[NamedPolicy]


class ExplainedStep(BaseModel):
    """One thing that must be granted. `reach` is the narrower of the levels: what belongs to a customer is read as far
    as both its own section and `customers` reach."""

    action: str
    reach: str | None
    levels: list[GrantedLevel]


class Way(BaseModel):
    """How the person reaches somebody: self, team or substitute, from one day to another or for good."""

    via: str
    from_on: date | None
    until_on: date | None


class ExplainedOwner(BaseModel):
    """Whose the record is. `reached`: with which level the person reaches them today, if with any but `all`."""

    user_id: UUID
    reached: Literal["own", "team"] | None
    ways: list[Way]


class Because(BaseModel):
    """A record for which somebody is assigned to its customer."""

    entity: str
    record_id: UUID


class ExplainedAssignment(ExplainedOwner):
    """Somebody assigned to the record's customer: as owner, as assignee, or because of records that are theirs, of
    which you are shown those that you see."""

    role: str | None
    because: list[Because]


class ExplainedReason(BaseModel):
    """Why, in a code and in words. If not allowed, what speaks against it; else what speaks for it."""

    code: str
    labels: dict[str, str]


class Explanation(BaseModel):
    """Whether somebody may do something with a record, and why."""

    user_id: UUID
    profile: str
    entity: str
    id: UUID
    action: str
    field: str | None
    allowed: bool
    code: str | None = Field(description="The code of the problem that their own request would be answered.")
    reasons: list[ExplainedReason]
    steps: list[ExplainedStep] = Field(description="What their profile must grant: to read it, to do it, the field.")
    owner: ExplainedOwner | None
    assignments: list[ExplainedAssignment]


@router.get("/explain", response_model=Explanation)
async def explain_access(
    session: Session,
    access: Caller,
    user_id: Annotated[UUID, Query(description="Whose access is asked about.")],
    entity: Annotated[Line, Query(description="The kind of record.", json_schema_extra={"enum": list(ENTITIES)})],
    id: Annotated[UUID, Query(description="The record's id.")],
    action: Annotated[Literal["read", "update", "delete", "restore", "assign"], Query()] = "read",
    field: Annotated[Line | None, Query(description="One of its fields, to be read or updated.")] = None,
) -> Response:
    """Why somebody can or cannot see, change, archive, restore or hand over a record, or see or change a field."""
    found = await explaining.explain(session, access, user_id, entity, id, action, field)
    return Response(Explanation.model_validate(found).model_dump_json(), 200, PRIVATE, "application/json")
