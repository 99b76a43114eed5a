"""Reach as SQL: which rows of a table a caller reaches, in one place for every statement there is.

A reach is a shape, never values: the ids of the users whose records count are bound as `reached` when it runs.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    or_,
    select,
    true,
    union_all,
)

from app.db.models.customers import Customer, CustomerAssignee

Level = Literal["own", "team", "all"]
WIDENING: tuple[Level, ...] = ("own", "team", "all")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a caller reaches in one section: `level` None is nothing at all.

    `nobodys` takes in records that are assigned to nobody; `nobodys_customers` says so of the customers through which
    a record is read.
    """

    level: Level | None
    nobodys: bool = False
    nobodys_customers: bool = False


def narrower(one: Level | None, other: Level | None) -> Level | None:
    if one is None or other is None:
        return None
    return min(one, other, key=WIDENING.index)


def reading(table: Table, reach: Reach, bound: str = "reached") -> list[ColumnElement[bool]]:
    """Conditions for reading, no two of which are true of one row: their union is what is reached.

    bound: the name under which the reached users are bound.
    """
    if reach.level is None:
        return [false()]
    if reach.level == "all":
        return [true()]
    if table.name == "customers":
        assigned = table.c.id.in_(_assigned_customers(bound))
        return [assigned, ~table.c.assigned] if reach.nobodys else [assigned]
    if "customer_id" in table.c:
        through = table.c.customer_id.in_(_reached_customers(reach.nobodys_customers, bound))
        if "owner_id" not in table.c:
            return [through]
        return [through, and_(table.c.customer_id.is_(None), _owned(table, reach.nobodys, bound))]
    if "owner_id" in table.c:
        return [_owned(table, reach.nobodys, bound)]
    if table.name == "users":
        return [table.c.id == any_(_reached(bound))]
    return [false()]


def changing(table: Table, reach: Reach, bound: str = "changing") -> ColumnElement[bool]:
    """What may be changed of what is read: a customer and its contacts by its assignees, the rest by its owner."""
    if reach.level is None:
        return false()
    if reach.level == "all":
        return true()
    if "owner_id" in table.c and table.name != "customers":
        return _owned(table, reach.nobodys, bound)
    return or_(*reading(table, reach, bound))


def _reached(bound: str) -> ColumnElement[Any]:
    return bindparam(bound, type_=ARRAY(Uuid()))


def _owned(table: Table, nobodys: bool, bound: str) -> ColumnElement[bool]:
    owned = table.c.owner_id == any_(_reached(bound))
    return or_(owned, table.c.owner_id.is_(None)) if nobodys else owned


def _assigned_customers(bound: str) -> Select[Any]:
    assignees = CustomerAssignee.__table__
    return select(assignees.c.customer_id).where(assignees.c.user_id == any_(_reached(bound)))


def _reached_customers(nobodys: bool, bound: str) -> Select[Any] | CompoundSelect[Any]:
    if not nobodys:
        return _assigned_customers(bound)
    customers = Customer.__table__
    return union_all(_assigned_customers(bound), select(customers.c.id).where(~customers.c.assigned))
