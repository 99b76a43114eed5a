"""What does each kind of job do?"""

from app.db.jobs import Job
from app.jobs.imports import given_up, load_import
from app.jobs.job import GivenUp, Handler
from app.jobs.tidy import tidy

HANDLERS: dict[Job, Handler] = {
    Job.LOAD_IMPORT: load_import,
    Job.TIDY: tidy,
}

# What follows when a job of the kind is given up.
GIVEN_UP: dict[Job, GivenUp] = {Job.LOAD_IMPORT: given_up}
