"""The keys that records are found by from outside: numbers and other systems' ids."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, bindparam, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.customers import NUMBER
from app.db.models.keys import ExternalId, MatchKey


async def next_customer_number(session: AsyncSession, prefix: str) -> str:
    """The next number; one that is not used in the end leaves a gap."""
    return str(await session.scalar(select(customer_number()), {"number_prefix": prefix}))


def customer_number() -> ColumnElement[str]:
    """The next number after what is bound as `number_prefix`: of six digits, or as many as it takes."""
    return bindparam("number_prefix", type_=Text) + func.to_char(NUMBER.next_value(), text("'FM999999999999000000'"))


async def find_external(session: AsyncSession, entity: str, system: str, external_id: str) -> UUID | None:
    """The record that a system knows by this id, archived or not. Whoever asks for the same one meanwhile waits."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{entity}/{system}/{external_id}", text("0"))))
    )
    return await session.scalar(
        select(ExternalId.record_id).where(
            ExternalId.entity == entity, ExternalId.system == system, ExternalId.external_id == external_id
        )
    )


def among(column: Any, ids: Iterable[UUID]) -> ColumnElement[bool]:
    """Whether it is one of the ids: as one array, since of single values a statement takes 32,767."""
    found: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid())))
    return found


async def found_by(session: AsyncSession, entity: str, kind: str, keys: Sequence[str]) -> list[UUID]:
    """The records of an entity that have one of these match keys (normalised e-mail, phone, …), archived or not."""
    query = select(MatchKey.record_id).where(MatchKey.entity == entity, MatchKey.kind == kind, MatchKey.key.in_(keys))
    return list(await session.scalars(query))
