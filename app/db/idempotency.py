"""Answers kept for repeated requests, in the same transaction as what they answer."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.models.sessions import IdempotencyKey
from app.errors import Conflict, Invalid

KEPT = timedelta(hours=24)


class Replayed(Exception):
    """The request was answered before: here is that answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


async def begin(session: AsyncSession, subject: UUID, method: str, path: str, key: str, fingerprint: bytes) -> None:
    """Claim a key for this transaction. Whoever sends the same one meanwhile waits, two seconds at most.

    Raises `Replayed` if it was answered, `Invalid` if it was used for another request, `Conflict` while it is running.
    """
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid("An Idempotency-Key has 1 to 255 printable characters", code="invalid_idempotency_key")
    now = clock.now()
    claim = insert(IdempotencyKey).values(
        subject=subject, method=method, path=path, key=key, fingerprint=fingerprint, created_at=now
    )
    fresh = claim.on_conflict_do_update(
        index_elements=["subject", "method", "path", "key"],
        set_={"fingerprint": fingerprint, "created_at": now, "status": None, "headers": None, "body": None},
        where=IdempotencyKey.created_at < now - KEPT,
    ).returning(IdempotencyKey.key)
    try:
        if await session.scalar(fresh) is not None:
            session.info["idempotency"] = (subject, method, path, key)
            return
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise Conflict("The same request is still running", code="idempotency_key_running") from None
        raise
    kept = (await session.execute(select(IdempotencyKey).where(*_is(subject, method, path, key)))).scalar_one()
    if kept.fingerprint != fingerprint:
        raise Invalid("This Idempotency-Key was used for another request", code="idempotency_key_reused")
    if kept.status is None:
        raise Conflict("The same request is still running", code="idempotency_key_running")
    raise Replayed(kept.status, kept.headers or {}, kept.body or b"")


async def keep(session: AsyncSession, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep the answer to this transaction's request, if it came with a key and has no answer yet."""
    claimed = session.info.pop("idempotency", None)
    if claimed is not None:
        await session.execute(
            update(IdempotencyKey).where(*_is(*claimed)).values(status=status, headers=dict(headers), body=body)
        )


def _is(subject: UUID, method: str, path: str, key: str) -> tuple[ColumnElement[bool], ...]:
    table = IdempotencyKey
    return table.subject == subject, table.method == method, table.path == path, table.key == key
