"""Every kind of record there is, by name. What is not here does not exist for lists, access, imports and the ledger."""

from app.domain.entities.contacts import CONTACTS
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.fields import Entity
from app.domain.entities.imports import IMPORTS
from app.domain.entities.opportunities import OPPORTUNITIES
from app.domain.entities.picklists import PICKLISTS, PIPELINES
from app.domain.entities.products import PRODUCTS
from app.domain.entities.users import USERS

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (USERS, CUSTOMERS, CONTACTS, PRODUCTS, OPPORTUNITIES, PIPELINES, PICKLISTS, IMPORTS)
}
