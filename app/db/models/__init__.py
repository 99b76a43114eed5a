"""Every table of the product, imported here so that the metadata is whole."""

from sqlalchemy import Table

from app.db.base import Base, Record
from app.db.models import (
    access_requests,
    activities,
    contacts,
    credentials,
    customers,
    forms,
    imports,
    jobs,
    keys,
    leads,
    ledger,
    messages,
    opportunities,
    products,
    sessions,
    signing_in,
    users,
    vocabulary,
    workflows,
)

metadata = Base.metadata

RECORDS: dict[str, type[Record]] = {
    model.__tablename__: model
    for model in (
        users.User,
        customers.Customer,
        contacts.Contact,
        leads.Lead,
        products.Product,
        opportunities.Opportunity,
        activities.Activity,
        messages.Message,
        messages.Template,
        forms.Form,
        forms.Submission,
        workflows.Workflow,
        workflows.WorkflowRun,
        vocabulary.Pipeline,
        vocabulary.Picklist,
        imports.Import,
        credentials.ApiKey,
    )
}


def table_of(entity: str) -> Table:
    """The table of a kind of record."""
    table = RECORDS[entity].__table__
    assert isinstance(table, Table)
    return table


__all__ = [
    "RECORDS",
    "access_requests",
    "activities",
    "contacts",
    "credentials",
    "customers",
    "forms",
    "imports",
    "jobs",
    "keys",
    "leads",
    "ledger",
    "messages",
    "metadata",
    "opportunities",
    "products",
    "sessions",
    "signing_in",
    "table_of",
    "users",
    "vocabulary",
    "workflows",
]
