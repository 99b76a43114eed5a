"""What does a workflow do when its job comes up? It looks for what is due, or acts on one record."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.base import Json
from app.db.models.workflows import Workflow
from app.domain import stalled_opportunities, web_lead, workflows
from app.jobs.job import Run
from app.policies.access import Access, Reason


async def scan_stays(run: Run) -> None:
    async with run.transaction("workflow", last=True) as (session, access):
        beginning = bool(run.job.payload.get("from_the_beginning"))
        await workflows.scan(session, access, run.id_of("workflow_id"), from_the_beginning=beginning)


async def run_workflow(run: Run) -> None:
    """Act once on a record, all or nothing, in the name of the workflow's owner; one that was switched off does not."""
    async with run.transaction("workflow", last=True) as (session, access):
        workflow = await access.row(session, Workflow, run.id_of("workflow_id"), "update")
        if not workflows.is_on(workflow):
            return
        record_id, stay_id = run.id_of("record_id"), run.job.payload.get("stay_id")
        if stay_id is None:
            await web_lead.act(session, access, workflow, record_id)
        else:
            await stalled_opportunities.act(session, access, workflow, record_id, stay_id)


async def given_up(session: AsyncSession, payload: Json) -> None:
    """The run failed again and again."""
    workflow_id, record_id = UUID(payload["workflow_id"]), UUID(payload["record_id"])
    if (stay_id := payload.get("stay_id")) is None:
        episode = web_lead.episode_of(workflow_id, record_id, clock.now())
    else:
        episode = stalled_opportunities.episode_of(workflow_id, record_id, stay_id, clock.now())
    reason = "It failed again and again; the log of the worker says why"
    await workflows.failed(session, Access.system(Reason.SWEEP), episode, reason)
