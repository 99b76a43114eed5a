"""A person's day over HTTP."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Response
from pydantic import BaseModel, Field

from app import clock
from app.api.deps import Reader
from app.api.render import PRIVATE
from app.api.routers import Router
from app.db.queries import agenda
from app.db.statements import Statement
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.values import Instant
from app.policies.access import Access

router = Router(tags=["me"])

MOST = 50


class AgendaActivity(BaseModel):
    """An activity that is planned. Names are null where there is nothing, or nothing that you may see."""

    id: UUID
    kind: str
    subject: str
    due_at: Instant
    all_day: bool
    priority: int | None
    owner_id: UUID
    location: str | None
    customer_id: UUID | None
    customer_name: str | None
    opportunity_id: UUID | None
    opportunity_name: str | None
    lead_id: UUID | None
    lead_name: str | None


class IdleCustomer(BaseModel):
    """A customer with whom nothing is planned."""

    id: UUID
    name: str
    owner_id: UUID
    last_activity_at: Instant | None


class IdleOpportunity(IdleCustomer):
    """An open opportunity for which nothing is planned."""

    customer_id: UUID | None
    stage: str


class WithoutNextStep(BaseModel):
    """What waits for a next step, first what waits longest."""

    customers: list[IdleCustomer]
    opportunities: list[IdleOpportunity]


class Totals(BaseModel):
    """How many there are in all."""

    overdue: int
    today: int
    customers: int
    opportunities: int
    access_requests: int = Field(description="Open ones that are yours to decide.")


class Agenda(BaseModel):
    """Your day, and that of those for whom you stand in: 50 of each at most."""

    day: date = Field(description="Today, in your time zone, else the company's.")
    overdue: list[AgendaActivity]
    today: list[AgendaActivity] = Field(description="What is left of today, in order.")
    without_next_step: WithoutNextStep
    totals: Totals


@router.get("/me/agenda", response_model=Agenda)
async def read_my_agenda(reader: Reader) -> Response:
    """What is overdue, what is due today, and which of your customers and opportunities have no next step."""
    _, own = await reader.read(
        lambda access: agenda.time_zone({"user_id": access.user_id, "sid": access.session_id}),
    )
    today = date.min

    def make(access: Access) -> Statement:
        nonlocal today
        access.require("activities", "read")
        days, today = _days(own["time_zone"], access.vocabulary.time_zone)
        reaches = tuple((name, access.reach(name)) for name in ("activities", "customers", "opportunities", "leads"))
        steps = tuple(
            name for name in ("customers", "opportunities") if "next_activity_at" in access.fields(ENTITIES[name])
        )
        values = days | {"own": list(access.own), "limit": MOST, "sid": access.session_id}
        assigns = access.reach("customers", "assign")
        values |= {"assigning": list(access.reached(assigns.level))}
        values |= {f"reached_{name}": list(access.reached(reach.level)) for name, reach in reaches}
        return agenda.statement(agenda.Agenda(reaches, steps, assigns, access.may("customers", "update")), values)

    _, row = await reader.read(make)
    parts = {name: (row[name] or "").encode() for name in ("overdue", "today", "customers", "opportunities")}
    counted = (*parts, "access_requests")
    totals = ",".join(f'"{name}":{row[f"total_{name}"] or 0}' for name in counted).encode()
    body = (
        b'{"day":"%b","overdue":[%b],"today":[%b],"without_next_step":{"customers":[%b],"opportunities":[%b]},'
        b'"totals":{%b}}' % (today.isoformat().encode(), *parts.values(), totals)
    )
    return Response(body, 200, PRIVATE, "application/json")


def _days(own: str | None, company: str) -> tuple[dict[str, datetime], date]:
    """The instants between which today lies, and today's date.

    A whole day is kept as its beginning in the company's time zone: it is the same day on every calendar.
    """
    now, zone = clock.now(), ZoneInfo(own or company)
    today = now.astimezone(zone).date()
    tomorrow = today + timedelta(days=1)

    def begins(day: date, where: ZoneInfo) -> datetime:
        return datetime.combine(day, time(), where).astimezone(UTC)

    return {
        "now": now,
        "tomorrow": begins(tomorrow, zone),
        "today_all_day": begins(today, ZoneInfo(company)),
        "tomorrow_all_day": begins(tomorrow, ZoneInfo(company)),
    }, today
