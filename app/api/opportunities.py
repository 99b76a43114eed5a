"""Opportunities over HTTP."""

from app.api.claiming import add_claim_route
from app.api.records import record_routes
from app.api.stages import add_stage_routes
from app.domain.entities.opportunities import OPPORTUNITIES, StageMove

router = record_routes(OPPORTUNITIES)
add_claim_route(router, OPPORTUNITIES)
add_stage_routes(router, OPPORTUNITIES, StageMove)
