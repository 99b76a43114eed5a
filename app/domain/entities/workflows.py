"""What workflows and their runs are, and what a company may set in each of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, ValidationError

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.picklists import Labels
from app.domain.entities.picklists import complete as nothing_follows
from app.domain.entities.values import Instant, Line, Short, did_you_mean
from app.errors import FieldError, escaped


class WebLeadOptions(Fields):
    """Of `web_lead`. profiles: whose users take turns in calling; create_opportunity: make one at once."""

    profiles: Annotated[list[Short], Field(min_length=1, max_length=20)] = ["sales"]
    create_opportunity: bool = False


class StalledOptions(Fields):
    """Of `stalled_opportunity`. days: after how many times 24 hours in its stage; include_imported: also where the
    stay in the stage came by import; start_from_now: leave alone what is due already when it is switched on or these
    options change."""

    days: Annotated[int, Field(ge=1, le=3650)] = 10
    include_imported: bool = False
    start_from_now: bool = False


OPTIONS: dict[str, type[Fields]] = {"web_lead": WebLeadOptions, "stalled_opportunity": StalledOptions}

_CODES = {"extra_forbidden": "unknown_field", "missing": "required_information"}


def checked_options(key: str, options: Values) -> Values:
    """A workflow's options in full. Raises `Invalid` with all that is wrong."""
    model = OPTIONS[key]
    try:
        return model.model_validate(options).model_dump(mode="json")
    except ValidationError as error:
        raise rules.invalid([_problem(model, dict(each)) for each in error.errors(include_input=False)]) from None


def _problem(model: type[Fields], error: Values) -> FieldError:
    pointer = "/options" + "".join(f"/{escaped(part)}" for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return FieldError(pointer, str(_CODES.get(error["type"], error["type"])), str(error["msg"]))
    hint = did_you_mean(str(error["loc"][-1]), model.model_fields)
    return FieldError(pointer, "unknown_field", f"No such option{hint}")


class WorkflowFields(Fields):
    enabled: Annotated[bool, Field(title="Enabled"), Spec(filter=True)]
    options: Annotated[
        dict[str, Any],
        Field(
            title="Options",
            description="Of `web_lead`: `profiles`, whose users take turns in calling, and `create_opportunity`. "
            "Of `stalled_opportunity`: `days`, `include_imported` and `start_from_now`. Those left out stay.",
        ),
    ]


@partial
class WorkflowUpdate(WorkflowFields):
    """Switch a workflow on or off, or set its options; those left out stay as they are."""


@readable
class WorkflowRead(WorkflowFields, RecordFields):
    """What follows from what: when this happens, or when so much time has passed, do that."""

    key: Annotated[str, Field(title="Key"), Spec(filter=True, sort=True)]
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True)]
    labels: Labels
    trigger: Annotated[dict[str, Any], Field(title="Trigger")]
    owner_id: Annotated[UUID | None, Field(title="Owner", description="In whose name it acts; none: the product's.")]


@readable
class WorkflowRunRead(RecordFields):
    """One episode of one record, handled once."""

    workflow_id: Annotated[UUID, Field(title="Workflow"), Spec(filter=True)]
    entity: Annotated[str, Field(title="Entity"), Spec(filter=True)]
    record_id: Annotated[UUID, Field(title="Record"), Spec(filter=True)]
    episode: Annotated[str, Field(title="Episode", description="What made it due; of one there is one run.")]
    state: Annotated[Literal["done", "skipped", "failed"], Field(title="State"), Spec(filter=True)]
    reason: Annotated[str | None, Field(title="Why it was skipped or failed")]
    due_at: Annotated[Instant, Field(title="Due at"), Spec(filter=True, sort=True)]
    finished_at: Annotated[Instant | None, Field(title="Finished at"), Spec(filter=True, sort=True)]
    assigned_to: Annotated[UUID | None, Field(title="Given to", description="Whose the work is."), Spec(filter=True)]
    steps: Annotated[list[dict[str, Any]], Field(title="Steps", description="What was done, in order.")]


WORKFLOWS = Entity("workflows", "workflow", WorkflowRead, Fields, WorkflowUpdate, nothing_follows)
WORKFLOW_RUNS = Entity("workflow_runs", "workflow_run", WorkflowRunRead, Fields, Fields, nothing_follows)
