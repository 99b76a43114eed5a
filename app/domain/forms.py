"""What is different about writing forms: who may say whose their leads are."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Record
from app.db.models.forms import Form
from app.domain import owning, records
from app.domain.entities.fields import Entity
from app.domain.entities.forms import FormCreate, FormUpdate
from app.errors import FieldError, Forbidden
from app.policies.access import Access


async def create(session: AsyncSession, access: Access, entity: Entity, data: FormCreate) -> Record:
    """As any record; to give its leads to somebody else takes the right to assign leads."""
    _may_give_leads(access, data)
    made = await records.create(session, access, entity, data)
    await owning.check(session, access, "leads", "lead_owner_id", data.lead_owner_id)
    return made


async def change(session: AsyncSession, access: Access, entity: Entity, record: Record, data: FormUpdate) -> None:
    """As any record; the same holds."""
    assert isinstance(record, Form)
    gives = data.lead_owner_id != record.lead_owner_id
    if gives:
        _may_give_leads(access, data)
    await records.change(session, access, entity, record, data)
    if gives:
        await owning.check(session, access, "leads", "lead_owner_id", data.lead_owner_id)


def _may_give_leads(access: Access, data: FormCreate | FormUpdate) -> None:
    if data.lead_owner_id not in (None, access.user_id) and not access.may("leads", "assign"):
        raise Forbidden(
            "Your profile may not assign leads to others",
            errors=[FieldError("/lead_owner_id", "forbidden", "Needs the right to assign leads")],
        )
