"""Why can somebody read or change a record or one of its fields, or why not? For administrators."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import profiles, reading
from app.db import session as db
from app.db.base import Record
from app.db.keys import among
from app.db.models import RECORDS
from app.db.models.users import User
from app.db.queries import assignments
from app.db.reach import ABOUT, Level
from app.domain.entities import rules
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, Values, specs
from app.domain.entities.nearest import did_you_mean
from app.domain.listing import record_shape
from app.errors import FieldError, Forbidden
from app.policies.access import THROUGH_CUSTOMER, Access
from app.policies.callers import access_of
from app.policies.explaining import Facts, naming, reasons
from app.texts.explanations import AGAINST, FOR

# What can be asked about, all but reading verbs of `Can` → the action of policies that it takes.
ACTIONS = {"read": "read", "update": "update", "delete": "delete", "restore": "delete", "assign": "update"}


async def explain(
    session: AsyncSession, access: Access, user_id: UUID, name: str, id: UUID, action: str, field: str | None
) -> Values:
    """What `api/explaining.py` shows. The verdict is what the statement of the person's own request finds; reasons,
    policies and assignments only tell why. The caller must see the user, the record and the field themselves.

    Raises `Forbidden`, `NotFound`, `Invalid`.
    """
    if not (access.may("users", "configure") or access.may("profiles", "configure")):
        raise Forbidden("Your profile may not configure users or profiles")
    entity = _entity(access, name, action, field)
    user = await access.row(session, User, user_id)
    record = await access.row(session, RECORDS[name], id)
    answer: Values = {"user_id": user_id, "profile": user.profile_id, "entity": name, "id": id}
    answer |= {"action": action, "field": field, "steps": [], "owner": None, "assignments": []}
    if not user.active or user.archived_at is not None:
        return answer | {"allowed": False, "code": "session_ended", "reasons": _told(["inactive"])}
    person = await access_of(session, user_id)
    assigned, facts = await _facts(session, entity, record)
    found = _reasons(person, entity, record, facts, action)
    code = await _verdict(session, person, entity, id, action)
    if code == "forbidden":  # as far as the statement tells; the state of the record and of the API are other problems
        code = {"archived": "archived", "no_such_route": "method_not_allowed"}.get(found[0], code)
    if field is not None and code is None:
        found.append(_of_field(person, entity, field, action))
        code = {"not_written": "read_only_field", "field_open": None}.get(found[-1], "field_hidden")
    answer |= {"allowed": code is None, "code": code, "reasons": _told(found)}
    answer["steps"] = await _steps(session, person, entity, action, field)
    return answer | await _people(session, access, person, facts.owner_id, assigned)


def _entity(access: Access, name: str, action: str, field: str | None) -> Entity:
    """The entity that is asked about. Raises `Invalid` for what is none, or no field of it, and `Forbidden` for a field
    that the caller does not see."""
    entity = ENTITIES.get(name)
    if entity is None:
        raise rules.invalid([FieldError("/query/entity", "unknown_entity", _no_such("entity", name, ENTITIES))])
    if field is not None:
        if action not in ("read", "update"):
            raise rules.invalid([FieldError("/query/field", "not_applicable", "Fields are read or updated")])
        if field not in entity.read.model_fields | entity.update.model_fields:
            message = _no_such("field", field, access.fields(entity))
            raise rules.invalid([FieldError("/query/field", "unknown_field", message)])
        access.require_fields(entity, [field], "read", at="/query")
    return entity


def _no_such(what: str, name: str, known: Iterable[str]) -> str:
    return f"No such {what}{did_you_mean(name, known)}"


async def _facts(session: AsyncSession, entity: Entity, record: Record) -> tuple[list[Values], Facts]:
    """Those assigned to its customer, and all that decides."""
    owner_id: UUID | None = getattr(record, "owner_id", None)
    customer_id: UUID | None = record.id if entity.name == "customers" else getattr(record, "customer_id", None)
    assigned = await assignments.of_customer(session, customer_id) if customer_id else []
    about = None
    if customer_id is None and owner_id is None:
        for column, model in ABOUT.get(entity.name, {}).items():
            if about is None and (named := getattr(record, column)) is not None:
                owner = await assignments.owner_without_customer(session, model.__tablename__, named)
                about = (model.__tablename__, owner)
    owned = "owner_id" in type(record).__table__.c
    users = tuple(each["user_id"] for each in assigned)
    return assigned, Facts(entity.name, record.id, owned, owner_id, customer_id, users, about)


def _reasons(person: Access, entity: Entity, record: Record, facts: Facts, action: str) -> list[str]:
    """The codes of why they may or may not: what speaks against it, if anything does."""
    found = reasons(person, person.reach(entity.name), facts, "read")
    if action != "read" and not _against(found):
        reach = dict(person.can(entity))[action]
        if not _offered(entity, action):
            return ["no_such_route"]
        if action == "assign" and not person.may(entity.name, "assign"):
            found.append("assign_not_granted")
        else:
            found = reasons(person, reach, facts, ACTIONS[action])
        if action == "restore" and record.archived_at is None:
            found.append("not_archived")
        elif action != "restore" and record.archived_at is not None:
            found.append("archived")
    return _against(found) or found


def _offered(entity: Entity, action: str) -> bool:
    """Whether the API has a route for it."""
    if action == "assign":
        return "owner_id" in entity.update.model_fields
    return bool((entity.update if action == "update" else entity.create).model_fields)


def _against(codes: list[str]) -> list[str]:
    return [code for code in codes if code in AGAINST]


async def _verdict(session: AsyncSession, person: Access, entity: Entity, id: UUID, action: str) -> str | None:
    """Whether the record is not_found or forbidden for the person, or neither: asked by the statement of their own
    `GET …?with=can`."""
    shape, values = record_shape(person, entity, along=("can",))
    sql, bound, _ = reading.statement(shape, values | {"id__is": id})
    row = await (await db.driver(session)).fetchrow(sql, *bound)
    if not row["found"]:
        return "not_found"
    if action == "read" or orjson.loads(row["items"])["can"][action]:
        return None
    return "forbidden"


def _of_field(person: Access, entity: Entity, field: str, action: str) -> str:
    if action == "update" and field not in entity.update.model_fields:
        return "not_written"
    if field in person.fields(entity, action):
        return "field_open"
    group = _spec(entity, field).group
    return "sums_up_more" if (entity.name, action, group) in person.grants else "group_closed"


def _spec(entity: Entity, field: str) -> Any:
    return (specs(entity.update) | specs(entity.read))[field]


def _told(codes: list[str]) -> list[Values]:
    """The reasons as people read them: what speaks against it, if anything does."""
    return [{"code": code, "labels": (FOR | AGAINST)[code]} for code in dict.fromkeys(_against(codes) or codes)]


async def _steps(session: AsyncSession, person: Access, entity: Entity, action: str, field: str | None) -> list[Values]:
    """What was asked of the person's policies, one after the other: reading, the action, the field."""
    policies = await profiles.rules(session)

    def step(action: str, reach: Level | None, *sections: str, group: str = "open") -> Values:
        levels = [
            {"section": section, "action": action, "field_group": group}
            | {"reach": person.level(section, action) if group == "open" else None}
            | {"granted": (section, action, group) in person.grants}
            | {"policies": naming(policies, person.profile, (section, action, group))}
            for section in sections
        ]
        return {"action": action, "reach": reach, "levels": levels}

    through = ["customers"] if entity.name in THROUGH_CUSTOMER else []
    steps = [step("read", person.reach(entity.name).level, entity.name, *through)]
    if action != "read":
        taken = "configure" if action == "update" and not entity.create.model_fields else ACTIONS[action]
        steps.append(step(taken, person.reach(entity.name, taken).level, entity.name))
    if action == "assign":
        steps.append(step("assign", person.reach(entity.name, "assign").level, entity.name))
    if field is not None:
        steps.append(step(action, steps[-1]["reach"], entity.name, group=_spec(entity, field).group))
        if above := _spec(entity, field).derived_from:
            steps.append(step("read", person.reach(above).level, above))
    return steps


async def _people(
    session: AsyncSession, access: Access, person: Access, owner_id: UUID | None, assigned: list[Values]
) -> Values:
    """The record's owner and those assigned to its customer, each with how the person reaches them, and why they are
    assigned as far as the caller sees those records."""
    others = {each["user_id"] for each in assigned} | ({owner_id} if owner_id else set())
    ways = await assignments.ways(session, person.user_id, others)

    def reached(other: UUID) -> Values:
        level = "own" if other in person.own else "team" if other in person.team else None
        return {"user_id": other, "reached": level, "ways": ways.get(other, [])}

    because = [reason for each in assigned for reason in each["reasons"]]
    visible = set()
    for name in {reason["entity"] for reason in because}:
        model = RECORDS[name]
        ids = [UUID(reason["record_id"]) for reason in because if reason["entity"] == name]
        query = access.rows(model).with_only_columns(model.id).where(among(model.id, ids))
        visible |= set(await session.scalars(query))
    return {
        "owner": reached(owner_id) if owner_id else None,
        "assignments": [
            reached(each["user_id"])
            | {"role": each["role"]}
            | {"because": [reason for reason in each["reasons"] if UUID(reason["record_id"]) in visible]}
            for each in assigned
        ],
    }
