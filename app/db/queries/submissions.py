"""How what a visitor sent is kept, with its line in the ledger and the promise that something is made of it.

One statement, since anybody may have it run: a stranger costs a row of each, and no more.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.jobs import Job
from app.db.session import driver


async def keep(
    session: AsyncSession, values: dict[str, Any], by: UUID, operation_id: UUID, now: datetime, since: datetime
) -> UUID | None:
    """Its id, if it is kept: not if the same came by the form since then, and came to the same.

    values: columns of `submissions`. Those that send the same at once wait for each other until the transaction ends.
    """
    fingerprint: bytes = values["fingerprint"]
    # Through the session, which begins the transaction: on its bare connection the lock would be gone at once.
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(fingerprint[:8], signed=True))))
    hashes = {name: f"\\x{values[name].hex()}" for name in ("fingerprint", "address_hash")}
    # A UUID may be asyncpg's own.
    given = orjson.dumps(values | hashes, default=str).decode()
    values_in_order = (given, fingerprint, since, uuid7(), by, now, operation_id, Job.TAKE_SUBMISSION)
    row = await (await driver(session)).fetchrow(_KEEP, *values_in_order)
    return row["id"] if row else None


_KEEP = """
with kept as (
  insert into submissions (id, form_id, state, values, utm, language, consent, consent_text, page, address_hash,
    fingerprint, version, source, created_at, created_by, updated_at, updated_by)
  select $4, form_id, state, values, utm, language, consent, consent_text, page, address_hash, fingerprint, 1, 'form',
    $6::timestamptz, $5::uuid, $6::timestamptz, $5::uuid
  from jsonb_populate_record(null::submissions, $1::jsonb) as given
  where not exists (
    select from submissions s
    where s.fingerprint = $2 and s.created_at > $3 and s.form_id = given.form_id and s.state = given.state
  ) returning id, state
), told as (
  insert into events (occurred_at, recorded_at, type, entity, record_id, version, actor, source, operation_id, changes)
  select $6, $6, 'submission.created', 'submissions', id, 1, $5, 'form', $7::uuid,
    jsonb_build_object('state', jsonb_build_array(null, state)) from kept
), promised as (
  insert into jobs (kind, dedupe, payload, run_at, state, attempts, fence)
  select $8, id::text, jsonb_build_object('submission_id', id), $6, 'pending', 0, 0 from kept
)
select id from kept
"""
