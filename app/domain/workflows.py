"""What one can do with workflows, and what their runs share: begun once, ended with what was done, found when due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import jobs, seeds
from app.db.models.workflows import Workflow
from app.db.queries import due_stays, workflow_runs
from app.db.queries.workflow_runs import Episode
from app.db.session import operation_of
from app.domain import records
from app.domain.entities import rules
from app.domain.entities.workflows import WORKFLOWS, StalledOptions, WorkflowUpdate, checked_options
from app.errors import Unauthenticated
from app.policies.access import Access
from app.policies.callers import access_of

# Who watches stays looks so often; after a long silence so many are begun at once, and the next after a pause.
SCAN_EVERY = timedelta(seconds=60)
AT_ONCE = 200
PAUSE = timedelta(seconds=30)
# A stay is committed later than it began: what began so shortly before the last scan ended is looked at again.
OVERLAP = timedelta(hours=1)

Steps = list[dict[str, Any]]


async def change(
    session: AsyncSession, access: Access, id: UUID, data: WorkflowUpdate, if_match: str | None
) -> Workflow:
    """Switch a workflow on or off, or set its options; every process follows with its next request or job.

    Raises `Stale`, `Invalid`.
    """
    workflow = await access.row(session, Workflow, id, "configure")
    await records.unchanged_since(session, access, WORKFLOWS, workflow, if_match)
    records.not_archived(workflow)
    values = rules.given_values(data)
    if "options" in values:
        values["options"] = checked_options(workflow.key, workflow.options | values["options"])
        _check_profiles(values["options"].get("profiles", []), access.vocabulary.profiles)
    after = {"enabled": workflow.enabled, "options": workflow.options} | values
    begins_anew = after["enabled"] and after != {"enabled": workflow.enabled, "options": workflow.options}
    if begins_anew and workflow.trigger["kind"] == "stay":
        options = StalledOptions.model_validate(after["options"])
        values["since"] = clock.now() - timedelta(days=options.days) if options.start_from_now else None
        values["scanned_to"] = None
    await records.write(session, access, WORKFLOWS, workflow, values)
    await seeds.remember_anew(session)
    return workflow


def _check_profiles(named: Sequence[str], known: Sequence[str]) -> None:
    unknown = [
        rules.unknown_option(f"/options/profiles/{position}", "profile_id", each, known)
        for position, each in enumerate(named)
        if each not in known
    ]
    if unknown:
        raise rules.invalid(unknown)


async def promise_scans(session: AsyncSession, access: Access) -> None:
    """Have every workflow that watches stays look for those that have become due."""
    for workflow_id in access.vocabulary.watching_stays:
        await _promise_scan(session, workflow_id)


async def _promise_scan(session: AsyncSession, workflow_id: UUID, after: timedelta = timedelta()) -> None:
    at = clock.now() + after
    kind = jobs.Job.SCAN_STAYS
    await jobs.promise(session, kind, run_as=None, run_at=at, dedupe=str(workflow_id), workflow_id=workflow_id)


async def scan(session: AsyncSession, access: Access, id: UUID, *, from_the_beginning: bool) -> None:
    """Promise a run for each stay that has become due since the last scan, the oldest first; if there are many, for
    some of them, and go on after a pause."""
    workflow = await access.row(session, Workflow, id, "update")
    if not is_on(workflow):
        return
    options = StalledOptions.model_validate(workflow.options)
    lasting = timedelta(days=options.days)
    until = clock.now() - lasting
    seen = None if from_the_beginning else workflow.scanned_to
    found = await due_stays.due(
        session,
        workflow.id,
        entered_from=seen and seen - OVERLAP,
        entered_until=until,
        since=workflow.since,
        include_imported=options.include_imported,
        limit=AT_ONCE,
    )
    for stay in found:
        await jobs.promise(
            session,
            jobs.Job.RUN_WORKFLOW,
            run_as=workflow.owner_id,
            run_at=stay.entered_at + lasting,
            dedupe=due_stays.dedupe(workflow.id, stay.id),
            workflow_id=workflow.id,
            record_id=stay.record_id,
            stay_id=stay.id,
        )
    workflow.scanned_to = until
    if len(found) == AT_ONCE:
        workflow.scanned_to = found[-1].entered_at
        await _promise_scan(session, workflow.id, PAUSE)


def is_on(workflow: Workflow) -> bool:
    return workflow.enabled and workflow.archived_at is None


async def begin(session: AsyncSession, access: Access, episode: Episode) -> UUID | None:
    """The id of a new run, under which the ledger keeps what it does; None if the episode has had its run."""
    run_id = await workflow_runs.begin(session, access.user_id, episode)
    if run_id is not None:
        operation_of(session).id = run_id
    return run_id


async def failed(session: AsyncSession, access: Access, episode: Episode, reason: str) -> None:
    """Keep that an episode could not be handled, unless it was."""
    run_id = await workflow_runs.begin(session, access.user_id, episode)
    if run_id is not None:
        await workflow_runs.end(session, run_id, "failed", reason=reason, steps=[])


async def can_work(session: AsyncSession, user_id: UUID, *sections: str) -> Access | None:
    """The user's access, if they are active and see something in these sections."""
    try:
        found = await access_of(session, user_id)
    except Unauthenticated:
        return None
    return found if all(found.reach(section).level for section in sections) else None
