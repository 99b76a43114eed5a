"""Picklists and pipelines over HTTP. Editing them comes later."""

from app.api.records import read_routes
from app.domain.entities.picklists import PICKLISTS, PIPELINES

picklists = read_routes(PICKLISTS)
pipelines = read_routes(PIPELINES)
