"""A small company at work: what it switches on, what comes in, what its jobs then do, and what is there afterwards."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.models.leads import Lead
from app.db.models.opportunities import Opportunity
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.domain import records, stages, workflows
from app.domain.entities.leads import LEADS, LeadCreate
from app.domain.entities.opportunities import OPPORTUNITIES, OpportunityCreate, OpportunityUpdate, StageMove
from app.domain.entities.workflows import WorkflowUpdate
from app.jobs import worker
from app.jobs.handlers import GIVEN_UP, HANDLERS
from app.jobs.job import attempt
from app.policies.callers import access_of
from tests.jobs.conftest import StoppedClock
from tests.jobs.effects import claimed

TEN_DAYS = timedelta(days=10)


async def switch(key: str, on: bool = True, **options: Any) -> None:
    async with transaction() as session:
        access = await access_of(session, SYSTEM_USER)
        id = await session.scalar(text("select id from workflows where key = :key"), {"key": key})
        data = WorkflowUpdate(enabled=on, **({"options": options} if options else {}))
        await workflows.change(session, access, id, data, None)


async def opportunity(name: str, owner_id: UUID | None, source: str = "api") -> UUID:
    async with transaction(source) as session:
        access = await access_of(session, SYSTEM_USER)
        data = OpportunityCreate(name=name, owner_id=owner_id)
        return (await records.create(session, access, OPPORTUNITIES, data)).id


async def edit(id: UUID, **values: Any) -> None:
    async with transaction() as session:
        access = await access_of(session, SYSTEM_USER)
        record = await access.row(session, Opportunity, id, "update")
        await records.change(session, access, OPPORTUNITIES, record, OpportunityUpdate(**values))


async def move(id: UUID, stage: str) -> None:
    async with transaction() as session:
        await stages.move(session, await access_of(session, SYSTEM_USER), OPPORTUNITIES, id, StageMove(stage=stage))


async def lead(source: str = "form", **values: Any) -> UUID:
    """A lead as a form brings it."""
    given = {"first_name": "Lucía", "last_name": "Núñez", "preferred_language": "es", "owner_id": None}
    given |= {"emails": [{"address": "lucia@talleres.example"}]}
    async with transaction(source) as session:
        access = await access_of(session, SYSTEM_USER)
        return (await records.create(session, access, LEADS, LeadCreate.model_validate(given | values))).id


async def change_lead(id: UUID, **values: Any) -> None:
    async with transaction() as session:
        access = await access_of(session, SYSTEM_USER)
        record = await access.row(session, Lead, id, "update")
        await records.write(session, access, LEADS, record, values)


async def sweep() -> int:
    """What a worker does when it wakes: it looks for what is due and does all of it. How many jobs it did."""
    await worker._promise_scans(None)
    return await work()


async def work() -> int:
    """Do all that is due, one after another, the longest due first."""
    done = 0
    while held := await claimed(1):
        await attempt(held[0], HANDLERS[held[0].kind], GIVEN_UP.get(held[0].kind))
        done += 1
    return done


async def live(time: StoppedClock, hours: int) -> None:
    """Let time pass with a worker that wakes every hour."""
    for _ in range(hours):
        time.forward(hours=1)
        await sweep()


async def rows(query: str, **values: Any) -> list[Any]:
    async with transaction("system") as session:
        return list((await session.execute(text(query), values)).all())


async def follow_ups() -> list[str]:
    """Of which opportunities there are follow-ups, in the order in which they were planned."""
    found = await rows("select o.name from activities a join opportunities o on o.id = a.opportunity_id order by a.id")
    return [row.name for row in found]


async def runs() -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in await rows("select state, reason from workflow_runs order by id")]
