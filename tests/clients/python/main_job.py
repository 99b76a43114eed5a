"""What does a program on the generated client look like? It does the main job, and says what it did.

Run with CRM_URL, CRM_USERNAME and CRM_PASSWORD, beside the generated package `crm_client`.
"""

import json
import os
import time
from datetime import date
from typing import TypeVar
from uuid import UUID

from crm_client import AuthenticatedClient, Client
from crm_client.api.auth import sign_in
from crm_client.api.customers import (
    create_customer,
    list_customers,
    read_customer,
    read_customer_timeline,
    update_customer,
)
from crm_client.api.forms import read_form, submit_form
from crm_client.api.leads import convert_lead, list_leads
from crm_client.api.me import read_me
from crm_client.api.opportunities import move_opportunity, read_opportunity, read_opportunity_stages
from crm_client.api.picklists import list_picklists
from crm_client.models import (
    BodySignIn,
    CustomerCreate,
    CustomerRead,
    CustomerUpdate,
    FormSubmission,
    LeadConversion,
    LeadOpportunity,
    LeadRead,
    Phone,
    Problem,
    StageMove,
    SubmissionReceived,
    VisitorForm,
)
from crm_client.types import UNSET

Answer = TypeVar("Answer")
NOBODY = UUID("0198c0de-0000-7000-8000-000000000000")


def say(*said: object) -> None:
    print(*(json.dumps(each, separators=(",", ":")) if isinstance(each, list) else each for each in said))


def good(answer: Answer | Problem | None) -> Answer:
    """The answer, where it is no problem."""
    assert not isinstance(answer, Problem), answer
    assert answer is not None
    return answer


def problem(answer: object) -> Problem:
    """The answer, which must be a problem."""
    assert isinstance(answer, Problem), answer
    return answer


def signed_in() -> AuthenticatedClient:
    url = os.environ["CRM_URL"]
    credentials = BodySignIn(username=os.environ["CRM_USERNAME"], password=os.environ["CRM_PASSWORD"])
    tokens = good(sign_in.sync(client=Client(url), body=credentials))
    return AuthenticatedClient(url, tokens.access_token)


def make_customers(client: AuthenticatedClient) -> list[CustomerRead]:
    picklists = good(list_picklists.sync(client=client, key=["sector"])).items
    options = picklists[0].options
    assert options
    sectors = [option.key for option in options]
    made = []
    for number in range(5):
        body = CustomerCreate(
            name=f"Acme {number}",
            sector=sectors[number % 2],
            annual_revenue="1234.50",
            currency="EUR",
            phones=[Phone(number="+34 912 345 678", kind="mobile")],
        )
        # Sent twice, as after a lost answer: one customer.
        for _ in range(2):
            customer = good(create_customer.sync(client=client, body=body, idempotency_key=f"customer {number}"))
        made.append(customer)
    assert made[0].phones
    say("created", len(made), "customers in", sectors[:2], "with", made[0].annual_revenue, made[0].phones[0].number)
    return made


def page_through(client: AuthenticatedClient, sectors: list[str]) -> None:
    cursor: str | None = None
    names: list[object] = []
    pages = 0
    while cursor or not pages:
        page = good(
            list_customers.sync(
                client=client, sector=sectors, sort=["-sector", "name"], limit=2, count="exact", cursor=cursor or UNSET
            )
        )
        names += [customer.name for customer in page.items]
        cursor, pages = page.next_cursor, pages + 1
    say("listed", names, "of", page.total, "on", pages, "pages")


def change(client: AuthenticatedClient, customer: CustomerRead) -> None:
    body = CustomerUpdate(website="https://acme.example", currency="USD")
    changed = good(update_customer.sync(customer.id, client=client, body=body, if_match=f'"{customer.version}"'))
    say("changed to version", changed.version, "with", changed.website, changed.currency)
    stale = problem(update_customer.sync(customer.id, client=client, body=body, if_match=f'"{customer.version}"'))
    assert stale.changed
    say("refused", stale.status, stale.code, stale.version, sorted(stale.changed.additional_properties))


def meet_problems(client: AuthenticatedClient) -> None:
    missing = problem(read_customer.sync(NOBODY, client=client))
    say("refused", missing.status, missing.code)
    invalid = problem(create_customer.sync(client=client, body=CustomerCreate(name="Acme", sector="no such sector")))
    say("refused", invalid.status, invalid.code, [error.pointer for error in invalid.errors])


def fill_in_form(client: AuthenticatedClient) -> None:
    form = good(read_form.sync("contact", client=client, language="en"))
    assert isinstance(form, VisitorForm)
    assert form.consent
    say("the form asks for", [field.key for field in form.fields], "and", form.consent.text)
    # Nobody signs in to send it. The other kinds of body are what browsers send, and this one is sent as JSON.
    visitor = Client(os.environ["CRM_URL"])
    body = FormSubmission(name="Luis Gómez", email="luis@acme.example", request="quote", consent=True, language="it")
    received = good(submit_form.sync("contact", client=visitor, body=body, utm_source="news"))
    assert isinstance(received, SubmissionReceived)
    say("received", received.message)
    refused = problem(submit_form.sync("contact", client=visitor, body=FormSubmission(email="luis@acme.example")))
    say("refused", refused.status, refused.code, [error.pointer for error in refused.errors])


def find_lead(client: AuthenticatedClient) -> LeadRead:
    # A worker makes the lead, in a moment.
    for _ in range(100):
        leads = good(list_leads.sync(client=client, q="gomez", stage=["new"], sort=["-created_at"])).items
        if leads:
            break
        time.sleep(0.1)
    (lead,) = leads
    assert lead.emails
    assert lead.utm
    say("found", lead.name, lead.emails[0].address, lead.stage, lead.channel, lead.utm["source"])
    return lead


def convert(client: AuthenticatedClient, lead: LeadRead) -> LeadRead:
    opportunity = LeadOpportunity(name="Valves", amount="9900.00", currency="EUR", expected_close_on=date(2030, 1, 31))
    # Sent twice, as after a lost answer: one customer.
    for _ in range(2):
        converted = good(convert_lead.sync(lead.id, client=client, body=LeadConversion(opportunity=opportunity)))
    assert isinstance(converted.opportunity_id, UUID)
    opened = good(read_opportunity.sync(converted.opportunity_id, client=client))
    say("converted to", opened.name, "in", opened.stage, "of", opened.amount, "to close on", opened.expected_close_on)
    return converted


def move(client: AuthenticatedClient, opportunity_id: UUID) -> None:
    refused = problem(move_opportunity.sync(opportunity_id, client=client, body=StageMove(stage="won")))
    say("refused", refused.status, refused.code, refused.stage, refused.allowed)
    assert refused.allowed
    moved = good(move_opportunity.sync(opportunity_id, client=client, body=StageMove(stage=refused.allowed[0])))
    stays = good(read_opportunity_stages.sync(opportunity_id, client=client)).items
    say("moved to", moved.stage, "after", [stay.stage for stay in stays if stay.left_at])


def read_history(client: AuthenticatedClient, customer_id: UUID) -> None:
    events = good(read_customer_timeline.sync(customer_id, client=client)).items
    assert events[0].changes.additional_properties
    say("read", [event.type_ for event in reversed(events)])


def main() -> None:
    with signed_in() as client:
        say("signed in as", good(read_me.sync(client=client)).name)
        customers = make_customers(client)
        page_through(client, [str(customer.sector) for customer in customers[:2]])
        change(client, customers[0])
        meet_problems(client)
        fill_in_form(client)
        lead = convert(client, find_lead(client))
        assert isinstance(lead.opportunity_id, UUID)
        assert isinstance(lead.customer_id, UUID)
        move(client, lead.opportunity_id)
        read_history(client, lead.customer_id)


if __name__ == "__main__":
    main()
