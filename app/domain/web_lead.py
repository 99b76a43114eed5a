"""What follows when a lead comes in by a web form: an answer by e-mail, and a call for the rep whose turn it is."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import company
from app.db.models.leads import Lead
from app.db.models.users import User
from app.db.models.vocabulary import Setting
from app.db.models.workflows import Workflow
from app.db.queries import workflow_runs
from app.db.queries.workflow_runs import Episode
from app.domain import activities, messages, records, workflows
from app.domain.entities.activities import ACTIVITIES, ActivityCreate
from app.domain.entities.leads import LEADS
from app.domain.entities.messages import MESSAGES, MessageCreate
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityCreate
from app.domain.entities.workflows import WebLeadOptions
from app.errors import AppError
from app.policies.access import Access
from app.texts.labels import label
from app.texts.messages import CALL_LEAD

TEMPLATE = "web_lead_answer"


def episode_of(workflow_id: UUID, lead_id: UUID, due_at: datetime) -> Episode:
    """A lead comes in once."""
    return Episode(workflow_id, "leads", lead_id, "created", due_at)


async def act(session: AsyncSession, access: Access, workflow: Workflow, lead_id: UUID) -> None:
    """Answer the lead and plan the call, all or nothing, if it is still to be worked.

    The workflow is locked: turns are taken one after another.
    """
    lead = await access.row(session, Lead, lead_id, "update")
    run_id = await workflows.begin(session, access, episode_of(workflow.id, lead.id, lead.created_at))
    if run_id is None:
        return
    if lead.archived_at is not None or lead.stage_kind != "open":
        reason = "The lead is archived" if lead.archived_at else f"The lead is in the stage {lead.stage} already"
        await workflow_runs.end(session, run_id, "skipped", reason=reason, steps=[])
        return
    options = WebLeadOptions.model_validate(workflow.options)
    settings = await company.load(session)
    zone = ZoneInfo(settings.time_zone)
    due_at = end_of_working_day(clock.now().astimezone(zone), settings.business_hours, settings.holidays)
    rep_id = await _whose(session, workflow.id, lead, options, due_at.date())
    if rep_id is not None and rep_id != lead.owner_id:
        await records.write(session, access, LEADS, lead, {"owner_id": rep_id})
    steps = [
        await _answer(session, access, lead, settings, run_id),
        await _call(session, access, lead, settings, due_at, run_id, rep_id),
    ]
    if options.create_opportunity:
        able = rep_id is not None and await workflows.can_work(session, rep_id, "opportunities")
        steps.append(await _opportunity(session, access, lead, rep_id if able else None))
    await workflow_runs.end(session, run_id, "done", assigned_to=rep_id, steps=steps)


def end_of_working_day(now: datetime, hours: Sequence[dict[str, Any]], holidays: Collection[str]) -> datetime:
    """When the company next closes: today if it has not yet, else on the next day that it opens; where it says no
    hours, at the end of the next 24. `now` is in the company's time zone, and so is the answer."""
    for days in range(366):
        day = now.date() + timedelta(days=days)
        if day.isoformat() in holidays:
            continue
        closings = [each["closes"] for each in hours if each["weekday"] == day.isoweekday()]
        closes = datetime.combine(day, time.fromisoformat(max(closings)), now.tzinfo) if closings else now
        if closes > now:
            return closes
    return now + timedelta(hours=24)


async def _whose(
    session: AsyncSession, workflow_id: UUID, lead: Lead, options: WebLeadOptions, day: date
) -> UUID | None:
    """The lead's owner if they still work here, else whose turn it is among those present on the day."""
    waiting = await workflow_runs.in_turn(session, workflow_id, options.profiles, day)
    for user_id in (*([lead.owner_id] if lead.owner_id else []), *waiting):
        if await workflows.can_work(session, user_id, "leads", "activities"):
            return user_id
    return None


async def _answer(session: AsyncSession, access: Access, lead: Lead, settings: Setting, run_id: UUID) -> dict[str, Any]:
    template_id = await messages.template_by_key(session, access, TEMPLATE)
    if lead.first_response_at is not None:
        return _left_out("message", "The lead has been answered already")
    if messages.address_among(lead.emails) is None:
        return _left_out("message", "The lead has no e-mail address")
    if template_id is None:
        return _left_out("message", f"There is no template {TEMPLATE}")
    language = lead.preferred_language or settings.languages[0]
    data = MessageCreate(lead_id=lead.id, template_id=template_id, language=language, owner_id=lead.owner_id)
    message = await messages.create(session, access, MESSAGES, data, {"workflow_run_id": run_id})
    return {"step": "message", "message_id": message.id}


async def _call(
    session: AsyncSession,
    access: Access,
    lead: Lead,
    settings: Setting,
    due_at: datetime,
    run_id: UUID,
    rep_id: UUID | None,
) -> dict[str, Any]:
    """A call of the lead's owner. If nobody is there it is nobody's, for whoever assigns."""
    rep = await access.row(session, User, rep_id) if rep_id else None
    language = (rep and rep.locale) or settings.languages[0]
    data = ActivityCreate(
        kind="call",
        direction="out",
        purpose="sales",
        subject=label(CALL_LEAD, language),
        due_at=due_at,
        owner_id=rep_id,
        lead_id=lead.id,
    )
    activity = await activities.create(session, access, ACTIVITIES, data, {"workflow_run_id": run_id})
    return {"step": "activity", "activity_id": activity.id, "owner_id": rep_id}


async def _opportunity(session: AsyncSession, access: Access, lead: Lead, owner_id: UUID | None) -> dict[str, Any]:
    name = (lead.title or lead.name)[:200].strip()
    data = OpportunityCreate(name=name, owner_id=owner_id, customer_id=lead.customer_id, lead_id=lead.id)
    try:
        opportunity = await records.create(session, access, OPPORTUNITIES, data)
    except AppError as error:  # it lacks what the company asks of every opportunity: the rest is done all the same
        return _left_out("opportunity", error.detail)
    return {"step": "opportunity", "opportunity_id": opportunity.id}


def _left_out(step: str, why: str) -> dict[str, Any]:
    return {"step": step, "left_out": why}
