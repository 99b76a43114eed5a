"""A person's day: what is overdue, what is due today, and which customers and opportunities lack a next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    lateral,
    literal_column,
    null,
    or_,
    select,
    true,
)

from app.db.access_requests import REQUESTS, addressed
from app.db.models import table_of
from app.db.models.computed import instant
from app.db.models.users import User
from app.db.reach import Reach, reading
from app.db.statements import Compiled, Statement, answering

NAMED = (("customers", "customer_id"), ("opportunities", "opportunity_id"), ("leads", "lead_id"))


@dataclass(frozen=True, slots=True)
class Agenda:
    """Reach by section, where there is any; the sections whose records may be looked through for a next step; and to
    whom access requests are addressed, as in `db/access_requests.py`."""

    reaches: tuple[tuple[str, Reach], ...]
    steps: tuple[str, ...]
    assigns: Reach
    owns: bool


def time_zone(values: Mapping[str, Any]) -> Statement:
    """SQL and values (user_id, sid) of one row: time_zone, the user's own if there is one; memory; in_force."""
    return _time_zone().bound(values)


def statement(agenda: Agenda, values: Mapping[str, Any]) -> Statement:
    """The SQL and its values. It answers one row: of overdue, today, customers and opportunities the items as JSON
    objects joined by commas and, as `total_…`, how many there are in all; total_access_requests; memory; in_force.

    values: own, the users whose day it is; now and tomorrow; today_all_day and tomorrow_all_day, the beginnings of
    those days as activities of a whole day have them; limit; sid; `reached_` and the section for each reach; assigning.
    """
    return _compiled(agenda).bound(values)


@lru_cache(maxsize=1)
def _time_zone() -> Compiled:
    users = User.__table__
    own = select(users.c.time_zone).where(users.c.id == bindparam("user_id", type_=Uuid()))
    return Compiled.of(answering(own.scalar_subquery().label("time_zone")))


@lru_cache(maxsize=256)
def _compiled(agenda: Agenda) -> Compiled:
    reaches = dict(agenda.reaches)
    overdue, today = _when()
    columns = [
        *_activities("overdue", overdue, reaches),
        *_activities("today", today, reaches),
        *_without_next_step("customers", agenda, reaches),
        *_without_next_step("opportunities", agenda, reaches),
        _access_requests(agenda),
    ]
    return Compiled.of(answering(*columns))


def _when() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Overdue, and due today but not overdue."""
    due, all_day = table_of("activities").c.due_at, table_of("activities").c.all_day
    now, tomorrow, today_all_day, tomorrow_all_day = (
        bindparam(name, type_=DateTime(timezone=True))
        for name in ("now", "tomorrow", "today_all_day", "tomorrow_all_day")
    )
    # Beside what is exact, bounds that the index on `due_at` is read by.
    overdue = and_(
        due < func.greatest(now, today_all_day), or_(and_(all_day, due < today_all_day), and_(~all_day, due < now))
    )
    today = and_(
        due >= func.least(now, today_all_day),
        due < func.greatest(tomorrow, tomorrow_all_day),
        or_(
            and_(all_day, due >= today_all_day, due < tomorrow_all_day),
            and_(~all_day, due >= now, due < tomorrow),
        ),
    )
    return overdue, today


def _reached(section: str, reaches: Mapping[str, Reach]) -> ColumnElement[bool]:
    return or_(*reading(table_of(section), reaches.get(section, Reach(None)), f"reached_{section}"))


def _own(table: Any) -> ColumnElement[bool]:
    return and_(table.c.owner_id == any_(bindparam("own", type_=ARRAY(Uuid()))), table.c.archived_at.is_(None))


def _activities(name: str, when: ColumnElement[bool], reaches: Mapping[str, Reach]) -> list[ColumnElement[Any]]:
    """Planned ones, with the names of what they belong to as far as that is reached."""
    activities = table_of("activities")
    mine = (_own(activities), activities.c.state == "planned", when, _reached("activities", reaches))
    page = select(activities).where(*mine).order_by(activities.c.due_at, activities.c.id).limit(_limit())
    rows = page.subquery("activity")
    shown: list[ColumnElement[Any]] = [
        *(rows.c[each] for each in ("id", "kind", "subject", "all_day", "priority", "owner_id", "location")),
        instant(rows.c.due_at).label("due_at"),
    ]
    for section, column in NAMED:
        named = table_of(section)
        query = select(named.c.name).where(named.c.id == rows.c[column], _reached(section, reaches))
        shown += [rows.c[column], query.correlate(rows).scalar_subquery().label(column.replace("_id", "_name"))]
    total = select(func.count()).select_from(activities).where(*mine)
    return _listed(name, rows, shown, "activity.due_at, activity.id", total)


def _without_next_step(section: str, agenda: Agenda, reaches: Mapping[str, Reach]) -> list[ColumnElement[Any]]:
    """Customers, and open opportunities, for which nothing is planned: first those that wait longest."""
    table = table_of(section)
    if section not in agenda.steps:
        return [null().label(section), null().label(f"total_{section}")]
    mine = [_own(table), table.c.next_activity_at.is_(None), _reached(section, reaches)]
    names = ["id", "name", "owner_id"]
    if section == "opportunities":
        mine.append(table.c.stage_kind == "open")
        names += ["customer_id", "stage"]
    order = [table.c.last_activity_at.asc().nulls_first(), table.c.id]
    rows = select(table).where(*mine).order_by(*order).limit(_limit()).subquery("record")
    shown: list[ColumnElement[Any]] = [rows.c[name] for name in names]
    shown.append(instant(rows.c.last_activity_at).label("last_activity_at"))
    total = select(func.count()).select_from(table).where(*mine)
    return _listed(section, rows, shown, "record.last_activity_at nulls first, record.id", total)


def _access_requests(agenda: Agenda) -> ColumnElement[Any]:
    """How many are to be decided."""
    mine = addressed(agenda.assigns, agenda.owns)
    total = select(func.count()).select_from(REQUESTS).where(REQUESTS.c.state == "open", mine)
    return total.scalar_subquery().label("total_access_requests")


def _listed(
    name: str, rows: FromClause, shown: list[ColumnElement[Any]], order: str, total: Select[Any]
) -> list[ColumnElement[Any]]:
    item = lateral(select(*shown).correlate(rows)).alias("item")
    joined = func.string_agg(
        cast(func.row_to_json(literal_column("item")), Text), literal_column(f"',' order by {order}")
    )
    items = select(func.coalesce(joined, "")).select_from(rows.join(item, true()))
    return [items.scalar_subquery().label(name), total.scalar_subquery().label(f"total_{name}")]


def _limit() -> ColumnElement[int]:
    return bindparam("limit", type_=Integer)
