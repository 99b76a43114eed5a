"""Reports over HTTP: what opportunities add up to."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field, StringConstraints

from app.api.deps import Reader
from app.api.render import PRIVATE
from app.api.routers import Router
from app.db.queries import won_amounts
from app.db.statements import Statement
from app.domain.entities import rules
from app.domain.entities.opportunities import OPPORTUNITIES
from app.errors import FieldError
from app.policies.access import Access

router = Router(prefix="/reports", tags=["reports"])

Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]


class WonAmount(BaseModel):
    """What somebody's opportunities that were won in a month come to, in one currency."""

    month: str = Field(description="In the company's time zone.", examples=["2026-01"])
    owner_id: UUID | None
    currency: str
    opportunities: int = Field(description="How many.")
    amount: str = Field(description="A decimal number.", examples=["1234.50"])


class WonAmounts(BaseModel):
    """In order of month, owner and currency; a month without any is left out."""

    items: list[WonAmount]


@router.get("/won-amounts", response_model=WonAmounts)
async def read_won_amounts(
    reader: Reader,
    since: Annotated[
        Month | None, Query(alias="from", description="The first month. Left out: the first in which any was won.")
    ] = None,
    until: Annotated[
        Month | None, Query(alias="to", description="The last month. Left out: the last in which any was won.")
    ] = None,
) -> Response:
    """What was won by month and owner, of the opportunities that you may see as they are now."""
    if since and until and until < since:
        raise rules.invalid([FieldError("/query/to", "ends_before_it_starts", "It cannot end before it starts")])

    def make(access: Access) -> Statement:
        access.require("opportunities", "read")
        access.require_fields(OPPORTUNITIES, ("owner_id", "currency", "amount", "closed_at"), "read")
        reach = access.reach("opportunities")
        values = {
            "zone": access.vocabulary.time_zone,
            "since": _begin(since),
            "until": _begin(until),
            "reached": list(access.reached(reach.level)),
            "sid": access.session_id,
        }
        return won_amounts.statement(reach, values)

    _, row = await reader.read(make)
    return Response(b'{"items":[%b]}' % row["items"].encode(), 200, PRIVATE, "application/json")


def _begin(month: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{month}-01") if month else None
