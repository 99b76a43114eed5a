"""Which record does another system know by an id of its own?"""

from functools import cache
from typing import Any

from sqlalchemy import Text, bindparam, select

from app.db.models.keys import ExternalId
from app.db.statements import Compiled, Statement, answering


def statement(values: dict[str, Any]) -> Statement:
    """The SQL and its values (entity, system, external_id, sid). It answers one row: record_id, of a record that the
    caller need not reach, or null; memory; in_force."""
    return _compiled().bound(values)


@cache
def _compiled() -> Compiled:
    key = [
        column == bindparam(column.name, type_=Text)
        for column in (ExternalId.entity, ExternalId.system, ExternalId.external_id)
    ]
    return Compiled.of(answering(select(ExternalId.record_id).where(*key).scalar_subquery().label("record_id")))
