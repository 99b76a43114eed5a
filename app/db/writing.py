"""How is one record written with all that goes with it, in one statement that is a transaction of its own?

The statement's text is compiled once for each `Shape` of a write. It writes everything or, where the record or the
access is no longer as it was, nothing at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    CTE,
    JSON,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    lateral,
    literal_column,
    select,
    text,
    update,
)

from app.db import keys, ledger
from app.db.models import table_of
from app.db.models.computed import COMPUTED
from app.db.reading import as_shown
from app.db.statements import Compiled, in_force, version_in_memory


@dataclass(frozen=True, slots=True)
class Held:
    """A record that access gave out to be written: nothing but `policies/access.py` makes one.

    values: its columns, as they are or as a new one begins. memory, sid: the version and the session of that access,
    which must still hold when the record is written.
    """

    entity: str
    new: bool
    values: dict[str, Any]
    memory: str
    sid: UUID | None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: whose it is, its version after that, and the record in JSON as its caller sees it."""

    id: UUID
    version: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """All that the statement's text depends on: which columns are written, which parts of the ledger go along, what is
    answered, and whether a new record is given the next customer number."""

    entity: str
    new: bool
    columns: tuple[str, ...]
    parts: tuple[str, ...]
    shown: tuple[str, ...]
    numbered: bool


async def write(
    connection: Any,
    held: Held,
    values: Mapping[str, Any],
    pending: ledger.Pending,
    shown: tuple[str, ...],
    number_prefix: str | None = None,
) -> Written | None:
    """Write these of a record's columns, and what is pending with it. None: nothing was written, since another wrote
    the record or is about to, or since the access does not hold any more.

    shown: the fields to answer; number_prefix: with which a new record is given the next customer number. Whoever else
    holds the record is not waited for: the access that was looked at before the wait might not be in force after it.
    """
    shape = Shape(held.entity, held.new, tuple(values), _parts(pending, held.new), shown, number_prefix is not None)
    json = _json_columns(held.entity)
    bound = {
        f"new_{name}": orjson.dumps(value).decode() if value is not None and name in json else value
        for name, value in values.items()
    }
    bound |= ledger.bound(pending) | {"memory": held.memory, "sid": held.sid, "number_prefix": number_prefix}
    bound |= {"id": held.values["id"], "version": held.values["version"]}
    sql, arguments, _ = _compiled(shape).bound(bound)
    row = await connection.fetchrow(sql, *arguments)
    return None if row is None else Written(held.values["id"], row["version"], row["item"].encode())


@cache
def defaults(entity: str) -> Mapping[str, Any]:
    """What the columns of a new record are that nobody gives; its id and its times are given always."""
    given = {each.name: getattr(each.default, "arg", None) for each in table_of(entity).c}
    return {name: value(None) if callable(value) else value for name, value in given.items()}


def values_of(entity: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row as it comes from a connection of no session."""
    json = _json_columns(entity)
    return {name: orjson.loads(value) if value is not None and name in json else value for name, value in row.items()}


@cache
def _json_columns(entity: str) -> frozenset[str]:
    return frozenset(each.name for each in table_of(entity).c if isinstance(each.type, JSON))


def _parts(pending: ledger.Pending, new: bool) -> tuple[str, ...]:
    """The parts of the ledger's statement that this needs. A new record leaves no stage and has no keys from before."""
    stays = ("given_stays", "first_stays") if new else ("given_stays", "left_stays", "new_stays")
    needed = {
        ("new_events",): pending.events,
        stays: pending.stays,
        ("given_keys", "new_keys") if new else ("given_keys", "old_keys", "new_keys"): pending.keys,
        ("new_assignees",): pending.assignees,
        ("new_reasons",): pending.reasons,
        ("new_external_ids",): pending.external_ids,
    }
    return tuple(name for names, rows in needed.items() if rows for name in names)


@lru_cache(maxsize=4096)
def _compiled(shape: Shape) -> Compiled:
    return Compiled.of(_statement(shape))


def _statement(shape: Shape) -> Select[Any]:
    before, written = (None, _inserted(shape)) if shape.new else _updated(shape)
    told = "changes || (select jsonb_build_object('number', jsonb_build_array(null, number)) from written)"
    parts = ledger.parts("exists (select from written)", told if shape.numbered else "changes")
    along = [text(parts[name]).columns().cte(name) for name in shape.parts]
    computed = COMPUTED.get(shape.entity, {})
    shown = [
        (
            _new_assignees() if name == "assignees" and "new_assignees" in shape.parts
            else computed[name](written) if name in computed else as_shown(written.c[name])
        ).label(name)
        for name in shape.shown
    ]  # fmt: skip
    item = lateral(select(*shown).correlate(written)).alias("item")
    json = cast(func.row_to_json(literal_column("item")), Text).label("item")
    first = [written] if before is None else [before, written]
    return select(json, written.c.version).select_from(written, item).add_cte(*first, *along)


def _inserted(shape: Shape) -> CTE:
    table = table_of(shape.entity)
    values = _values(shape)
    if shape.numbered:
        values["number"] = keys.customer_number()
    given = select(*values.values()).where(*_holds())
    return insert(table).from_select(list(values), given, include_defaults=False).returning(*table.c).cte("written")


def _updated(shape: Shape) -> tuple[CTE, CTE]:
    table = table_of(shape.entity)
    as_it_was = and_(table.c.id == bindparam("id"), table.c.version == bindparam("version"), *_holds())
    locked = select(table.c.id).where(as_it_was).with_for_update(key_share=True, skip_locked=True).cte("locked")
    changed = update(table).where(table.c.id == locked.c.id).values(_values(shape))
    return locked, changed.returning(*table.c).cte("written")


def _values(shape: Shape) -> dict[str, ColumnElement[Any]]:
    table = table_of(shape.entity)
    return {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in shape.columns}


def _holds() -> tuple[ColumnElement[bool], ...]:
    """Whether the access that gave the record out still holds."""
    return version_in_memory() == bindparam("memory", type_=Text), in_force()


def _new_assignees() -> ColumnElement[Any]:
    """The same as `COMPUTED` has it, of those who come with the record: the table itself does not show them yet."""
    return literal_column(
        "(select json_agg(json_build_object('user_id', user_id, 'role', role) order by user_id) from new_assignees)"
    )
