"""Workflows and their runs over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from app import clock
from app.api import render
from app.api.deps import Caller, Id, IfMatch, Reader, Session
from app.api.listing import parameters
from app.api.records import read_routes
from app.api.render import Page
from app.db.queries import due_stays
from app.db.statements import Statement
from app.domain import workflows
from app.domain.entities.workflows import WORKFLOW_RUNS, WORKFLOWS, WorkflowRead, WorkflowRunRead, WorkflowUpdate
from app.policies.access import Access, not_found

router = read_routes(WORKFLOWS)


class Preview(BaseModel):
    """What switching a workflow on would do at once."""

    records: int = Field(description="On how many records it would act, or has still to act, at once.")


@router.patch("/{id}", response_model=WorkflowRead)
async def update_workflow(
    session: Session, access: Caller, id: Id, data: WorkflowUpdate, if_match: IfMatch = None
) -> Response:
    """Switch a workflow on or off, or set its options. Ask for the preview first."""
    workflow = await workflows.change(session, access, id, data, if_match)
    return await render.written(session, access, WORKFLOWS, workflow.id)


@router.get("/{id}/preview", response_model=Preview)
async def preview_workflow(
    reader: Reader,
    id: Id,
    days: Annotated[int | None, Query(ge=1, le=3650, description="Left out: as the workflow's options say.")] = None,
    include_imported: Annotated[bool | None, Query(description="Left out: as the workflow's options say.")] = None,
) -> Response:
    """On how many records it would act at once if it were switched on like this, without `start_from_now`."""

    def make(access: Access) -> Statement:
        reach = access.reach(WORKFLOWS.name, "configure")
        asked = {"id": id, "now": clock.now(), "days": days, "include_imported": include_imported}
        values = asked | {"reached": list(access.reached(reach.level)), "sid": access.session_id}
        return due_stays.count_statement(reach, values)

    _, row = await reader.read(make)
    if not row["record"]:
        raise not_found(WORKFLOWS.singular)
    return Response(b'{"records":%d}' % row["records"], 200, render.PRIVATE, "application/json")


@router.get(
    "/{id}/runs",
    response_model=Page[WorkflowRunRead],
    openapi_extra={"parameters": parameters(WORKFLOW_RUNS, "workflow_id")},
)
async def list_workflow_runs(reader: Reader, id: Id, request: Request) -> Response:
    """List what a workflow did: one run for each episode of a record."""
    await render.record(reader, WORKFLOWS, id)  # or there is no such workflow
    return await render.page(reader, WORKFLOW_RUNS, request, ("workflow_id", id))
