"""What does a lead become: which of its fields go to the customer, the contact and the opportunity? Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.domain.entities.contacts import ContactUpdate
from app.domain.entities.customers import CustomerUpdate
from app.domain.entities.fields import Fields, Spec, Values, partial
from app.domain.entities.leads import person
from app.domain.entities.opportunities import OpportunityCreate
from app.errors import FieldError

LONGEST_NAME = 200
# Of a company's lead they are its own as well as those of the person who wrote.
REACHED_BY = ("emails", "phones", "social_profiles", "preferred_channel", "preferred_language")
# These follow from the lead.
FOLLOWING = ("customer_id", "lead_id", "owner_id")


@partial
class LeadOpportunity(OpportunityCreate):
    """What is known of the opportunity beyond what the lead says. Its name, left out, is the lead's title or name."""


class LeadConversion(Fields):
    """What a lead becomes, where that is not all new or the lead does not say all that is needed."""

    customer_id: Annotated[
        UUID | None,
        Field(title="Customer", description="One that there is. Left out: the lead's; has it none, a new one."),
        Spec(refers_to="customers"),
    ] = None
    customer: Annotated[
        CustomerUpdate | None, Field(title="New customer", description="Fields of a new one beyond the lead's.")
    ] = None
    contact_id: Annotated[
        UUID | None,
        Field(
            title="Contact",
            description="One that the customer has. Left out: the one with the lead's e-mail, else a new one where the "
            "lead names a person.",
        ),
        Spec(refers_to="contacts"),
    ] = None
    contact: Annotated[
        ContactUpdate | None,
        Field(title="New contact", description="Fields of a new one beyond the lead's; null: there is to be none."),
    ] = None
    opportunity: Annotated[
        LeadOpportunity | None,
        Field(
            title="Opportunity",
            description="Fields of the opportunity: the one that the lead has, else a new one; null: no new one.",
        ),
    ] = None

    def refuses(self, part: str) -> bool:
        """Whether it says that there is to be no such part, which is more than saying nothing of it."""
        return part in self.model_fields_set and getattr(self, part) is None


def out_of_place(said: LeadConversion, known_customer: bool) -> Iterator[FieldError]:
    """What makes no sense in a body. known_customer: the lead goes to a customer that there is."""
    if known_customer and said.customer is not None:
        yield FieldError("/customer", "not_applicable", "The lead goes to a customer that there is already")
    if not known_customer and said.contact_id is not None:
        yield FieldError("/contact_id", "not_applicable", "A new customer has no contacts yet")
    if said.contact_id is not None and said.contact is not None:
        yield FieldError("/contact", "not_applicable", "Say which contact it is, or what the new one is like")
    for name in ("customer", "contact", "opportunity"):
        part = getattr(said, name)
        for field in FOLLOWING:
            if part is not None and field in part.model_fields_set:
                yield FieldError(f"/{name}/{field}", "not_applicable", "It follows from the lead")


def customer_values(lead: Mapping[str, Any]) -> Values:
    """A company if the lead names one, else the person; one known by an e-mail or a phone only is a company."""
    name = lead["company_name"] or person(lead)
    kind = "person" if name and not lead["company_name"] else "company"
    carried = ("website", "sector", "addresses", "owner_id", "tags", *REACHED_BY)
    return {
        "kind": kind,
        "name": (name or lead["name"])[:LONGEST_NAME],
        "won_channel": lead["channel"],
        **{field: lead[field] for field in carried},
    }


def contact_values(lead: Mapping[str, Any]) -> Values:
    carried = ("first_name", "last_name", "job_title", *REACHED_BY)
    return {field: lead[field] for field in carried}


def opportunity_values(lead: Mapping[str, Any]) -> Values:
    """The lead's own words become the description."""
    return {
        "name": (lead["title"] or lead["name"])[:LONGEST_NAME],
        "description": lead["message"],
        "owner_id": lead["owner_id"],
    }
