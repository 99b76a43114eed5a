"""Leads over HTTP."""

from fastapi import Response

from app.api import render
from app.api.claiming import add_claim_route
from app.api.deps import Caller, Id, IdempotencyKey, Session
from app.api.records import record_routes
from app.api.stages import add_stage_routes
from app.domain import leads
from app.domain.entities.lead_conversion import LeadConversion
from app.domain.entities.leads import LEADS, LeadMove, LeadRead

router = record_routes(LEADS)
add_claim_route(router, LEADS)
add_stage_routes(router, LEADS, LeadMove)


@router.post("/{id}/convert", response_model=LeadRead)
async def convert_lead(
    session: Session, access: Caller, id: Id, data: LeadConversion | None = None, key: IdempotencyKey = None
) -> Response:
    """Make a customer, a contact and an opportunity of a lead, or add to those that there are: the lead with their ids.

    Asked again it gives the same answer and makes nothing.
    """
    lead = await leads.convert(session, access, id, data or LeadConversion())
    return await render.written(session, access, LEADS, lead.id)
