"""A customer's page in one statement: the customer and, if it is reached, the first of each kind of record below it."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from app.db.models import table_of
from app.db.queries.timeline import customer_reached
from app.db.reach import Reach, reading
from app.db.reading import Shape, asked, page
from app.db.statements import Compiled, answering

OF_CUSTOMER = ("customer_id", "is")


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """The customer's shape and those of the sections that are shown, of which `OF_CUSTOMER` is the first filter."""

    customer: Shape
    sections: tuple[Shape, ...]


@lru_cache(maxsize=256)
def compiled(shown: CustomerPage) -> Compiled:
    """The SQL of a page. It answers one row: customer, as JSON, null where it is not reached; of each section the items
    as JSON objects joined by commas and, as `counts_…`, how many there are and how many its shape asks for; memory;
    in_force.

    values: id, reached_own, reached_team, sid; what the shapes' filters bind.
    """
    customers, reach = table_of("customers"), shown.customer.reach or Reach(None)
    row = _rows(shown.customer, or_(*reading(customers, reach, f"reached_{reach.level}")))
    # Under another name than that by which `page` speaks of its rows: it would be heard within the sections.
    customer = select(row.c.item.label("shown")).subquery("customer")
    columns = [customer.c.shown.label("customer")]
    for shape in shown.sections:
        columns += [
            # Not looked for where the customer is not reached.
            case((customer.c.shown.is_not(None), column), else_=null()).label(name)
            for name, column in _section(shape, reach).items()
        ]
    nothing = select(literal_column("1")).subquery("nothing")
    page_of_customer = answering(*columns).select_from(nothing.outerjoin(customer, true()))
    return Compiled.of(page_of_customer, planned_once=True)


def _rows(shape: Shape, within: ColumnElement[bool]) -> Subquery:
    table = table_of(shape.entity)
    limit = literal_column(str(shape.limit), Integer())
    return page(table, shape, asked(table, shape), [within], limit).subquery("page")


def _section(shape: Shape, reached: Reach) -> dict[str, ColumnElement[Any]]:
    """A section's columns by name. reached: the reach by which the customer is reached already."""
    table, reach = table_of(shape.entity), shape.reach or Reach(None)
    # Whatever belongs to a customer is reached through it: that is asked once more only of who reaches fewer of these.
    alike = (reach.level, reach.nobodys_customers) == (reached.level, reached.nobodys_customers)
    within = true() if alike else customer_reached(reach)
    joined = func.string_agg(_rows(shape, within).c.item, literal_column("','"))
    items = select(func.coalesce(joined, literal_column("''")))
    live = asked(table, replace(shape, filters=(OF_CUSTOMER,)))
    further = asked(table, replace(shape, filters=shape.filters[1:], archived="any"))
    counts = array([func.count(), func.count().filter(*further)])
    return {
        shape.entity: items.scalar_subquery(),
        f"counts_{shape.entity}": select(counts).select_from(table).where(*live, within).scalar_subquery(),
    }
