"""What does a worker do with what a visitor sent by a form?"""

from app.domain import form_leads
from app.jobs.job import Run
from app.policies.access import Access, Reason


async def take_submission(run: Run) -> None:
    async with run.transaction("form", last=True) as (session, access):
        await form_leads.take(session, Access.system(Reason.FORM, access.vocabulary), run.id_of("submission_id"))
