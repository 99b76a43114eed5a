"""The history of a record in its stages, or in another field that is kept as stays."""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    lateral,
    literal_column,
    select,
)

from app.db.models.computed import instant
from app.db.models.ledger import StageStay
from app.db.reach import Reach
from app.db.statements import Compiled, Statement, answering, reached


def statement(entity: str, field: str, reach: Reach, values: dict[str, Any]) -> Statement:
    """The SQL and its values (id, now, reached, sid). It answers one row: record, whether it is reached; items, the
    stays as JSON, of `stage` with pipeline and note; memory; in_force."""
    return _compiled(entity, field, reach).bound(values)


@lru_cache(maxsize=64)
def _compiled(entity: str, field: str, reach: Reach) -> Compiled:
    stays = StageStay.__table__
    of_moves = (stays.c.pipeline_id, stays.c.note) if field == "stage" else ()
    id = bindparam("id", type_=Uuid())
    ended = func.coalesce(stays.c.left_at, bindparam("now", type_=DateTime(timezone=True)))
    item = lateral(
        select(
            stays.c.stage,
            instant(stays.c.entered_at).label("entered_at"),
            instant(stays.c.left_at).label("left_at"),
            cast(func.greatest(func.extract("epoch", ended - stays.c.entered_at), 0), Integer).label("seconds"),
            stays.c.by,
            stays.c.source,
            *of_moves,
        ).correlate(stays)
    ).alias("item")
    history = (
        select(
            func.coalesce(
                func.string_agg(
                    cast(func.row_to_json(literal_column("item")), Text),
                    literal_column("',' order by stage_stays.entered_at, stage_stays.id"),
                ),
                "",
            )
        )
        .select_from(stays, item)
        .where(stays.c.record_id == id, stays.c.entity == entity, stays.c.field == field)
    )
    record = reached(entity, reach).label("record")
    return Compiled.of(answering(history.scalar_subquery().label("items"), record), planned_once=True)
