"""Who is assigned to a customer, and because of which records, as far as the caller reaches those."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Text, Uuid, and_, bindparam, cast, false, func, lateral, literal_column, or_, select

from app.db.models.customers import AssignmentReason, CustomerAssignee
from app.db.queries.timeline import Reaches, customer_reached
from app.db.reach import Reach
from app.db.statements import Compiled, Statement, answering


def statement(reaches: Reaches, values: dict[str, Any]) -> Statement:
    """The SQL and its values: id, reached_own, reached_team, sid. It answers one row: customer, whether it is reached;
    items, the assignees as JSON; memory; in_force."""
    return _compiled(reaches).bound(values)


@lru_cache(maxsize=64)
def _compiled(reaches: Reaches) -> Compiled:
    pairs, reasons = CustomerAssignee.__table__, AssignmentReason.__table__
    customer = bindparam("id", type_=Uuid())
    seen = [and_(reasons.c.entity == entity, customer_reached(reach)) for entity, reach in reaches]
    reason = (
        select(reasons.c.entity, reasons.c.record_id)
        .where(reasons.c.customer_id == pairs.c.customer_id, reasons.c.user_id == pairs.c.user_id, or_(false(), *seen))
        .order_by(reasons.c.entity, reasons.c.record_id)
        .correlate(pairs)
        .lateral("reason")
    )
    told = func.coalesce(func.json_agg(func.row_to_json(literal_column("reason"))), literal_column("'[]'::json"))
    why = select(told).select_from(reason).scalar_subquery()
    item = lateral(select(pairs.c.user_id, pairs.c.role, why.label("reasons")).correlate(pairs)).alias("item")
    joined = func.string_agg(
        cast(func.row_to_json(literal_column("item")), Text),
        literal_column("',' order by customer_assignees.role = 'owner' desc nulls last, customer_assignees.user_id"),
    )
    items = select(func.coalesce(joined, "")).select_from(pairs, item).where(pairs.c.customer_id == customer)
    reached = customer_reached(dict(reaches).get("customers", Reach(None)))
    return Compiled.of(answering(items.scalar_subquery().label("items"), reached.label("customer")))
