"""What a lead is: a potential customer as it was first captured."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.entities import rules, stages
from app.domain.entities.contacts import PersonName
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import MOST, Address, EmailAddress, ExternalIds, Phone, SocialProfile, Tags
from app.domain.entities.stages import Move, Staged
from app.domain.entities.values import (
    Instant,
    Language,
    Line,
    LongText,
    OrNull,
    Website,
    domain_of,
    fold,
    in_unicode,
    search_text,
)
from app.domain.entities.vocabulary import Pipeline, Stage, Vocabulary
from app.errors import FieldError, Invalid


class LeadFields(Fields):
    title: Annotated[OrNull[Line], Field(title="Title", description="What it is about."), Spec(filter=True)] = None
    first_name: Annotated[PersonName, Field(title="First name"), Spec(filter=True, search=True, personal=True)] = None
    last_name: Annotated[PersonName, Field(title="Last name"), Spec(filter=True, search=True, personal=True)] = None
    company_name: Annotated[OrNull[Line], Field(title="Company"), Spec(filter=True, search=True)] = None
    job_title: Annotated[OrNull[Line], Field(title="Job title"), Spec(filter=True)] = None
    emails: Annotated[
        list[EmailAddress], Field(title="E-mails", max_length=MOST), Spec(search=True, personal=True)
    ] = []
    phones: Annotated[list[Phone], Field(title="Phones", max_length=MOST), Spec(search=True, personal=True)] = []
    addresses: Annotated[list[Address], Field(title="Addresses", max_length=MOST), Spec(personal=True)] = []
    social_profiles: Annotated[
        list[SocialProfile], Field(title="Social profiles", max_length=MOST), Spec(personal=True)
    ] = []
    website: Annotated[OrNull[Website], Field(title="Website"), Spec(filter=True, search=True)] = None
    preferred_language: Annotated[OrNull[Language], Field(title="Preferred language"), Spec(filter=True)] = None
    preferred_channel: Annotated[
        str | None, Field(title="Preferred channel"), Spec(filter=True, picklist="preferred_channel")
    ] = None
    sector: Annotated[str | None, Field(title="Sector"), Spec(filter=True, picklist="sector")] = None
    channel: Annotated[
        str | None, Field(title="Channel", description="By which it came."), Spec(filter=True, picklist="channel")
    ] = None
    request: Annotated[
        Literal["information", "quote", "purchase"] | None,
        Field(title="Request", description="What was asked for."),
        Spec(filter=True),
    ] = None
    message: Annotated[OrNull[LongText], Field(title="Message", description="In their own words.")] = None
    owner_id: Annotated[UUID | None, Field(title="Owner"), Spec(filter=True, refers_to="users")] = None
    customer_id: Annotated[
        UUID | None, Field(title="Customer", description="Whose lead it is, where known."),
        Spec(filter=True, refers_to="customers"),
    ] = None  # fmt: skip
    tags: Tags = []


class LeadCreate(LeadFields):
    """A new lead, in the first stage. It needs a name, a company, an e-mail or a phone. Left without `owner_id` it is
    yours."""


@partial
class LeadUpdate(LeadFields):
    """The fields of a lead to change; the rest stay as they are, null clears. Its stage moves by POST …/stage."""


@readable
class LeadRead(LeadFields, RecordFields):
    """A lead, with the fields that your profile sees."""

    name: Annotated[str, Field(title="Name", description="Person and company."), Spec(filter=True, sort=True)]
    form_id: Annotated[UUID | None, Field(title="Form"), Spec(filter=True)]
    utm: Annotated[dict[str, str], Field(title="UTM", description="Where the visitor came from: source, medium, …")]
    pipeline_id: Annotated[UUID, Field(title="Pipeline"), Spec(filter=True)]
    stage: Annotated[str, Field(title="Stage"), Spec(filter=True)]
    stage_kind: Annotated[
        Literal["open", "won", "lost"],
        Field(title="Kind of stage", description="open, won (converted) or lost (discarded)."),
        Spec(filter=True),
    ]
    stage_entered_at: Annotated[Instant, Field(title="In its stage since"), Spec(filter=True, sort=True)]
    discard_reason: Annotated[
        str | None, Field(title="Reason it was discarded"), Spec(filter=True, picklist="discard_reason")
    ]
    first_response_at: Annotated[Instant | None, Field(title="First answered at"), Spec(filter=True, sort=True)]
    converted_at: Annotated[Instant | None, Field(title="Converted at"), Spec(filter=True, sort=True)]
    contact_id: Annotated[UUID | None, Field(title="Contact"), Spec(filter=True)]
    opportunity_id: Annotated[UUID | None, Field(title="Opportunity"), Spec(filter=True)]
    external_ids: ExternalIds


class LeadMove(Move):
    """Where a lead goes. `discard_reason` with a stage of kind lost, and only there. Converting is POST …/convert."""

    discard_reason: Annotated[str | None, Field(title="Reason it was discarded"), Spec(picklist="discard_reason")] = (
        None
    )


STAGED = Staged(
    reason="discard_reason",
    entered=("open", "lost"),
    reopened=("lost",),
    required={"won": ("customer_id",), "lost": ("discard_reason",)},
)


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Name, telephones, search text and, for a new one, the stage it begins in."""
    problems: list[FieldError] = []
    out: Values = {}
    if "phones" in given:
        country = rules.primary_address(new["addresses"]).get("country") or vocabulary.country
        out["phones"] = rules.telephones(new["phones"], country, problems)
    if "emails" in given:
        out["emails"] = rules.one_primary(new["emails"])
    if new.get("stage_kind") == "won" and new["customer_id"] is None:
        problems.append(rules.required("customer_id"))
    whole = new | out
    reached_by = [each["address"] for each in whole["emails"]] + [each["number"] for each in whole["phones"]]
    out["name"] = ", ".join(filter(None, (person(new), new["company_name"]))) or next(iter(reached_by), "")
    if not out["name"]:
        problems.append(rules.required("last_name"))
    if problems:
        raise Invalid("", errors=problems)
    if "stage" not in new:
        pipeline = vocabulary.default_pipeline("leads")
        out |= {"pipeline_id": pipeline.id, "stage": pipeline.first.key, "stage_kind": pipeline.first.kind}
    return out | {
        "name_key": fold(out["name"]),
        "search_open": search_text(out["name"], new["title"], *_website(new["website"]), *reached_by),
    }


def _website(website: str | None) -> tuple[str, ...]:
    """The texts by which a web site is found: as it is, and with its domain as people write it."""
    if website is None:
        return ()
    return tuple(dict.fromkeys((website, website.replace(domain := domain_of(website), in_unicode(domain)))))


def person(lead: Mapping[str, Any]) -> str:
    """First and last name; empty where neither is known."""
    return " ".join(filter(None, (lead["first_name"], lead["last_name"])))


def match_keys(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By what another record may turn out to be the same person or company."""
    if name := person(record):
        yield "name", fold(name)
    if record["company_name"]:
        yield "company", fold(record["company_name"])
    if record["website"]:
        yield "domain", domain_of(record["website"])
    for email in record["emails"]:
        yield "email", email["address"].casefold()
    for phone in record["phones"]:
        yield "phone", phone["number"]


def moved(
    record: Mapping[str, object],
    pipeline: Pipeline,
    move: LeadMove,
    vocabulary: Vocabulary,
    *,
    may_reopen: bool,
    at: datetime,
) -> Values:
    """The values that a move changes. Raises as `stages.moved` does."""
    return stages.moved(record, pipeline, move, STAGED, vocabulary, may_reopen=may_reopen)


def converted(pipeline: Pipeline) -> Stage:
    """Where a lead goes that is converted: the first won stage in use."""
    return next(stage for stage in pipeline.stages.values() if stage.kind == "won" and not stage.retired)


LEADS = Entity(
    "leads",
    "lead",
    LeadRead,
    LeadCreate,
    LeadUpdate,
    complete,
    stays=("stage",),
    match_keys=match_keys,
    moved=moved,
)
