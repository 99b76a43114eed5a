"""A customer's timeline: the ledger of all that hangs off the customer, as far as the caller reaches and sees it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
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
    func,
    lateral,
    literal_column,
    or_,
    select,
    tuple_,
)

from app.db.models import table_of
from app.db.models.ledger import Event
from app.db.reach import Level, Reach, reading
from app.db.reading import Compiled, Statement, answering, instant

# Each entity whose events are shown, with the reach by which its customers are reached.
Reaches = tuple[tuple[str, Reach], ...]


def statement(reaches: Reaches, limit: int, typed: bool, after: bool, values: Mapping[str, Any]) -> Statement:
    """The SQL and its values. It answers one row: customer, whether the customer is reached; items, found, last, as in
    `db/reading.py`; memory; in_force.

    values: id, reached_own, reached_team, sid; `visible_<entity>`, the names of the fields that are seen; with typed:
    types; with after: after_at, after_id.
    """
    return _compiled(reaches, limit, typed, after).bound(values)


@lru_cache(maxsize=256)
def _compiled(reaches: Reaches, limit: int, typed: bool, after: bool) -> Compiled:
    return Compiled.of(_statement(reaches, limit, typed, after), planned_once=True)


def _statement(reaches: Reaches, most: int, typed: bool, after: bool) -> Select[Any]:
    events = Event.__table__
    # In the statement's text: a plan made without knowing how few are wanted would sort them all.
    limit = literal_column(str(most), Integer)
    seen = [and_(events.c.entity == entity, customer_reached(reach)) for entity, reach in reaches]
    conditions = [events.c.customer_id == bindparam("id", type_=Uuid()), or_(*seen)]
    if typed:
        conditions.append(events.c.type == any_(bindparam("types", type_=ARRAY(Text()))))
    if after:
        place = tuple_(bindparam("after_at", type_=DateTime(timezone=True)), bindparam("after_id", type_=BigInteger))
        conditions.append(tuple_(events.c.occurred_at, events.c.id) < place)
    item = lateral(
        select(
            events.c.id,
            instant(events.c.occurred_at).label("occurred_at"),
            instant(events.c.recorded_at).label("recorded_at"),
            events.c.type,
            events.c.entity,
            events.c.record_id,
            events.c.version,
            _visible_changes([entity for entity, _ in reaches]).label("changes"),
            events.c.actor,
            events.c.source,
            events.c.operation_id,
        ).correlate(events)
    ).alias("item")
    page = (
        select(
            cast(func.row_to_json(literal_column("item")), Text).label("item"),
            func.concat(instant(events.c.occurred_at), "_", events.c.id).label("place"),
        )
        .select_from(events, item)
        .where(*conditions)
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(limit + 1)
        .subquery("page")
    )
    numbered = select(page, func.row_number().over().label("n")).subquery("numbered")
    answer = select(
        func.coalesce(func.string_agg(numbered.c.item, ",").filter(numbered.c.n <= limit), "").label("items"),
        func.count().label("found"),
        func.max(numbered.c.place).filter(numbered.c.n == limit).label("last"),
    ).subquery("answer")
    return answering(answer, customer_reached(dict(reaches).get("customers", Reach(None))).label("customer"))


def customer_reached(reach: Reach) -> ColumnElement[bool]:
    """Whether the customer bound as `id` is reached. Asked once per statement, not per event."""
    customers = table_of("customers")
    level: Level = reach.level or "own"
    through = Reach(reach.level, nobodys=reach.nobodys_customers)
    reached = or_(*reading(customers, through, f"reached_{level}"))
    return exists(select(customers.c.id).where(customers.c.id == bindparam("id", type_=Uuid()), reached))


def _visible_changes(entities: Sequence[str]) -> ColumnElement[Any]:
    """The changes of fields that are seen. Mostly that is all of them, which is found out without taking them apart."""
    events = Event.__table__
    nothing: ColumnElement[Any] = literal_column("'{}'::jsonb")
    names = case(
        *((events.c.entity == entity, bindparam(f"visible_{entity}", type_=ARRAY(Text()))) for entity in entities),
        else_=literal_column("'{}'::text[]"),
    )
    change = func.jsonb_each(events.c.changes).table_valued("key", "value", name="change")
    pairs = select(func.coalesce(func.jsonb_object_agg(change.c.key, change.c.value), nothing))
    seen = pairs.select_from(change).where(change.c.key == any_(names)).correlate(events).scalar_subquery()
    return case((events.c.changes.op("-")(names) == nothing, events.c.changes), else_=seen)
