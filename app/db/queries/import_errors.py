"""What is wrong with the rows of an import, a page at a time?"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from app.db.models.imports import ImportRow
from app.db.reach import Reach
from app.db.statements import Compiled, Statement, answering, reached


def statement(reach: Reach, values: dict[str, Any]) -> Statement:
    """The SQL and its values (id, row, n, limit, reached, sid), for the errors after the n-th of a row.

    It answers one row: record, whether the import is reached; items, up to `limit` errors and one, each with its `n`,
    as a JSON array; memory; in_force.
    """
    return _compiled(reach).bound(values)


@lru_cache(maxsize=16)
def _compiled(reach: Reach) -> Compiled:
    rows = ImportRow.__table__
    id = bindparam("id", type_=Uuid())
    each = func.jsonb_array_elements(rows.c.errors).table_valued("value", with_ordinality="ordinality").lateral("each")
    after = tuple_(bindparam("row", type_=BigInteger), bindparam("n", type_=BigInteger))
    page = (
        select(literal_column("each.value || jsonb_build_object('n', each.ordinality)").label("error"))
        .select_from(rows.join(each, true()))
        .where(
            rows.c.import_id == id,
            tuple_(rows.c.row, literal_column("each.ordinality")) > after,
        )
        .order_by(rows.c.row, literal_column("each.ordinality"))
        .limit(bindparam("limit", type_=Integer) + 1)
        .subquery("page")
    )
    items = select(cast(func.coalesce(func.jsonb_agg(page.c.error), literal_column("'[]'::jsonb")), Text))
    return Compiled.of(answering(items.scalar_subquery().label("items"), reached("imports", reach).label("record")))
