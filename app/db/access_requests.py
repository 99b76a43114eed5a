"""Who asks to be let in to which customer, and to whom are the requests addressed?

To whoever may assign the customer, and to its owner: those who are so when they look.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    lateral,
    literal_column,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import table_of
from app.db.models.access_requests import AccessRequest
from app.db.models.computed import instant
from app.db.reach import Reach, changing
from app.db.statements import Compiled, Statement, answering

REQUESTS = AccessRequest.__table__


def addressed(assigns: Reach, owns: bool) -> ColumnElement[bool]:
    """Whether a request is the caller's to decide, who reaches so far in assigning customers and, with `owns`, decides
    for their own. Bound: `assigning` and `own`."""
    customers, users = table_of("customers"), table_of("users")
    decides = [changing(customers, assigns, "assigning")]
    if owns:
        decides.append(customers.c.owner_id == any_(bindparam("own", type_=ARRAY(Uuid()))))
    theirs = exists().where(customers.c.id == REQUESTS.c.customer_id, customers.c.archived_at.is_(None), or_(*decides))
    return and_(theirs, exists().where(users.c.id == REQUESTS.c.requester_id, users.c.active))


def statement(assigns: Reach, owns: bool, values: dict[str, Any]) -> Statement:
    """The SQL and its values. It answers one row: items, the requests of, to and decided by the caller, newest first;
    found, how many, one more than `limit` if there are more; last, the id of the last one; memory; in_force.

    values: user_id, assigning, own, seen (the kinds of evidence that the caller sees), id, after, state, mine (each
    null for any), limit, sid.
    """
    return _compiled(assigns, owns).bound(values)


@lru_cache(maxsize=64)
def _compiled(assigns: Reach, owns: bool) -> Compiled:
    return Compiled.of(_statement(assigns, owns))


def _statement(assigns: Reach, owns: bool) -> Select[Any]:
    limit = bindparam("limit", type_=Integer)
    caller = bindparam("user_id", type_=Uuid())
    mine, decided = REQUESTS.c.requester_id == caller, REQUESTS.c.decided_by == caller
    to_me = addressed(assigns, owns)
    wanted, after = bindparam("id", type_=Uuid()), bindparam("after", type_=Uuid())
    state, only = bindparam("state", type_=Text()), bindparam("mine", type_=Boolean())
    page = (
        select(REQUESTS, mine.label("mine"), to_me.label("to_me"))
        .where(
            or_(mine, to_me, func.coalesce(decided, false())),
            or_(wanted.is_(None), REQUESTS.c.id == wanted),
            or_(after.is_(None), REQUESTS.c.id < after),
            or_(state.is_(None), REQUESTS.c.state == state),
            or_(only.is_(None), mine == only),
        )
        .order_by(REQUESTS.c.id.desc())
        .limit(limit + 1)
        .subquery("page")
    )
    numbered = select(page, func.row_number().over(order_by=page.c.id.desc()).label("n")).subquery("numbered")
    seen = cast(numbered.c.evidence, JSONB).has_any(bindparam("seen", type_=ARRAY(Text())))
    item = lateral(
        select(
            numbered.c.id,
            numbered.c.requester_id,
            case((or_(numbered.c.mine, seen), numbered.c.evidence), else_=null()).label("evidence"),
            numbered.c.reason,
            case((or_(numbered.c.to_me, numbered.c.state == "granted"), numbered.c.customer_id)).label("customer_id"),
            numbered.c.state,
            numbered.c.note,
            instant(numbered.c.created_at).label("created_at"),
            instant(numbered.c.decided_at).label("decided_at"),
        ).correlate(numbered)
    ).alias("item")
    within = numbered.c.n <= limit
    joined = func.string_agg(cast(func.row_to_json(literal_column("item")), Text), literal_column("',' order by n"))
    answer = (
        select(
            func.coalesce(joined.filter(within), "").label("items"),
            func.count().label("found"),
            func.max(cast(numbered.c.id, Text)).filter(numbered.c.n == limit).label("last"),
        )
        .select_from(numbered, item)
        .subquery("answer")
    )
    return answering(answer)


async def take_turns(session: AsyncSession, user_id: UUID) -> None:
    """Let nobody ask as the same user until this transaction ends."""
    await session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:user_id, 2))"), {"user_id": str(user_id)}
    )


async def made_since(session: AsyncSession, user_id: UUID, since: datetime) -> int:
    """How many requests a user made since then."""
    query = select(func.count()).where(REQUESTS.c.requester_id == user_id, REQUESTS.c.created_at > since)
    return int(await session.scalar(query) or 0)


async def customer_with(session: AsyncSession, entity: str, record_id: UUID) -> UUID | None:
    """The customer that a record belongs to."""
    query = f"select {'id' if entity == 'customers' else 'customer_id'} from {entity} where id = :id"
    found: UUID | None = await session.scalar(text(query), {"id": record_id})
    return found


async def ask(
    session: AsyncSession,
    id: UUID,
    requester_id: UUID,
    evidence: dict[str, Any],
    reason: str,
    customer_id: UUID | None,
    at: datetime,
) -> UUID:
    """Keep a request, and answer its id. One with the same evidence that is open still is told anew."""
    values = {"id": id, "requester_id": requester_id, "evidence": orjson.dumps(evidence).decode(), "reason": reason}
    made: UUID = await session.scalar(_ASK, values | {"customer_id": customer_id, "at": at})
    return made


async def hold(session: AsyncSession, id: UUID) -> Any:
    """A request, held until the transaction ends: requester_id, customer_id, state. None if there is none."""
    query = select(REQUESTS.c.requester_id, REQUESTS.c.customer_id, REQUESTS.c.state).where(REQUESTS.c.id == id)
    return (await session.execute(query.with_for_update())).one_or_none()


async def decide(session: AsyncSession, id: UUID, state: str, note: str | None, by: UUID, at: datetime) -> None:
    await session.execute(_DECIDE, {"id": id, "state": state, "note": note, "by": by, "at": at})


_ASK = text("""
insert into access_requests (id, requester_id, evidence, reason, customer_id, state, created_at)
values (:id, :requester_id, cast(:evidence as jsonb), :reason, :customer_id, 'open', :at)
on conflict (requester_id, evidence) where state = 'open' do update set reason = :reason, customer_id = :customer_id
returning id
""")

_DECIDE = text("""
update access_requests set state = :state, note = :note, decided_by = :by, decided_at = :at where id = :id
""")
