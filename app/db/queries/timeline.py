"""A customer's timeline: the ledger of all that hangs off the customer, as far as the caller reaches and sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from app.db.models.computed import instant
from app.db.models.ledger import Event
from app.db.reach import Level, Reach, reading
from app.db.statements import Compiled, Statement, answering

# Each entity that is read through customers, with the reach by which its customers are reached.
Reaches = tuple[tuple[str, Reach], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """An entity whose events are shown: the reach by which its customers are reached, the fields that are seen."""

    entity: str
    reach: Reach
    fields: frozenset[str]


def statement(
    sections: tuple[Section, ...], limit: int, typed: bool, after: bool, values: Mapping[str, Any]
) -> Statement:
    """The SQL and its values. It answers one row: customer, whether the customer is reached; items, found, last, as in
    `db/reading.py`; memory; in_force.

    values: id, reached_own, reached_team, sid; with typed: types; with after: after_at, after_id.
    """
    return _compiled(sections, limit, typed, after).bound(values)


@lru_cache(maxsize=256)
def _compiled(sections: tuple[Section, ...], limit: int, typed: bool, after: bool) -> Compiled:
    return Compiled.of(_statement(sections, limit, typed, after), planned_once=True)


def _statement(sections: tuple[Section, ...], most: int, typed: bool, after: bool) -> Select[Any]:
    events = Event.__table__
    # In the statement's text: a plan made without knowing how few are wanted would sort them all.
    limit = literal_column(str(most), Integer)
    seen = [and_(events.c.entity == _text(each.entity), customer_reached(each.reach)) for each in sections]
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
            _visible_changes(sections).label("changes"),
            events.c.actor,
            events.c.source,
            events.c.operation_id,
        ).correlate(events)
    ).alias("item")
    page = (
        select(
            cast(func.row_to_json(literal_column("item")), Text).label("item"),
            events.c.occurred_at,
            events.c.id,
        )
        .select_from(events, item)
        .where(*conditions)
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(limit + 1)
        .subquery("page")
    )
    numbered = select(page, func.row_number().over().label("n")).subquery("numbered")
    last = func.concat(instant(numbered.c.occurred_at), "_", numbered.c.id)
    answer = select(
        func.coalesce(func.string_agg(numbered.c.item, ",").filter(numbered.c.n <= limit), "").label("items"),
        func.count().label("found"),
        func.max(last).filter(numbered.c.n == limit).label("last"),
    ).subquery("answer")
    reach = next((each.reach for each in sections if each.entity == "customers"), Reach(None))
    return answering(answer, customer_reached(reach).label("customer"))


def customer_reached(reach: Reach) -> ColumnElement[bool]:
    """Whether the customer bound as `id` is reached. Asked once per statement, not per event."""
    customers = table_of("customers")
    level: Level = reach.level or "own"
    through = Reach(reach.level, nobodys=reach.nobodys_customers)
    reached = or_(*reading(customers, through, f"reached_{level}"))
    return exists(select(customers.c.id).where(customers.c.id == bindparam("id", type_=Uuid()), reached))


def _visible_changes(sections: Sequence[Section]) -> ColumnElement[Any]:
    """The changes of fields that are seen. Mostly that is all of them, which is found out without taking them apart.

    The names stand in the statement's text: to hand hundreds of them over took a fifth of the request.
    """
    events = Event.__table__
    nothing: ColumnElement[Any] = literal_column("'{}'::jsonb")
    names = case(
        *((events.c.entity == _text(each.entity), _names(each.fields)) for each in sections),
        else_=_names(frozenset()),
    )
    change = func.jsonb_each(events.c.changes).table_valued("key", "value", name="change")
    pairs = select(func.coalesce(func.jsonb_object_agg(change.c.key, change.c.value), nothing))
    seen = pairs.select_from(change).where(change.c.key == any_(names)).correlate(events).scalar_subquery()
    return case((events.c.changes.op("-")(names) == nothing, events.c.changes), else_=seen)


def _names(names: frozenset[str]) -> ColumnElement[Any]:
    joined = ",".join(sorted(filter(str.isidentifier, names)))
    return literal_column(f"'{{{joined}}}'::text[]")


def _text(name: str) -> ColumnElement[str]:
    return literal_column(f"'{name}'", Text())
