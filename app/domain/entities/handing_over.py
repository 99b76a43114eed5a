"""What is said when somebody's customers and open work go to others, and what is answered."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.entities.fields import Fields

People = Annotated[list[UUID], Field(min_length=1, max_length=50)]


class HandOver(Fields):
    """Who takes over: in turn, where they are several. What is open at a customer goes with the customer."""

    to: Annotated[People, Field(description="Who takes whatever is not said below.")]
    customers: Annotated[People | None, Field(description="Who takes the customers.")] = None
    leads: Annotated[People | None, Field(description="Who takes the open leads.")] = None
    opportunities: Annotated[People | None, Field(description="Who takes the open opportunities.")] = None
    activities: Annotated[People | None, Field(description="Who takes the planned activities.")] = None
    team: Annotated[
        UUID | None,
        Field(description="Whose the team is, for callers who may change users. Left out: the first of `to`."),
    ] = None
    dry_run: Annotated[bool, Field(description="Only say how much it is.")] = False


class HandedOver(Fields):
    """How much went to others."""

    customers: int
    leads: int
    opportunities: int
    activities: int
    messages: Annotated[int, Field(description="E-mails on their way.")]
    assigned: Annotated[int, Field(description="Customers of which they were an assignee beside the owner.")]
    team: Annotated[int, Field(description="Users who have another manager now.")]
    operation_id: Annotated[UUID, Field(description="Under which the timelines tell of it.")]
    dry_run: bool
