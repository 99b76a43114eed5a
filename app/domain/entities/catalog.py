"""Every kind of record there is, by name. What is not here does not exist for lists, access, imports and the ledger."""

from app.domain.entities.activities import ACTIVITIES
from app.domain.entities.api_keys import API_KEYS
from app.domain.entities.contacts import CONTACTS
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.fields import Entity
from app.domain.entities.forms import FORMS, SUBMISSIONS
from app.domain.entities.imports import IMPORTS
from app.domain.entities.leads import LEADS
from app.domain.entities.messages import MESSAGES
from app.domain.entities.opportunities import OPPORTUNITIES
from app.domain.entities.picklists import PICKLISTS, PIPELINES
from app.domain.entities.products import PRODUCTS
from app.domain.entities.templates import TEMPLATES
from app.domain.entities.users import USERS
from app.domain.entities.workflows import WORKFLOW_RUNS, WORKFLOWS

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        USERS,
        CUSTOMERS,
        CONTACTS,
        LEADS,
        PRODUCTS,
        OPPORTUNITIES,
        ACTIVITIES,
        MESSAGES,
        TEMPLATES,
        FORMS,
        SUBMISSIONS,
        WORKFLOWS,
        WORKFLOW_RUNS,
        PIPELINES,
        PICKLISTS,
        IMPORTS,
        API_KEYS,
    )
}
