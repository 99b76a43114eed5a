"""What an activity is: something done, or to do, with a customer, a lead, or for oneself; and when it is in order."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from app import clock
from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import MOST, ExternalIds, Participant, Tags
from app.domain.entities.values import Count, Instant, Line, LongText, OrNull, is_after_today, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError

Kind = Literal["call", "email", "meeting", "visit", "message", "task", "note"]
# Where it matters who came to whom.
DIRECTED = ("call", "email", "visit", "message")
# Under this key the settings say what is told of every activity that is done.
REPORTS = "activity_reports"


class Plan(Fields):
    """What is to be done, when, and by whom."""

    kind: Annotated[Kind, Field(title="Kind"), Spec(filter=True)]
    subject: Annotated[Line, Field(title="Subject"), Spec(filter=True, sort=True, search=True)]
    body: Annotated[OrNull[LongText], Field(title="Text")] = None
    objective: Annotated[str | None, Field(title="Objective"), Spec(filter=True, picklist="objective")] = None
    purpose: Annotated[Literal["sales", "service"] | None, Field(title="Purpose"), Spec(filter=True)] = None
    direction: Annotated[
        Literal["in", "out"] | None,
        Field(title="Direction", description="Of calls, e-mails, visits and messages."),
        Spec(filter=True),
    ] = None
    due_at: Annotated[
        Instant | None,
        Field(
            title="Due",
            description="With `all_day`: any instant of that day, kept as its beginning in the company's time zone. "
            "Left out beside `starts_at`: that.",
        ),
        Spec(filter=True, sort=True),
    ] = None
    all_day: Annotated[bool, Field(title="All day"), Spec(filter=True)] = False
    starts_at: Annotated[Instant | None, Field(title="Starts at"), Spec(filter=True, sort=True)] = None
    ends_at: Annotated[Instant | None, Field(title="Ends at"), Spec(filter=True)] = None
    priority: Annotated[
        int | None,
        Field(title="Priority", description="1 is the most urgent.", ge=1, le=5),
        Spec(filter=True, sort=True),
    ] = None
    owner_id: Annotated[UUID | None, Field(title="Owner"), Spec(filter=True, refers_to="users")] = None
    contacts: Annotated[
        list[Participant],
        Field(title="Contacts", description="Of the activity's customer.", max_length=MOST),
        Spec(unlisted=True, importable=False),
    ] = []
    location: Annotated[OrNull[Line], Field(title="Location")] = None
    tags: Tags = []


class ActivityFields(Plan):
    customer_id: Annotated[
        UUID | None,
        Field(title="Customer", description="Left out: that of the opportunity or lead that it is about."),
        Spec(filter=True, refers_to="customers"),
    ] = None
    opportunity_id: Annotated[
        UUID | None,
        Field(title="Opportunity", description="It is about an opportunity, a lead or neither."),
        Spec(filter=True, refers_to="opportunities"),
    ] = None
    lead_id: Annotated[UUID | None, Field(title="Lead"), Spec(filter=True, refers_to="leads")] = None


class Report(Fields):
    """How it ended."""

    outcome: Annotated[str | None, Field(title="Outcome"), Spec(filter=True, picklist="outcome")] = None
    report: Annotated[OrNull[LongText], Field(title="Report")] = None
    done_at: Annotated[
        Instant | None,
        Field(title="Done at", description="Not in the future. Left out for what is done: now."),
        Spec(filter=True, sort=True),
    ] = None
    duration_seconds: Annotated[Count | None, Field(title="Duration", description="Seconds."), Spec(filter=True)] = None


class ActivityCreate(Report, ActivityFields):
    """A new activity. Left without `owner_id` it is yours."""

    state: Annotated[
        Literal["planned", "done"] | None,
        Field(title="State", description="Left out: done for a note or with `done_at`, else planned."),
        Spec(filter=True),
    ] = None


@partial
class ActivityUpdate(Report, ActivityFields):
    """The fields of an activity to change; the rest stay as they are, null clears. Done by POST …/done."""

    state: Annotated[
        Literal["planned", "cancelled"],
        Field(title="State", description="Cancelled, or planned again."),
        Spec(filter=True),
    ]


@readable
class ActivityRead(Report, ActivityFields, RecordFields):
    """An activity, with the fields that your profile sees."""

    state: Annotated[Literal["planned", "done", "cancelled"], Field(title="State"), Spec(filter=True)]
    workflow_run_id: Annotated[UUID | None, Field(title="Workflow run"), Spec(filter=True)]
    external_ids: ExternalIds


class FollowUp(Plan):
    """The step after: with the same customer, about the same, and left without `owner_id` the same owner's."""


class ActivityDone(Report):
    """How an activity ended, and what comes next."""

    next_activity: Annotated[FollowUp | None, Field(title="Next activity")] = None


class AsDone(Report):
    """The change that ends an activity."""

    state: Literal["done"] = "done"


def complete(new: Values, given: set[str], vocabulary: Vocabulary, now: datetime | None = None) -> Values:
    """State, when it is due and was done, search text.

    now: the present instant for what comes from a file, whose rows may say no more than a day.
    """
    is_row, now = now is not None, now or clock.now()
    state = new.get("state") or ("done" if new["kind"] == "note" or new["done_at"] else "planned")
    problems = [*_wrong(new, given, vocabulary)]
    out: Values = {"state": state, "search_open": search_text(new["subject"])}
    if state == "done":
        out["done_at"] = new["done_at"] or now
        late = is_after_today(out["done_at"], now, vocabulary.time_zone) if is_row else out["done_at"] > now
        if late and "done_at" in given:
            problems.append(FieldError("/done_at", "in_the_future", "It cannot be done later than now"))
        if given & {"state", "kind", "outcome", "report", "duration_seconds"}:
            problems += _untold(new, vocabulary)
    elif "done_at" in given and new["done_at"] is not None:
        problems.append(FieldError("/done_at", "not_applicable", "Only what is done was done some day"))
    elif new["done_at"] is not None:
        # Planned again: how it ended is still to come; the words of the report are kept.
        out |= {"done_at": None, "outcome": new["outcome"] if "outcome" in given else None}
    if given & {"due_at", "starts_at", "all_day"}:
        out["due_at"] = _due(new, given, vocabulary.time_zone)
        if new["all_day"] and out["due_at"] is None:
            problems.append(rules.required("due_at"))
    if problems:
        raise rules.invalid(problems)
    return out


def _due(new: Values, given: set[str], time_zone: str) -> datetime | None:
    due: datetime | None = new["due_at"]
    if "starts_at" in given and (due is None or "due_at" not in given):
        due = new["starts_at"] or due
    if due is None or not new["all_day"]:
        return due
    zone = ZoneInfo(time_zone)
    return datetime.combine(due.astimezone(zone).date(), time(), zone).astimezone(UTC)


def _wrong(new: Values, given: set[str], vocabulary: Vocabulary) -> Iterator[FieldError]:
    """What does not go together, of what is given."""
    kind = new["kind"]
    if given & {"opportunity_id", "lead_id"} and new["opportunity_id"] is not None and new["lead_id"] is not None:
        name = "lead_id" if "lead_id" in given else "opportunity_id"
        yield FieldError(f"/{name}", "about_several", "It is about an opportunity or a lead, not both")
    for name in ("objective", "outcome"):
        option = vocabulary.options.get(name, {}).get(new[name] or "")
        if given & {name, "kind"} and option is not None and not option.suits(kind):
            yield FieldError(f"/{name}", "not_applicable", f"Not an {name} of this kind of activity")
    if given & {"direction", "kind"} and new["direction"] is not None and kind not in DIRECTED:
        yield FieldError("/direction", "not_applicable", f"Only of {', '.join(DIRECTED)}")
    if given & {"starts_at", "ends_at"} and new["ends_at"] is not None:
        if new["starts_at"] is None:
            yield rules.required("starts_at")
        elif new["ends_at"] < new["starts_at"]:
            yield FieldError("/ends_at", "ends_before_it_starts", "It cannot end before it starts")


def _untold(new: Values, vocabulary: Vocabulary) -> Iterator[FieldError]:
    """What the company wants to be told of what is done; an outcome only of kinds that have outcomes."""
    has_outcomes = any(
        each.active and each.suits(new["kind"]) for each in vocabulary.options.get("outcome", {}).values()
    )
    for name in vocabulary.minimum_information.get(REPORTS, ()):
        if rules.is_blank(new.get(name)) and (name != "outcome" or has_outcomes):
            yield rules.required(name)


ACTIVITIES = Entity(
    "activities", "activity", ActivityRead, ActivityCreate, ActivityUpdate, complete, children=("contacts",)
)
