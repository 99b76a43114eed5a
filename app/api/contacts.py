"""Contacts over HTTP."""

from app.api.records import record_routes
from app.domain.entities.contacts import CONTACTS

router = record_routes(CONTACTS)
