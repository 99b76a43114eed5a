"""What one caller may do: resolved once, then asked for rows and for fields. Every query begins here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import clock
from app.db.base import Record
from app.db.models import table_of
from app.db.reach import ABOUT, Level, Reach, changing, narrower, reading
from app.db.seeds import SYSTEM_USER
from app.db.session import operation_of
from app.db.statements import Compiled
from app.db.vocabulary import Connection
from app.db.writing import Held, defaults, values_of
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Can, Entity, specs
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Forbidden, NotFound
from app.policies.profiles import Grants, everything

R = TypeVar("R", bound=Record)
T = TypeVar("T")

THROUGH_CUSTOMER = frozenset({"contacts", "leads", "opportunities", "activities", "messages"})
# What somebody who may assign it, or change it, makes their own as long as it is nobody's.
CLAIMED = frozenset({"customers", "leads", "opportunities", "activities"})


class Reason(StrEnum):
    """The closed list of what the product does in nobody's name."""

    SWEEP = "sweep"
    FORM = "form"
    CONVERSION = "conversion"
    ACCESS_REQUEST = "access_request"
    COMMAND_LINE = "command_line"
    DEMO = "demo"
    OPENID = "openid"


@dataclass(frozen=True, slots=True)
class Access:
    """One caller: who, through which session, with which grants, reaching whose records, until when that holds.

    own: the caller and whom they stand in for today; team: with their team. version: see `db/vocabulary.py`.
    enrolling: the profile demands a second factor, and the caller has none yet.
    """

    user_id: UUID
    session_id: UUID | None
    profile: str
    version: str
    since: datetime | None
    until: datetime | None
    grants: Grants
    own: tuple[UUID, ...]
    team: tuple[UUID, ...]
    vocabulary: Vocabulary
    enrolling: bool = False
    # What follows from the grants, which never change, is found out once: asking is cheap where it is asked for each
    # request. Not copied by `replace`, so that other grants begin anew.
    _known: dict[tuple[str, ...], Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    @classmethod
    def system(cls, reason: Reason, vocabulary: Vocabulary | None = None) -> "Access":
        """The product itself, for one of the reasons in the list."""
        del reason  # named at the call, for whoever reads it
        return cls(
            SYSTEM_USER, None, "system", "", None, None, everything(), (SYSTEM_USER,), (), vocabulary or Vocabulary()
        )

    @classmethod
    def acting_for(cls, access: "Access", reason: Reason) -> "Access":
        """The product itself, for one of the reasons in the list, in the name of the caller who asked for it."""
        del reason  # as above
        return replace(access, grants=everything())

    @classmethod
    def own_account(cls, access: "Access") -> "Access":
        """The same caller with their own user record whole in hand, which their profile may hide in others."""
        granted = {
            (section, action, group): "own" if group == "open" else "-"
            for section, action, group in everything()
            if section == "users" and action in ("read", "update")
        }
        return replace(access, grants=granted, own=(access.user_id,), team=(access.user_id,))

    def level(self, section: str, action: str) -> Level | None:
        """How far the caller reaches in a section with an action; None is not at all."""
        return self.grants.get((section, action, "open"))  # type: ignore[return-value]

    def may(self, section: str, action: str) -> bool:
        return (section, action, "open") in self.grants

    def require(self, section: str, action: str) -> None:
        """Raise `Forbidden` unless the profile grants the action somewhere."""
        if not self.may(section, action):
            raise Forbidden(f"Your profile may not {action} {section}")

    def require_enrolled(self) -> None:
        """Raise `Forbidden` if the caller must set up a second factor before anything else."""
        if self.enrolling:
            raise Forbidden("Set up a second factor first", code="second_factor_enrolment_required")

    def once(self, name: str, make: Callable[["Access"], T]) -> T:
        """What `make` makes of this access and nothing else, made when it is first asked for by the name."""
        known: T | None = self._known.get(("once", name))
        if known is None:
            known = self._known["once", name] = make(self)
        return known

    def fields(self, entity: Entity, action: str = "read") -> frozenset[str]:
        """The names of the entity's fields that the caller may read, or give when creating or updating."""
        known: frozenset[str] | None = self._known.get(("fields", entity.name, action))
        if known is None:
            known = self._known["fields", entity.name, action] = self._open_fields(entity, action)
        return known

    def _open_fields(self, entity: Entity, action: str) -> frozenset[str]:
        open_to = frozenset(group for (section, act, group) in self.grants if (section, act) == (entity.name, action))
        level = self.level(entity.name, "read")
        too_narrow = frozenset(
            section for section in _summed_up(entity.name) if narrower(level, self.level(section, "read")) != level
        )
        return _fields_in(entity.name, open_to, too_narrow)

    def require_fields(self, entity: Entity, names: Collection[str], action: str, at: str = "") -> None:
        """Raise `Forbidden` if the caller may not see or give one of the fields."""
        hidden = sorted(set(names) - self.fields(entity, action))
        if hidden:
            raise Forbidden(
                f"Your profile may not {action} {', '.join(hidden)}",
                code="field_hidden",
                errors=[FieldError(f"{at}/{name}", "field_hidden", "Not open to your profile") for name in hidden],
            )

    def reach(self, section: str, action: str = "read") -> Reach:
        """The shape of what the caller reaches: for reading through customers, the narrower of the two sections."""
        known: Reach | None = self._known.get(("reach", section, action))
        if known is None:
            known = self._known["reach", section, action] = self._reach(section, action)
        return known

    def _reach(self, section: str, action: str) -> Reach:
        level = self.level(section, action)
        through = section in THROUGH_CUSTOMER and action == "read"
        if through:
            level = narrower(level, self.level("customers", "read"))
        return Reach(
            level,
            nobodys=level == "team" and self.may(section, "assign"),
            nobodys_customers=level == "team" and self.may("customers" if through else section, "assign"),
            about=frozenset(
                model.__tablename__
                for model in ABOUT.get(section, {}).values()
                if level is not None and narrower(level, self.level(model.__tablename__, action)) == level
            ),
        )

    def can(self, entity: Entity) -> tuple[tuple[str, Reach], ...]:
        """The verbs of `Can`, each with the reach that it takes among the records that the caller reads."""
        nothing = Reach(None)
        # What nobody makes over the API is part of how the company has set it up.
        made = bool(entity.create.model_fields)
        update = self.reach(entity.name, "update" if made else "configure")
        update = update if entity.update.model_fields else nothing
        delete = self.reach(entity.name, "delete") if made else nothing
        assign = update if "owner_id" in entity.update.model_fields and self.may(entity.name, "assign") else nothing
        claim = self.reach(entity.name, "assign") if self.may(entity.name, "assign") else update
        claim = claim if entity.name in CLAIMED else nothing
        restore = nothing if entity.final else delete
        verbs = {"update": update, "delete": delete, "restore": restore, "assign": assign, "claim": claim}
        return tuple((verb, verbs[verb]) for verb in Can.model_fields)

    def reached(self, level: Level | None) -> tuple[UUID, ...]:
        """The users whose records count at a level."""
        return self.team if level == "team" else self.own

    def rows(self, model: type[R]) -> Select[R]:
        """Begin a query: the records of a kind that the caller may read."""
        reach = self.reach(model.__tablename__)
        return _rows(model, reach).params(reached=list(self.reached(reach.level)))

    def below(self, section: str, action: str) -> Reach:
        """Among which customers the caller does that with records that have no owner but the customer's assignees."""
        reach = self.reach(section, action)
        return Reach(reach.level, nobodys=reach.nobodys_customers)

    async def require_below(self, session: AsyncSession, section: str, action: str, customer_id: UUID) -> None:
        """Raise `Forbidden` where the caller may not do that with such records of a customer, which they see."""
        reach, customers = self.below(section, action), table_of("customers")
        query = select(customers.c.id).where(customers.c.id == customer_id, changing(customers, reach))
        if await session.scalar(query, {"changing": list(self.reached(reach.level))}) is None:
            raise Forbidden(f"You may not {action} {section} of this customer")

    async def row(self, session: AsyncSession, model: type[R], id: UUID, action: str = "read") -> R:
        """One record, locked unless only read. Raises `NotFound` out of reach, `Forbidden` where it is only seen."""
        name = model.__tablename__
        reach, change = self.reach(name), self.reach(name, action)
        values = {"record_id": id, "reached": list(self.reached(reach.level))}
        values["changing"] = list(self.reached(change.level))
        query = _row(model, reach, change, action)
        found = (await session.execute(query, values)).one_or_none()
        if action != "read" and not (found and found[1]):
            # Who was waited for may have put it under a customer whose assignees only the next statement sees.
            found = (await session.execute(query, values)).one_or_none()
        if found is None:
            raise not_found(ENTITIES[name].singular)
        record: R = found[0]
        allowed: bool = found[1]
        if action != "read" and not allowed:
            raise Forbidden(f"You may not {action} this {ENTITIES[name].singular}")
        if action != "read":  # what was only read is not written either
            operation_of(session).enrolled.append(record)
        return record

    def new(self, session: AsyncSession, model: type[R], values: Mapping[str, object]) -> R:
        """A new record, the caller's. Raises `Forbidden` where the profile creates none."""
        operation = operation_of(session)
        record = model(**self._begun(model.__tablename__, operation.source, values))
        operation.enrolled.append(record)
        session.add(record)
        return record

    async def row_at_once(self, connection: Connection, model: type[R], id: UUID) -> Held:
        """One record as it is, to be changed in a statement of its own; not locked. Raises as `row` does."""
        name = model.__tablename__
        reach, change = self.reach(name), self.reach(name, "update")
        reached, changed = list(self.reached(reach.level)), list(self.reached(change.level))
        statement = _row_alone(model, reach, change)
        sql, arguments, _ = statement.bound({"record_id": id, "reached": reached, "changing": changed})
        row = await connection.fetchrow(sql, *arguments)
        if row is None:
            raise not_found(ENTITIES[name].singular)
        values = values_of(name, row)
        if not values.pop("allowed"):
            raise Forbidden(f"You may not update this {ENTITIES[name].singular}")
        return Held(name, False, values, self.version, self.session_id)

    def new_at_once(self, model: type[R], source: str, values: Mapping[str, object]) -> Held:
        """A new record, to be made in a statement of its own. Raises as `new` does."""
        name = model.__tablename__
        begun = self._begun(name, source, values)
        return Held(name, True, {**defaults(name), **begun}, self.version, self.session_id)

    def _begun(self, entity: str, source: str, values: Mapping[str, object]) -> dict[str, object]:
        self.require(entity, "create")
        now = clock.now()
        made = {"created_at": now, "created_by": self.user_id, "updated_at": now, "updated_by": self.user_id}
        return {"id": uuid7(), "source": source, **made, **values}


def not_found(what: str) -> NotFound:
    return NotFound(f"No such {what}")


# Putting these together takes longer than all the rest that access adds to a request.
@lru_cache(maxsize=1024)
def _rows(model: type[R], reach: Reach) -> Select[R]:
    return select(model).where(or_(*reading(table_of(model.__tablename__), reach)))


@lru_cache(maxsize=1024)
def _row(model: type[R], reach: Reach, change: Reach, action: str) -> Select[Any]:
    """The record bound as `record_id`, and whether it may be changed."""
    query = _rows(model, reach).add_columns(changing(table_of(model.__tablename__), change).label("allowed"))
    query = query.where(model.id == bindparam("record_id")).execution_options(populate_existing=True)
    if action == "read":
        return query
    # Archiving keeps out those who are about to name the record; changing does not.
    return query.with_for_update(of=model, key_share=action != "delete")


@lru_cache(maxsize=1024)
def _row_alone(model: type[R], reach: Reach, change: Reach) -> Compiled:
    return Compiled.of(_row(model, reach, change, "read"))


@lru_cache(maxsize=1024)
def _fields_in(entity: str, open_to: frozenset[str], too_narrow: frozenset[str]) -> frozenset[str]:
    declared = {**specs(ENTITIES[entity].create), **specs(ENTITIES[entity].read)}
    return frozenset(
        name for name, spec in declared.items() if spec.group in open_to and spec.derived_from not in too_narrow
    )


@cache
def _summed_up(entity: str) -> frozenset[str]:
    """The sections from which fields of the entity are derived."""
    return frozenset(spec.derived_from for spec in specs(ENTITIES[entity].read).values() if spec.derived_from)
