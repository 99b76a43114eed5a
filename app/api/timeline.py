"""A customer's timeline over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response
from pydantic import BaseModel, Field

from app.api.deps import Reading
from app.api.render import PRIVATE
from app.db.queries import timeline
from app.db.statements import Statement
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.values import Instant
from app.errors import FieldError
from app.policies.access import THROUGH_CUSTOMER, Access, not_found

# What may have happened to a record of a customer, as the ledger calls it.
VERBS = (
    "created", "changed", "stage_changed", "archived", "restored", "assigned", "unassigned", "claimed", "handed_over",
    "converted", "done", "queued", "sent", "failed",
)  # fmt: skip
TYPES = [f"{ENTITIES[name].singular}.{verb}" for name in ("customers", *sorted(THROUGH_CUSTOMER)) for verb in VERBS]


class TimelineEvent(BaseModel):
    """Something that happened. `changes` is field → [before, after], only of fields that you may see."""

    id: int
    occurred_at: Instant
    recorded_at: Instant
    type: str
    entity: str
    record_id: UUID
    version: int
    changes: dict[str, list[Any]] = Field(description="Field to [before, after].")
    actor: UUID
    source: str
    operation_id: UUID


async def page(reader: Reading, id: UUID, types: list[str] | None, limit: int, cursor: str | None) -> Response:
    """One page of the timeline. Raises `Invalid`, and `NotFound` for a customer out of reach."""
    after_at, after_id = _place(cursor) if cursor else (None, None)
    asked = types or []
    if unknown := [rules.unknown_option("/query/type", "type", each, TYPES) for each in asked if each not in TYPES]:
        raise rules.invalid(unknown)

    def make(access: Access) -> Statement:
        sections, bound = access.once("timeline", _sections)
        values = bound | {"id": id, "types": asked, "after_at": after_at, "after_id": after_id}
        return timeline.statement(sections, limit, types is not None, cursor is not None, values)

    _, row = await reader.read(make)
    if not row["customer"]:
        raise not_found("customer")
    following = orjson.dumps(row["last"] if row["found"] > limit else None)
    body = b'{"items":[%b],"next_cursor":%b,"total":null}' % (row["items"].encode(), following)
    return Response(body, 200, PRIVATE, "application/json")


def _sections(access: Access) -> tuple[tuple[timeline.Section, ...], dict[str, Any]]:
    """The same, with the fields that the caller sees."""
    reaches, bound = below_customers(access)
    return tuple(timeline.Section(name, reach, access.fields(ENTITIES[name])) for name, reach in reaches), bound


def below_customers(access: Access) -> tuple[timeline.Reaches, dict[str, Any]]:
    """How far the caller reaches in each section that is read through customers, and the values to bind for it."""
    names = [name for name in ("customers", *sorted(THROUGH_CUSTOMER)) if access.may(name, "read")]
    bound = {"reached_own": list(access.own), "reached_team": list(access.team), "reached_all": []}
    return tuple((name, access.reach(name)) for name in names), bound | {"sid": access.session_id}


def _place(cursor: str) -> tuple[datetime, int]:
    instant, _, id = cursor.partition("_")
    try:
        if not id.isascii() or not id.isdigit() or len(id) > 18:
            raise ValueError
        at = datetime.fromisoformat(instant)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC), int(id)
    except (ValueError, OverflowError):
        problem = FieldError("/query/cursor", "invalid_cursor", "Not a cursor of this timeline")
        raise rules.invalid([problem]) from None
