"""Activities over HTTP."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from app.api import render
from app.api.claiming import add_claim_route
from app.api.deps import Caller, Id, IdempotencyKey, Session
from app.api.records import record_routes
from app.domain import activities
from app.domain.entities.activities import ACTIVITIES, ActivityDone, ActivityRead

router = record_routes(ACTIVITIES, activities.create, activities.change)
add_claim_route(router, ACTIVITIES)


class ActivityDoneRead(ActivityRead):
    """The activity that is done, and the one that comes next, if there is one."""

    next_activity: Annotated[ActivityRead | None, Field(title="Next activity")]


@router.post("/{id}/done", response_model=ActivityDoneRead)
async def finish_activity(
    session: Session, access: Caller, id: Id, data: ActivityDone, key: IdempotencyKey = None
) -> Response:
    """Say that an activity is done, how it ended, and plan the next one: all of it, or nothing."""
    done, following = await activities.end(session, access, id, data)
    answer = await render.shown(session, access, ACTIVITIES, done.id)
    after = b"null"
    if following is not None:
        after = bytes((await render.shown(session, access, ACTIVITIES, following.id)).body)
    body = bytes(answer.body)[:-1] + b',"next_activity":' + after + b"}"
    headers = {"ETag": answer.headers["etag"], **render.PRIVATE}
    return await render.kept(session, Response(body, 200, headers, "application/json"))
