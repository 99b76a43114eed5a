"""Who works for a customer besides its owner, by hand: given and taken away, each with its line in the ledger."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import assignees, ledger
from app.db.models.customers import Customer
from app.db.models.users import User
from app.db.session import operation_of
from app.domain import consequences, owning, records
from app.domain.entities.customers import CUSTOMERS
from app.errors import Conflict
from app.policies.access import Access, not_found

ROLE = "assignee"


async def assign(session: AsyncSession, access: Access, customer: Customer, user_id: UUID) -> None:
    """A user is an assignee of a customer that the caller holds; whoever is one, or owns it, stays what they are.

    Raises `NotFound` for somebody who is not there or not active, `Invalid` (`cannot_take_over`) for who could not open
    it, `Conflict` (`archived`).
    """
    records.not_archived(customer)
    query = (
        access.rows(User).with_only_columns(User.id).where(User.id == user_id, User.active, User.archived_at.is_(None))
    )
    if await session.scalar(query.with_for_update(read=True, key_share=True, of=User)) is None:
        raise not_found("user")
    _, role = await assignees.role_at(session, customer.id, user_id)
    if role is None:
        await owning.check(session, access, CUSTOMERS.name, "user_id", user_id)
        ledger.assignee(operation_of(session).pending, customer.id, user_id, ROLE)
        await _tell(session, access, customer, "assigned", [], [shown(user_id)])


async def take_off(session: AsyncSession, access: Access, customer: Customer, user_id: UUID) -> None:
    """A user is no longer an assignee of a customer that the caller holds.

    Raises `NotFound` for somebody who is none, `Conflict`: `archived`, or `still_responsible` for the owner, and for
    whoever is there only because of records that they own.
    """
    records.not_archived(customer)
    there, role = await assignees.role_at(session, customer.id, user_id)
    if not there:
        raise not_found("assignee")
    if role != ROLE:
        what = "They own the customer" if role else "They own records of the customer"
        raise Conflict(f"{what}: give those to somebody else", code="still_responsible")
    await assignees.step_down(session, [customer.id], user_id, ROLE)
    await _tell(session, access, customer, "unassigned", [shown(user_id)], [])


def shown(user_id: UUID) -> dict[str, str]:
    """An assignee as the ledger tells of one."""
    return {"user_id": str(user_id), "role": ROLE}


async def _tell(
    session: AsyncSession,
    access: Access,
    customer: Customer,
    verb: str,
    left: list[dict[str, str]],
    came: list[dict[str, str]],
) -> None:
    customer.version += 1
    customer.updated_at, customer.updated_by = clock.now(), access.user_id
    await session.flush()
    after = consequences.values_of(customer)
    changes = {"assignees": (left, came)}
    consequences.record_event(operation_of(session), access, CUSTOMERS, after, verb, changes)
