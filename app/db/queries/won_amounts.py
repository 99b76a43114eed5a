"""What was won by month and owner, live: month by month, each read from an index in which all of it stands."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Text,
    bindparam,
    cast,
    func,
    lateral,
    literal_column,
    or_,
    select,
)

from app.db.models import table_of
from app.db.reach import Reach, reading
from app.db.statements import Compiled, Statement, answering

MONTH: ColumnElement[Any] = literal_column("interval '1 month'")


def statement(reach: Reach, values: Mapping[str, Any]) -> Statement:
    """The SQL and its values. It answers one row: items, JSON objects joined by commas, in order of month, owner and
    currency; memory; in_force.

    values: zone, in which months begin; since and until, the first days of the first and the last month, or None for
    as far as there are any; reached; sid.
    """
    return _compiled(reach).bound(values)


@lru_cache(maxsize=64)
def _compiled(reach: Reach) -> Compiled:
    won = table_of("opportunities")
    # As text: the partial index is for just this condition.
    are_won = (literal_column("opportunities.stage_kind = 'won'", Boolean()), won.c.archived_at.is_(None))
    zone = bindparam("zone", type_=Text())

    def month_of(extreme: Any) -> Any:
        return select(func.date_trunc("month", func.timezone(zone, extreme(won.c.closed_at)))).where(*are_won)

    # In local time without zone, of which each month makes two instants: to tell the month of every row costs more than
    # to add it up.
    month = func.generate_series(
        func.greatest(month_of(func.min).scalar_subquery(), bindparam("since", type_=DateTime())),
        func.least(month_of(func.max).scalar_subquery(), bindparam("until", type_=DateTime())),
        MONTH,
    ).column_valued("month")
    of_month = lateral(
        select(
            won.c.owner_id,
            won.c.currency,
            func.count().label("opportunities"),
            cast(func.sum(won.c.amount), Text).label("amount"),
        )
        .where(
            *are_won,
            won.c.closed_at >= func.timezone(zone, month),
            won.c.closed_at < func.timezone(zone, month + MONTH),
            or_(*reading(won, reach)),
        )
        .group_by(won.c.owner_id, won.c.currency)
    ).alias("of_month")
    item = (
        select(func.to_char(month, "YYYY-MM").label("month"), of_month)
        .order_by(month, of_month.c.owner_id, of_month.c.currency)
        .subquery("item")
    )
    row = cast(func.row_to_json(literal_column("item")), Text)
    items = select(func.coalesce(func.string_agg(row, literal_column("','")), "")).select_from(item)
    return Compiled.of(answering(items.scalar_subquery().label("items")))
