"""The routes of a customer's assignees: who and why, and to give and take away by hand."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, Field

from app.api import render
from app.api.deps import Caller, Id, Reader, Session
from app.api.routers import Router
from app.api.timeline import below_customers
from app.db.models.customers import Customer
from app.db.queries import assignees
from app.db.statements import Statement
from app.domain import assigning
from app.domain.entities.customers import CUSTOMERS, CustomerRead
from app.policies.access import Access, not_found


class AssignmentReason(BaseModel):
    """A record of the customer that somebody owns."""

    entity: str
    record_id: UUID


class AssigneeWithReasons(BaseModel):
    """Somebody who works for the customer: its owner, an assignee by hand, or (null) only because of the reasons."""

    user_id: UUID
    role: str | None = Field(description="owner, assignee, or null.")
    reasons: list[AssignmentReason] = Field(description="What they own at the customer, of what you may see.")


class Assignees(BaseModel):
    """All of them, the owner first."""

    items: list[AssigneeWithReasons]


UserId = Annotated[UUID, Path(description="The user's id.")]


def add_assignee_routes(router: Router) -> None:
    """Give the customers' router the three routes."""

    @router.get("/{id}/assignees", response_model=Assignees)
    async def read_customer_assignees(reader: Reader, id: Id) -> Response:
        """Who is assigned to a customer, and why."""

        def make(access: Access) -> Statement:
            reaches, bound = below_customers(access)
            return assignees.statement(reaches, bound | {"id": id})

        _, row = await reader.read(make)
        if not row["customer"]:
            raise not_found(CUSTOMERS.singular)
        return Response(b'{"items":[%b]}' % row["items"].encode(), 200, render.PRIVATE, "application/json")

    @router.put("/{id}/assignees/{user_id}", response_model=CustomerRead)
    async def assign_customer(session: Session, access: Caller, id: Id, user_id: UserId) -> Response:
        """Make somebody an assignee of a customer, beside its owner."""
        await assigning.assign(session, access, await access.row(session, Customer, id, "assign"), user_id)
        return await render.written(session, access, CUSTOMERS, id)

    @router.delete("/{id}/assignees/{user_id}", status_code=204)
    async def unassign_customer(session: Session, access: Caller, id: Id, user_id: UserId) -> Response:
        """Take an assignee off a customer. Whoever owns it, or something there, stays until that is somebody else's."""
        await assigning.take_off(session, access, await access.row(session, Customer, id, "assign"), user_id)
        return Response(status_code=204)
