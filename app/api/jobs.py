"""What has been promised to be done later, over HTTP: what waits, what failed and why, and to have that done again."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import Caller, IdempotencyKey, Session
from app.api.render import PRIVATE, Page, kept
from app.api.routers import Router
from app.domain import retrying
from app.domain.entities.values import Instant

router = Router(prefix="/jobs", tags=["jobs"])

LARGEST = 2**63 - 1

JobId = Annotated[int, Path(ge=1, le=LARGEST, description="The job's id.")]
State = Literal["pending", "running", "done", "failed"]
# Those of `app.db.jobs.Job`, in the document where they are asked for, as other choices are.
Kind = Literal[
    "load_import", "run_workflow", "scan_stays", "send_message", "send_password_link", "take_submission", "tidy"
]


class JobRead(BaseModel):
    """A job. What is done is kept for 7 days, what failed until it is retried."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str = Field(description="What is done, as the list is filtered by it.")
    state: State
    payload: dict[str, Any] = Field(description="The ids of what it is about.")
    run_as: UUID | None = Field(description="The user in whose name it is done; null: the product itself.")
    run_at: Instant = Field(description="When it is due, or was.")
    attempts: int
    done_at: Instant | None
    last_error: str | None = Field(description="Why the last attempt failed, without the values at hand.")


@router.get("", response_model=Page[JobRead])
async def list_jobs(
    session: Session,
    access: Caller,
    state: State | None = None,
    kind: Kind | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")
    ] = None,
) -> Response:
    """List what is to be done in the background, the newest first: all, or what works for those whom you reach."""
    found = await retrying.read_page(session, access, state, kind, int(cursor) if cursor else None, limit + 1)
    items = [JobRead.model_validate(each) for each in found[:limit]]
    following = str(items[-1].id) if len(found) > limit else None
    page = Page[JobRead](items=items, next_cursor=following, total=None)
    return Response(page.model_dump_json(), 200, PRIVATE, "application/json")


@router.get("/{id}", response_model=JobRead)
async def read_job(session: Session, access: Caller, id: JobId) -> Response:
    """Read a job."""
    return _answer(await retrying.read(session, access, id))


@router.post("/{id}/retry", response_model=JobRead)
async def retry_job(session: Session, access: Caller, id: JobId, key: IdempotencyKey = None) -> Response:
    """Have a job that failed done from the beginning; what it is about must be yours to change.

    It is due at once, or `done` where the same has been promised anew meanwhile.
    """
    return await kept(session, _answer(await retrying.retry(session, access, id)))


def _answer(job: Any) -> Response:
    return Response(JobRead.model_validate(job).model_dump_json(), 200, PRIVATE, "application/json")
