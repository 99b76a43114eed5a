"""Fields of an answer that are not a column of their row: assignees, lines, external ids, stages, options."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, cast, func, literal_column, select

from app.db.models.activities import ActivityContact
from app.db.models.customers import CustomerAssignee
from app.db.models.keys import ExternalId
from app.db.models.opportunities import OpportunityContact, OpportunityLine
from app.db.models.sessions import Session
from app.db.models.vocabulary import Option, Stage

Computed = Callable[[FromClause], ColumnElement[Any]]


def instant(column: ColumnElement[Any]) -> ColumnElement[str]:
    """RFC 3339 in UTC, which is the time zone of every connection."""
    return func.to_char(column, literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""))


def _list(
    child: FromClause, of: ColumnElement[bool], order: ColumnElement[Any], shown: Sequence[ColumnElement[Any]]
) -> ColumnElement[Any]:
    rows = select(*shown).select_from(child).where(of).order_by(order).correlate_except(child).lateral("listed")
    listed = func.coalesce(func.json_agg(func.row_to_json(literal_column("listed"))), literal_column("'[]'::json"))
    return select(listed).select_from(rows).scalar_subquery()


def _external_ids(entity: str) -> Computed:
    ids = ExternalId.__table__.alias("external")
    return lambda table: _list(
        ids, (ids.c.record_id == table.c.id) & (ids.c.entity == entity), ids.c.system, [ids.c.system, ids.c.external_id]
    )


def _assignees(table: FromClause) -> ColumnElement[Any]:
    pairs = CustomerAssignee.__table__.alias("pair")
    return _list(pairs, pairs.c.customer_id == table.c.id, pairs.c.user_id, [pairs.c.user_id, pairs.c.role])


def _lines(table: FromClause) -> ColumnElement[Any]:
    lines = OpportunityLine.__table__.alias("line")
    return _list(
        lines,
        lines.c.opportunity_id == table.c.id,
        lines.c.position,
        [
            lines.c.product_id,
            cast(lines.c.quantity, Text).label("quantity"),
            cast(lines.c.unit_price, Text).label("unit_price"),
        ],
    )


def _contacts(table: FromClause) -> ColumnElement[Any]:
    people = OpportunityContact.__table__.alias("person")
    return _list(people, people.c.opportunity_id == table.c.id, people.c.position, [people.c.contact_id, people.c.role])


def _participants(table: FromClause) -> ColumnElement[Any]:
    people = ActivityContact.__table__.alias("person")
    return _list(people, people.c.activity_id == table.c.id, people.c.position, [people.c.contact_id, people.c.role])


def _stages(table: FromClause) -> ColumnElement[Any]:
    stages = Stage.__table__.alias("stage")
    shown = [column for column in stages.c if column.name != "pipeline_id"]
    return _list(stages, stages.c.pipeline_id == table.c.id, stages.c.position, shown)


def _options(table: FromClause) -> ColumnElement[Any]:
    options = Option.__table__.alias("option")
    shown = [column for column in options.c if column.name != "picklist_id"]
    return _list(options, options.c.picklist_id == table.c.id, options.c.position, shown)


def _of_session(*named: str) -> Computed:
    """When the session of the row was the first; none where that is when it was the other."""
    sessions = Session.__table__.alias("session")
    columns = [sessions.c[name] for name in named]
    shown = func.nullif(*columns) if len(columns) > 1 else columns[0]
    at = instant(shown)
    return lambda table: select(at).where(sessions.c.id == table.c.session_id).scalar_subquery()


COMPUTED: dict[str, dict[str, Computed]] = {
    "users": {"external_ids": _external_ids("users")},
    "customers": {"assignees": _assignees, "external_ids": _external_ids("customers")},
    "contacts": {"external_ids": _external_ids("contacts")},
    "products": {"external_ids": _external_ids("products")},
    "opportunities": {
        "lines": _lines,
        "contacts": _contacts,
        "external_ids": _external_ids("opportunities"),
    },
    "leads": {"external_ids": _external_ids("leads")},
    "activities": {"contacts": _participants, "external_ids": _external_ids("activities")},
    "pipelines": {"stages": _stages},
    "picklists": {"options": _options},
    "api_keys": {"last_used_at": _of_session("last_used_at", "created_at"), "ended_at": _of_session("ended_at")},
}
