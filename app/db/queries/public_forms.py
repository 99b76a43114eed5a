"""A form as its visitors need it: by its key, in one round trip, whoever asks."""

from typing import Any
from uuid import UUID

import orjson

from app.db.vocabulary import VERSION, Connection

_FIND = f"""
select {VERSION} as version,
  (select to_jsonb(f)::text from forms f where f.key = $1 and f.active and f.archived_at is null) as form
"""


async def find(connection: Connection, key: str) -> tuple[str, dict[str, Any] | None]:
    """The version of what processes keep in memory, and the columns of the form in use with that key."""
    row = await connection.fetchrow(_FIND, key)
    form = orjson.loads(row["form"]) if row["form"] else None
    return row["version"], form and {name: _id(name, value) for name, value in form.items()}


def _id(name: str, value: Any) -> Any:
    return UUID(value) if value and name in ("id", "lead_owner_id") else value
