"""How the product talks to PostgreSQL: a pool for reading, and transactions, which only this module commits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session as SyncSession
from uuid_utils.compat import uuid7

from app.db import ledger, next_activities
from app.db.base import Record
from app.db.pools import Pool
from app.settings import settings

TIMEOUTS = {"statement_timeout": "5000", "lock_timeout": "2000", "idle_in_transaction_session_timeout": "10000"}
SERVER = {"timezone": "UTC", "jit": "off"}


@dataclass(slots=True)
class Operation:
    """What one transaction is about: its id in the ledger, where it came from, whether the caller has confirmed what is
    else refused, what to do before and once it is committed."""

    source: str = "api"
    id: UUID = field(default_factory=uuid7)
    confirmed: bool = False
    enrolled: list[Record] = field(default_factory=list)
    pending: ledger.Pending = field(default_factory=ledger.Pending)
    before_commit: list[Callable[[AsyncSession], Awaitable[None]]] = field(default_factory=list)
    after_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


class EnrolledSession(SyncSession):
    """A session that flushes only records which `access` gave out to be written."""

    def _bulk_save_mappings(self, *_: Any, **__: Any) -> None:
        """What SQLAlchemy's `bulk_…` methods come to: they would flush what no event sees."""
        raise RuntimeError("Rows are written in bulk by statements in app/db")


@event.listens_for(EnrolledSession, "before_flush")
def _refuse_strangers(session: SyncSession, *_: Any) -> None:
    enrolled = {id(record) for record in operation_of(session).enrolled}
    touched = (*session.new, *session.deleted, *(each for each in session.dirty if session.is_modified(each)))
    for record in touched:
        if isinstance(record, Record) and id(record) not in enrolled:
            raise RuntimeError(f"{type(record).__name__} was not begun by access.row, to be changed, or access.new")
        if isinstance(record, Record) and record in session.deleted:
            raise RuntimeError(f"{type(record).__name__} is archived, never deleted")


def operation_of(session: AsyncSession | SyncSession) -> Operation:
    """The operation of a session that `transaction` opened."""
    operation = session.info["operation"]
    assert isinstance(operation, Operation)
    return operation


def database_address() -> str:
    """The database's address as asyncpg takes it."""
    url = settings().database_url
    if not url:
        raise RuntimeError("CRM_DATABASE_URL is not set: start with ./crm")
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


@cache
def engine() -> AsyncEngine:
    made = create_async_engine(
        database_address()
        .replace("postgres://", "postgresql://", 1)
        .replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=8,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        hide_parameters=True,
        json_deserializer=orjson.loads,
        connect_args={"timeout": 5, "command_timeout": 630, "server_settings": SERVER | TIMEOUTS},
    )
    event.listen(made.sync_engine, "checkout", _refuse_closed)
    return made


def _refuse_closed(connection: Any, *_: Any) -> None:
    """The pool opens another one instead. Asking PostgreSQL each time, as `pool_pre_ping` does, is three statements."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("PostgreSQL closed the connection")


@asynccontextmanager
async def transaction(source: str = "api", *, keep: bool = True) -> AsyncIterator[AsyncSession]:
    """One request or one job: committed whole, or not at all. keep: if not, all is checked, and then undone."""
    async with _sessions()() as session:
        session.info["operation"] = operation = Operation(source)
        async with session.begin() as begun:
            yield session
            await settle(session)
            if not keep:
                await session.execute(text("set constraints all immediate"))
                await begun.rollback()
                return
    for effect in operation.after_commit:
        await effect()


async def settle(session: AsyncSession) -> None:
    """Write what is still to be written: changed records, what sums them up, the ledger, then what follows from it."""
    await session.flush()
    operation = operation_of(session)
    await next_activities.follow(session, operation.pending.events)
    await ledger.write(session, operation.pending)
    while operation.before_commit:
        await operation.before_commit.pop(0)(session)


def next_operation(session: AsyncSession, source: str) -> None:
    """What follows in the same transaction is another operation; both are settled together."""
    session.info["operation"] = replace(operation_of(session), source=source, id=uuid7())


async def driver(session: AsyncSession) -> Any:
    """The asyncpg connection under a session, for statements whose shape is compiled already.

    Before the first statement that goes through the session, each on this is a transaction of its own.
    """
    raw = await (await session.connection()).get_raw_connection()
    return raw.driver_connection


@asynccontextmanager
async def alone() -> AsyncIterator[Any]:
    """An asyncpg connection on which each statement is a transaction of its own, committed as it ends."""
    async with engine().connect() as connection:
        # SQLAlchemy begins a transaction with the first statement that goes through it: none does.
        yield (await connection.get_raw_connection()).driver_connection


@cache
def _sessions() -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine(), expire_on_commit=False, sync_session_class=EnrolledSession)


_pools: dict[str, Pool] = {}


async def reading_pool(planned_once: bool = False) -> Any:
    """Connections that read outside a transaction, each statement planned for its own values.

    planned_once: for statements that find everything by an id, or in the order of an index. To plan one of those takes
    as long as to run it, or several times as long, and comes to the same each time.
    """
    if planned_once:
        return _pool("planned_once", 4, plan_cache_mode="force_generic_plan", default_transaction_read_only="on")
    return _pool("reading", 8, plan_cache_mode="force_custom_plan", default_transaction_read_only="on")


async def writing_pool() -> Any:
    """Connections on which each statement is a transaction of its own, committed as it ends, and planned once."""
    return _pool("writing", 8, plan_cache_mode="force_generic_plan")


def _pool(name: str, size: int, **server_settings: str) -> Pool:
    if name not in _pools:
        _pools[name] = Pool(
            size,
            dsn=database_address(),
            max_cacheable_statement_size=0,
            timeout=5,
            command_timeout=10,
            server_settings=SERVER | TIMEOUTS | server_settings,
        )
    return _pools[name]


async def close() -> None:
    """Let go of every connection, at the end of a process or between test databases."""
    while _pools:
        await _pools.popitem()[1].close()
    if engine.cache_info().currsize:
        await engine().dispose()
    engine.cache_clear()
    _sessions.cache_clear()
