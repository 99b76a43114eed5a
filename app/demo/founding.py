"""With what does the demo's company begin? Its name, its people, a form on its site, and workflows switched on."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models.workflows import Workflow
from app.db.session import next_operation
from app.demo.accounts import ACCOUNTS
from app.domain import records, settings, users, workflows
from app.domain.entities.forms import FORMS, FormCreate
from app.domain.entities.settings import SettingsUpdate
from app.domain.entities.users import USERS, UserCreate
from app.domain.entities.workflows import WorkflowUpdate
from app.policies.access import Access

COMPANY = "Brisa Café"
SWITCHED_ON = WorkflowUpdate.model_validate({"enabled": True})
# It names no sites that alone may send it, so that a page on the reader's own machine can.
CONTACT = FormCreate.model_validate(
    {
        "key": "contact",
        "name": "Contact",
        "fields": [
            {"key": "name", "required": True},
            {"key": "email", "required": True},
            {"key": "phone"},
            {"key": "company_name"},
            {"key": "message"},
        ],
        "consent": {
            "es": "Acepto que Brisa Café guarde estos datos para responderme.",
            "it": "Accetto che Brisa Café conservi questi dati per rispondermi.",
            "en": "I agree that Brisa Café keeps these details in order to answer me.",
        },
    }
)


async def found(session: AsyncSession, access: Access) -> tuple[dict[str, UUID], UUID]:
    """Found the company. The ids of its people by the first part of their usernames, and of the form."""
    next_operation(session, "system")
    await settings.change(session, access, SettingsUpdate.model_validate({"company_name": COMPANY}), None)
    people: dict[str, UUID] = {}
    for account in ACCOUNTS:
        next_operation(session, "system")
        data = UserCreate(
            name=account.title,
            username=account.username,
            email=account.username,
            profile_id=account.profile,
            department=account.department,
            manager_id=people[account.manager] if account.manager else None,
            locale=account.locale,
            time_zone=account.time_zone,
        )
        people[account.name] = (await users.create(session, access, USERS, data)).id
    next_operation(session, "system")
    form = await records.create(session, access, FORMS, CONTACT)
    for workflow_id in await session.scalars(access.rows(Workflow).with_only_columns(Workflow.id)):
        next_operation(session, "system")
        await workflows.change(session, access, workflow_id, SWITCHED_ON, None)
    return people, form.id
