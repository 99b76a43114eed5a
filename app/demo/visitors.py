"""Who has just written by the demo's form? Two people, whom the worker answers as soon as it runs."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db.models.forms import Form
from app.db.session import driver, next_operation, settle
from app.domain import consequences, form_leads, submissions
from app.domain.entities.submitted import read
from app.policies import callers
from app.policies.access import Reason

# Of the addresses that are kept for examples.
ADDRESS = "192.0.2.7"
PAGE = "https://www.brisacafe.example/contacto"
VISITORS = (
    (
        timedelta(minutes=25),
        "es",
        {
            "name": "Rosa Cabello",
            "email": "rosa@hostalcabello.example",
            "phone": "+34 612 345 678",
            "company_name": "Hostal Cabello",
            "message": "Abrimos en marzo y queremos una cafetera de dos grupos. ¿Pueden venir a verlo?",
            "consent": "yes",
        },
    ),
    (
        timedelta(minutes=4),
        "it",
        {
            "name": "Marco Bassi",
            "email": "marco.bassi@barbassi.example",
            "company_name": "Bar Bassi",
            "message": "Vorrei sapere quanto costa la manutenzione annuale.",
            "consent": "yes",
        },
    ),
)


async def write_in(session: AsyncSession, form_id: UUID, now: datetime) -> None:
    """Have them send the form."""
    access = await callers.system(await driver(session), Reason.FORM)
    form = consequences.values_of(await access.row(session, Form, form_id))
    for ago, language, sent in VISITORS:
        with clock.stopped_at(now - ago):
            next_operation(session, "form")
            submitted = read(form, sent, {}, access.vocabulary.country)
            visitor = submissions.Visitor(language, PAGE, submissions.address_hash(ADDRESS))
            kept = await submissions.keep(session, submissions.Opened(form, access), submitted, visitor)
            assert kept is not None
            # Done here as the worker does it, who then finds it done: they came some minutes ago.
            await form_leads.take(session, access, kept)
            await settle(session)
