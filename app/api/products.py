"""Products over HTTP."""

from app.api.records import record_routes
from app.domain.entities.products import PRODUCTS

router = record_routes(PRODUCTS)
