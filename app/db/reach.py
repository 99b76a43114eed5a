"""Reach as SQL: which rows of a table a caller reaches, in one place for every statement there is.

A reach is a shape, never values: the ids of the users whose records count are bound as `reached` when it runs.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.sql.selectable import NamedFromClause

from app.db.models import table_of
from app.db.models.customers import Customer, CustomerAssignee
from app.db.models.leads import Lead
from app.db.models.opportunities import Opportunity

Level = Literal["own", "team", "all"]
WIDENING: tuple[Level, ...] = ("own", "team", "all")
# What some records are about, by the column that says so, in the order in which it counts.
ABOUT: dict[str, dict[str, type[Lead] | type[Opportunity]]] = {
    name: {"lead_id": Lead, "opportunity_id": Opportunity} for name in ("activities", "messages")
}
# Fewer of nobody's customers than these are found before their records.
FEW = 10_000


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a caller reaches in one section: `level` None is nothing at all.

    `nobodys` takes in records that are assigned to nobody; `nobodys_customers` says so of the customers through which
    a record is read. `about` are the sections in which the caller reaches as far: a record with neither customer nor
    owner is reached through the one that it is about.
    `owned`: asked is only for customers that somebody reached owns, so that no other way to them is looked for.
    `alone`: the records of one user count, and of nobody that they stand in for.
    """

    level: Level | None
    nobodys: bool = False
    nobodys_customers: bool = False
    about: frozenset[str] = frozenset()
    owned: bool = False
    alone: bool = False


def narrower(one: Level | None, other: Level | None) -> Level | None:
    if one is None or other is None:
        return None
    return min(one, other, key=WIDENING.index)


def reading(
    table: NamedFromClause[Any], reach: Reach, bound: str = "reached", scarce: bool = False
) -> list[ColumnElement[bool]]:
    """Conditions for reading, no two of which are true of one row: their union is what is reached.

    bound: the name under which the reached users are bound. scarce: what hangs off nobody's customers was not soon met
    with.
    """
    if reach.level is None:
        return [false()]
    if reach.level == "all":
        return [true()]
    if table.name == "customers":
        if reach.owned:
            # Of the value that is asked for, not of every row: it is found out once.
            return [bindparam("owner_id__is", type_=Uuid()) == any_(_reached(bound))]
        if reach.level == "team":
            assigned = _assigned(table.c.id, bound)
            return [assigned, ~table.c.assigned] if reach.nobodys else [assigned]
        # The owner's pair is copied in `owner_id`: a list of what somebody owns looks up no pairs, and has an index.
        # It comes first, see `reading.page`.
        owned = table.c.owner_id == any_(_reached(bound))
        return [owned, and_(~func.coalesce(owned, false()), table.c.id == any_(_assigned_besides_owners(bound)))]
    if "customer_id" in table.c:
        through = [_assigned(table.c.customer_id, bound)]
        if reach.nobodys_customers:
            unassigned = _unassigned(table.c.customer_id)
            through += _if_few_unassigned(table, unassigned) if scarce else [unassigned]
        if "owner_id" not in table.c:
            return through
        mine = and_(table.c.customer_id.is_(None), _owned(table, reach.nobodys, bound))
        return [*through, mine, *_through_what_it_is_about(table, reach, bound)]
    if "owner_id" in table.c:
        return [_owned(table, reach.nobodys, bound)]
    if table.name == "users":
        return [table.c.id == any_(_reached(bound))]
    return [false()]


def asks_own_columns(table: NamedFromClause[Any], reach: Reach | None) -> bool:
    """Whether reading asks of a row nothing but what stands in it."""
    return reach is None or reach.level in (None, "all") or (table.name == "customers" and reach.level == "own")


def changing(table: NamedFromClause[Any], reach: Reach, bound: str = "changing") -> ColumnElement[bool]:
    """What may be changed of what is read: a customer and its contacts by its assignees, the rest by its owner."""
    if reach.level is None:
        return false()
    if reach.level == "all":
        return true()
    if "owner_id" in table.c and table.name != "customers":
        return or_(_owned(table, reach.nobodys, bound), *_through_what_it_is_about(table, reach, bound))
    return or_(*reading(table, reach, bound))


def _reached(bound: str) -> ColumnElement[Any]:
    return bindparam(bound, type_=ARRAY(Uuid()))


def _owned(table: NamedFromClause[Any], nobodys: bool, bound: str) -> ColumnElement[bool]:
    owned = table.c.owner_id == any_(_reached(bound))
    return or_(owned, table.c.owner_id.is_(None)) if nobodys else owned


def _through_what_it_is_about(table: NamedFromClause[Any], reach: Reach, bound: str) -> list[ColumnElement[bool]]:
    """Records with neither customer nor owner, if those are not reached anyway: what they are about has no customer
    either, and so is reached by its own owner."""
    if reach.nobodys:
        return []
    found: list[ColumnElement[bool]] = []
    before: list[ColumnElement[bool]] = []
    for column, model in ABOUT.get(table.name, {}).items():
        if model.__tablename__ in reach.about:
            reached = select(model.id).where(model.customer_id.is_(None), model.owner_id == any_(_reached(bound)))
            alone = and_(table.c.customer_id.is_(None), table.c.owner_id.is_(None))
            found.append(and_(alone, *before, table.c[column].in_(reached)))
        before.append(table.c[column].is_(None))
    return found


def _assigned_besides_owners(bound: str) -> ColumnElement[Any]:
    """The customers that are assigned to somebody reached otherwise than as their owner: few, and so read first, as an
    array, lest PostgreSQL walk through all customers in the order of a list to find them."""
    pairs = CustomerAssignee.__table__.alias("besides")
    found = select(pairs.c.customer_id).where(
        # As text: the partial index is for just this condition.
        pairs.c.user_id == any_(_reached(bound)),
        text("besides.role is distinct from 'owner'"),
    )
    return func.array(found.correlate(None).scalar_subquery(), type_=ARRAY(Uuid()))


def _assigned(customer_id: ColumnElement[Any], bound: str) -> ColumnElement[bool]:
    """Whether the customer is assigned to somebody reached. By EXISTS, which PostgreSQL looks up for each of a few rows
    and hashes for many; of several INs beside each other it hashes every one, for a single row too."""
    pairs = CustomerAssignee.__table__.alias("assigned")
    found = select(pairs.c.user_id).where(pairs.c.customer_id == customer_id, pairs.c.user_id == any_(_reached(bound)))
    return found.correlate_except(pairs).exists()


def _unassigned(customer_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the customer is nobody's."""
    customers = Customer.__table__.alias("unassigned")
    found = select(customers.c.id).where(customers.c.id == customer_id, ~customers.c.assigned)
    return found.correlate_except(customers).exists()


def _if_few_unassigned(table: NamedFromClause[Any], otherwise: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """The same in two branches, of which one is empty, and at once. If few of nobody's customers have such records,
    those customers are found first, from two indexes side by side, where to look up each record's would be to walk
    through all records. Of many, one is soon met with."""
    customers, theirs = Customer.__table__.alias("unassigned"), table_of(table.name).alias("theirs")
    has_any = select(theirs.c.id).where(theirs.c.customer_id == customers.c.id).exists()
    most = literal_column(str(FEW), Integer)
    first = select(customers.c.id).where(~customers.c.assigned, has_any).limit(most).scalar_subquery()
    nobodys = select(func.array(first, type_=ARRAY(Uuid())).label("ids")).cte("nobodys")
    ids = cast(select(nobodys.c.ids).scalar_subquery(), ARRAY(Uuid()))
    are_few = func.cardinality(ids) < most
    return [and_(are_few, table.c.customer_id == any_(ids)), and_(~are_few, otherwise)]
