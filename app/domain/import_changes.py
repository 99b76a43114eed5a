"""What do rows of a file change in records that are there already? The rules are those of any other change."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import handing_over as kept
from app.db import user_reach
from app.db.models import RECORDS
from app.domain import handing_over
from app.domain.consequences import decides, shown
from app.domain.entities.fields import Entity, Values, item_models, partial, specs
from app.domain.entities.incoming import imported
from app.domain.entities.merging import laid_over
from app.domain.entities.rules import given_values, prepare
from app.domain.owning import is_to_be_done, message
from app.domain.records import differing
from app.errors import FieldError, Forbidden, Invalid
from app.policies.access import Access


@dataclass(slots=True)
class Changes:
    """What is to be written, and what came of the rows: `rows` as `import_changing.write_changed` takes them.

    unable: the owners who cannot be given what is still to be done; deactivated, given_profiles: users who may leave
    work behind; signed_out: those whose sessions end; moved: the new customers of records; left: the customers and
    opportunities where changed activities were.
    """

    unable: Collection[UUID]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    unchanged: list[int] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    reassigned: list[UUID] = field(default_factory=list)
    deactivated: list[UUID] = field(default_factory=list)
    given_profiles: dict[UUID, str] = field(default_factory=dict)
    given_managers: list[UUID] = field(default_factory=list)
    signed_out: list[UUID] = field(default_factory=list)
    moved: dict[UUID, UUID | None] = field(default_factory=dict)
    left: list[tuple[UUID | None, UUID | None]] = field(default_factory=list)


def work_out(
    access: Access, entity: Entity, now: datetime, said: Any, before: Values, external_ids: list[Values], out: Changes
) -> None:
    """Add to `out` what one row changes in the record `before`, whose lists are in it. said: see `changed_rows`.

    external_ids: the record's with the one that the row adds, if it adds one; else none.
    """
    rules = imported(entity, now)
    try:
        given = _given(rules, said, before)
        values = _prepared(access, rules, given, before, now)
    except Invalid as error:
        out.errors += _errors(said.row, error.errors)
        return
    except Forbidden as error:
        out.errors += _errors(said.row, [FieldError("/stage", error.code, error.detail)])
        return
    columns = RECORDS[entity.name].__table__.c
    changed = differing(before, {name: value for name, value in values.items() if name in columns})
    told = specs(entity.read).keys() - {f"{name}_entered_at" for name in entity.stays}
    changes = {name: [shown(before[name]), shown(value)] for name, value in changed.items() if name in told}
    if changed.get("owner_id") in out.unable and is_to_be_done(entity, before | changed):
        out.errors += _errors(said.row, [FieldError("/owner_id", "cannot_take_over", message(entity.name))])
        return
    new_lines = None
    if "lines" in values:
        new_lines = values["lines"]
        if "lines" in given:
            new_lines = _priced(new_lines, said.lines, values.get("currency", before["currency"]))
        if new_lines == before["lines"]:
            new_lines = None
        else:
            changes["lines"] = [before["lines"], new_lines]
    if external_ids:
        changes["external_ids"] = [external_ids[:-1], external_ids]
    if not changes and not changed:
        out.unchanged.append(said.row)
        return
    stays = []
    for name in entity.stays:
        if name in changed:
            entered = values.get(f"{name}_entered_at") or now
            changed[f"{name}_entered_at"] = entered if changed[name] else None
            stays.append((name, changed[name], entered))
    after = before | changed
    keys = _keys(entity, after)
    if keys == _keys(entity, before):
        keys = None
    out.columns |= changed.keys()
    if changed.keys() & decides(entity):
        out.reassigned.append(said.record_id)
    if changed.get("active") is False and entity.name == "users":
        out.deactivated.append(said.record_id)
        out.signed_out.append(said.record_id)
    if "profile_id" in changed and before["active"]:
        out.given_profiles[said.record_id] = changed["profile_id"]
        if not before["service"]:  # whose keys follow the profile
            out.signed_out.append(said.record_id)
    if changed.get("manager_id") is not None:
        out.given_managers.append(said.record_id)
    if "customer_id" in changed:
        out.moved[said.record_id] = changed["customer_id"]
    if entity.name == "activities":
        out.left.append((before["customer_id"], before["opportunity_id"]))
    verb = "stage_changed" if "stage" in changed else "changed"
    parts = (changed, changes, f"{entity.singular}.{verb}", stays, keys, new_lines)
    out.rows.append((said.record_id, said.row, *(each if isinstance(each, str) else _json(each) for each in parts)))


async def keep_those_with_work(session: AsyncSession, changes: Changes, dry_run: bool) -> None:
    """Nobody leaves by a file who still owns customers or open work, or gets a profile that does not read it."""
    leaving = changes.given_profiles | dict.fromkeys(changes.deactivated)
    if not dry_run:
        await kept.let_go(session, leaving)
    owning = await handing_over.left_behind(session, leaving)
    message = "They own customers or open work: hand it over first"
    fields = {id: "active" if id in changes.deactivated else "profile_id" for id in owning}
    _refuse(changes, fields, "owns_work", message)


async def keep_teams_within(session: AsyncSession, changes: Changes, within: list[str]) -> None:
    """Nobody comes by a file above people who may do more than whose file it is. within: the profiles of others."""
    above = await user_reach.above_others(session, changes.given_managers, within)
    message = "Somebody in their team may do more than you may"
    _refuse(changes, dict.fromkeys(above, "manager_id"), "exceeds_own_profile", message)


def _refuse(changes: Changes, fields: Mapping[UUID, str], code: str, message: str) -> None:
    """What rows change in these users becomes an error. fields: by user, where it lies."""
    changes.errors += [
        {"row": row[1], "field": fields[row[0]], "code": code, "message": message}
        for row in changes.rows
        if row[0] in fields
    ]
    changes.rows = [row for row in changes.rows if row[0] not in fields]
    changes.signed_out = [each for each in changes.signed_out if each not in fields]


def _given(rules: Entity, said: Any, before: Values) -> Values:
    """What the row gives, typed, its lists laid over the record's."""
    data = said.data
    raw = {name: data["values"][name] for name in data["given"] if name not in rules.children}
    given = given_values(_changing(rules.create).model_validate(raw))
    for name in given:
        if isinstance(given[name], list):
            parts = data["items"].get(name) if name in item_models(rules.create) else None
            given[name] = laid_over(name, before[name], given[name], parts)
    given |= {name: UUID(id) for name, id in said.named.items()}
    if "lines" in data["given"]:
        given["lines"] = _lines(said.lines, before["lines"])
    return given


@cache
def _changing(create: type[BaseModel]) -> type[BaseModel]:
    """What may be said of a record that is there: made once, a model takes longer to make than a row to check."""
    return partial(create)


def _lines(said: list[Values], before: list[Values]) -> list[Values]:
    """Lines as a row says them; what it does not say of a line stays as it is while the product is the same."""
    lines = []
    for position, each in enumerate(said):
        line: Values = {"product_id": each["product_id"], "quantity": "1", "unit_price": None}
        if position < len(before) and before[position]["product_id"] == each["product_id"]:
            line = before[position].copy()
        for name in ("quantity", "unit_price"):
            new, old = each[name], line[name]
            if new is not None and (old is None or Decimal(new) != Decimal(old)):
                line[name] = new
        lines.append(line)
    return lines


def _priced(lines: list[Values], said: list[Values], currency: str | None) -> list[Values]:
    """Lines without a price take their product's, where that is in the same currency."""
    return [
        line | {"unit_price": product["price"]}
        if line["unit_price"] is None and product["currency"] == currency
        else line
        for line, product in zip(lines, said, strict=True)
    ]


def _prepared(access: Access, rules: Entity, given: Values, before: Values, now: datetime) -> Values:
    if rules.name != "opportunities":
        return prepare(rules, given, before, access.vocabulary)
    if given.get("stage", before["stage"]) == before["stage"]:
        values = prepare(rules, given, before, access.vocabulary)
        if before["stage_kind"] == "open" or values["closed_at"] == before["closed_at"]:
            del values["stage_entered_at"]
        return values
    unset: Values = {"closed_at": None, "lost_reason": None}
    values = unset | prepare(rules, given, before | unset | {"probability": None}, access.vocabulary)
    if values["stage_kind"] == "open":
        if before["stage_kind"] != "open" and not access.may("pipelines", "configure"):
            raise Forbidden("Reopening needs the right to configure pipelines")
        values["stage_entered_at"] = now
    # Closed before it came to where it is: stays follow one another, however late somebody was to say so.
    values["stage_entered_at"] = max(values["stage_entered_at"], before["stage_entered_at"])
    return values


def _keys(entity: Entity, record: Values) -> list[tuple[str, str]] | None:
    return sorted(set(entity.match_keys(record))) if entity.match_keys else None


def _errors(row: int, problems: list[FieldError]) -> Iterator[dict[str, Any]]:
    for each in problems:
        yield {"row": row, "field": each.pointer.strip("/").split("/")[0], "code": each.code, "message": each.message}


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=str).decode()


def loops(pointing: Mapping[Any, Any]) -> set[Any]:
    """Those that come back to themselves by following where each points."""
    state: dict[Any, int] = {}
    found: set[Any] = set()
    for start in pointing:
        path = []
        at = start
        while at in pointing and at not in state:
            state[at] = 1
            path.append(at)
            at = pointing[at]
        if state.get(at) == 1:
            found.update(path[path.index(at) :])
        for each in path:
            state[each] = 2
    return found
