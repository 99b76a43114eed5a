"""What follows when an opportunity has stayed in a stage for so many days: a follow-up for its owner, once per stay."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import company
from app.db.models.customers import Customer
from app.db.models.opportunities import Opportunity
from app.db.models.users import User
from app.db.models.workflows import Workflow
from app.db.queries import due_stays, workflow_runs
from app.db.queries.workflow_runs import Episode
from app.domain import activities, workflows
from app.domain.entities.activities import ACTIVITIES, ActivityCreate
from app.domain.entities.templates import rendered
from app.domain.entities.workflows import StalledOptions
from app.policies.access import Access
from app.texts.labels import label
from app.texts.messages import FOLLOW_UP

NOBODY = "It has no owner who is active, nor has its customer, nor has its owner a manager who sees it"


def episode_of(workflow_id: UUID, opportunity_id: UUID, stay_id: int, due_at: datetime) -> Episode:
    return Episode(workflow_id, "opportunities", opportunity_id, str(stay_id), due_at)


async def act(session: AsyncSession, access: Access, workflow: Workflow, opportunity_id: UUID, stay_id: int) -> None:
    """Plan the follow-up, if the stay still goes on and is due by what the company has set by now."""
    opportunity = await access.row(session, Opportunity, opportunity_id, "update")
    options = StalledOptions.model_validate(workflow.options)
    lasting = timedelta(days=options.days)
    stay = await due_stays.open_stay(session, stay_id)
    left_alone = stay is not None and (
        stay.entered_at + lasting > clock.now()
        or (workflow.since is not None and stay.entered_at <= workflow.since)
        or (stay.source == "import" and not options.include_imported)
    )
    if opportunity.archived_at is not None or left_alone:
        return  # not now: a scan finds it once it is restored, or once it counts by what the company says then
    due_at = stay.entered_at + lasting if stay else clock.now()
    run_id = await workflows.begin(session, access, episode_of(workflow.id, opportunity.id, stay_id, due_at))
    if run_id is None:
        return
    reason, owner_id = None, None
    if stay is None:
        reason = "It has left the stage"
    elif (owner_id := await _whose(session, access, opportunity)) is None:
        reason = NOBODY
    if reason is not None or owner_id is None:
        await workflow_runs.end(session, run_id, "skipped", reason=reason, steps=[])
        return
    activity_id = await _plan(session, access, opportunity, owner_id, due_at - lasting, run_id)
    steps = [{"step": "activity", "activity_id": activity_id, "owner_id": owner_id}]
    await workflow_runs.end(session, run_id, "done", assigned_to=owner_id, steps=steps)


async def _whose(session: AsyncSession, access: Access, opportunity: Opportunity) -> UUID | None:
    """The owner; where there is none at work any more the customer's owner, else the manager, if they can open it.

    An owner who is away keeps their work: who stands in for them reaches it.
    """
    if opportunity.owner_id and await workflows.can_work(session, opportunity.owner_id, "opportunities", "activities"):
        return opportunity.owner_id
    others: list[UUID | None] = []
    if opportunity.customer_id is not None:
        others.append((await access.row(session, Customer, opportunity.customer_id)).owner_id)
    if opportunity.owner_id is not None:
        others.append((await access.row(session, User, opportunity.owner_id)).manager_id)
    for user_id in others:
        theirs = user_id and await workflows.can_work(session, user_id, "opportunities", "activities")
        if user_id and theirs:
            seen = theirs.rows(Opportunity).with_only_columns(Opportunity.id).where(Opportunity.id == opportunity.id)
            if await session.scalar(seen) is not None:
                return user_id
    return None


async def _plan(
    session: AsyncSession, access: Access, opportunity: Opportunity, owner_id: UUID, since: datetime, run_id: UUID
) -> UUID:
    owner = await access.row(session, User, owner_id)
    language = owner.locale or (await company.load(session)).languages[0]
    data = ActivityCreate(
        kind="task",
        subject=rendered(label(FOLLOW_UP, language), {"days": str((clock.now() - since).days)}),
        purpose="sales",
        due_at=clock.now(),
        all_day=True,
        owner_id=owner_id,
        opportunity_id=opportunity.id,
    )
    activity = await activities.create(session, access, ACTIVITIES, data, {"workflow_run_id": run_id})
    return activity.id
