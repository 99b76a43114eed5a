"""Messages and templates over HTTP."""

from app.api.records import record_routes
from app.domain import messages as domain
from app.domain.entities.messages import MESSAGES
from app.domain.entities.templates import TEMPLATES

messages = record_routes(MESSAGES, create=domain.create, change=domain.change)
templates = record_routes(TEMPLATES)
