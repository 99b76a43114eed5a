"""What does each kind of job do?"""

from app.db.jobs import Job
from app.jobs import imports, mail, password_links, submissions, workflows
from app.jobs.job import GivenUp, Handler
from app.jobs.tidy import tidy

HANDLERS: dict[Job, Handler] = {
    Job.LOAD_IMPORT: imports.load_import,
    Job.RUN_WORKFLOW: workflows.run_workflow,
    Job.SCAN_STAYS: workflows.scan_stays,
    Job.SEND_MESSAGE: mail.send_message,
    Job.SEND_PASSWORD_LINK: password_links.send_password_link,
    Job.TAKE_SUBMISSION: submissions.take_submission,
    Job.TIDY: tidy,
}

# What follows when a job of the kind is given up.
GIVEN_UP: dict[Job, GivenUp] = {
    Job.LOAD_IMPORT: imports.given_up,
    Job.RUN_WORKFLOW: workflows.given_up,
    Job.SEND_MESSAGE: mail.given_up,
}
