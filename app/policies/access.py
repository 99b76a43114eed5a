"""What one caller may do: resolved once, then asked for rows and for fields. Every query begins here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.base import Record
from app.db.models import table_of
from app.db.reach import ABOUT, Level, Reach, changing, narrower, reading
from app.db.seeds import SYSTEM_USER
from app.db.session import operation_of
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, specs
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Forbidden, NotFound
from app.policies.profiles import Grants, everything

R = TypeVar("R", bound=Record)

THROUGH_CUSTOMER = frozenset({"contacts", "leads", "opportunities", "activities", "messages"})


class Reason(StrEnum):
    """The closed list of what the product does in nobody's name."""

    SWEEP = "sweep"
    FORM = "form"
    CONVERSION = "conversion"
    COMMAND_LINE = "command_line"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Access:
    """One caller: who, through which session, with which grants, reaching whose records, until when that holds.

    own: the caller and whom they stand in for today; team: with their team. version: see `db/vocabulary.py`.
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

    def fields(self, entity: Entity, action: str = "read") -> frozenset[str]:
        """The names of the entity's fields that the caller may read, or give when creating or updating."""
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

    def reached(self, level: Level | None) -> tuple[UUID, ...]:
        """The users whose records count at a level."""
        return self.team if level == "team" else self.own

    def rows(self, model: type[R]) -> Select[R]:
        """Begin a query: the records of a kind that the caller may read."""
        name = model.__tablename__
        reach = self.reach(name)
        return select(model).where(or_(*reading(table_of(name), reach))).params(reached=list(self.reached(reach.level)))

    async def row(self, session: AsyncSession, model: type[R], id: UUID, action: str = "read") -> R:
        """One record, locked unless it is only read.

        Raises `NotFound` out of reach, `Forbidden` where it is only seen.
        """
        name = model.__tablename__
        change = self.reach(name, action)
        query = (
            self.rows(model)
            .add_columns(changing(table_of(name), change))
            .where(model.id == id)
            .execution_options(populate_existing=True)
        )
        if action != "read":
            # Archiving keeps out those who are about to name the record; changing does not.
            query = query.with_for_update(of=model, key_share=action != "delete")
        found = (await session.execute(query, {"changing": list(self.reached(change.level))})).one_or_none()
        if found is None:
            raise not_found(ENTITIES[name].singular)
        record: R = found[0]
        allowed: bool = found[1]
        if action != "read" and not allowed:
            raise Forbidden(f"You may not {action} this {ENTITIES[name].singular}")
        operation_of(session).enrolled.append(record)
        return record

    def new(self, session: AsyncSession, model: type[R], values: Mapping[str, object]) -> R:
        """A new record, the caller's. Raises `Forbidden` where the profile creates none."""
        self.require(model.__tablename__, "create")
        operation, now = operation_of(session), clock.now()
        made = {"created_at": now, "created_by": self.user_id, "updated_at": now, "updated_by": self.user_id}
        record = model(**{"source": operation.source, **made, **values})
        operation.enrolled.append(record)
        session.add(record)
        return record


def not_found(what: str) -> NotFound:
    return NotFound(f"No such {what}")


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
