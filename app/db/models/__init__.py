"""Every table of the product, imported here so that the metadata is whole."""

from sqlalchemy import Table

from app.db.base import Base, Record
from app.db.models import (
    contacts,
    customers,
    imports,
    jobs,
    keys,
    ledger,
    opportunities,
    products,
    sessions,
    users,
    vocabulary,
)

metadata = Base.metadata

RECORDS: dict[str, type[Record]] = {
    model.__tablename__: model
    for model in (
        users.User,
        customers.Customer,
        contacts.Contact,
        products.Product,
        opportunities.Opportunity,
        vocabulary.Pipeline,
        vocabulary.Picklist,
        imports.Import,
    )
}


def table_of(entity: str) -> Table:
    """The table of a kind of record."""
    table = RECORDS[entity].__table__
    assert isinstance(table, Table)
    return table


__all__ = [
    "RECORDS",
    "contacts",
    "customers",
    "imports",
    "jobs",
    "keys",
    "ledger",
    "metadata",
    "opportunities",
    "products",
    "sessions",
    "table_of",
    "users",
    "vocabulary",
]
