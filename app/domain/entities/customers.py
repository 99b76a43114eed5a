"""What a customer is: a company or a person that buys or may buy; the centre of everything."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import (
    MOST,
    ContactDetails,
    ExternalIds,
    LastActivity,
    NextActivity,
    PersonalProfile,
    Tags,
    Trait,
)
from app.domain.entities.values import (
    Count,
    Country,
    Currency,
    Instant,
    Language,
    Line,
    LongLine,
    LongText,
    OrNull,
    Price,
    Short,
    TimeZone,
    Website,
    domain_of,
    fold,
    in_unicode,
    search_text,
)
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Invalid

SEGMENTATION, BILLING, PERSONAL = "segmentation", "billing", "personal_profile"


class Relation(Fields):
    """Another customer that this one has to do with."""

    customer_id: Annotated[UUID, Field(title="Customer"), Spec(refers_to="customers")]
    kind: Annotated[str, Field(title="Kind"), Spec(picklist="customer_relation")]


class Assignee(Fields):
    user_id: UUID
    role: Annotated[
        str | None, Field(description="owner, assignee, or null: only responsible for something of the customer.")
    ]


class _Customer(Fields):
    kind: Annotated[Literal["company", "person"], Field(title="Kind"), Spec(filter=True)] = "company"
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    legal_name: Annotated[OrNull[Line], Field(title="Legal name"), Spec(filter=True, search=True)] = None
    parent_id: Annotated[UUID | None, Field(title="Parent company"), Spec(filter=True, refers_to="customers")] = None
    relations: Annotated[list[Relation], Field(title="Relations", max_length=MOST), Spec(importable=False)] = []
    referred_by_id: Annotated[UUID | None, Field(title="Referred by"), Spec(filter=True, refers_to="customers")] = None
    owner_id: Annotated[UUID | None, Field(title="Owner"), Spec(filter=True, refers_to="users")] = None
    description: Annotated[OrNull[LongText], Field(title="Description")] = None
    website: Annotated[OrNull[Website], Field(title="Website"), Spec(filter=True, search=True)] = None
    employees: Annotated[Count | None, Field(title="Employees"), Spec(filter=True, sort=True)] = None
    annual_revenue: Annotated[Price | None, Field(title="Annual revenue"), Spec(filter=True, sort=True)] = None
    currency: Annotated[Currency | None, Field(title="Currency"), Spec(filter=True)] = None
    annual_revenue_band: Annotated[
        str | None,
        Field(
            title="Annual revenue band", description="Follows the annual revenue; given where only the band is known."
        ),
        Spec(filter=True, picklist="annual_revenue_band"),
    ] = None
    won_channel: Annotated[str | None, Field(title="Channel it was won by"), Spec(filter=True, picklist="channel")] = (
        None
    )
    tags: Tags = []
    preferred_language: Annotated[
        OrNull[Language], Field(title="Preferred language"), Spec("contact_details", filter=True)
    ] = None
    time_zone: Annotated[OrNull[TimeZone], Field(title="Time zone"), Spec("contact_details")] = None
    origin: Annotated[str | None, Field(title="Origin"), Spec(SEGMENTATION, filter=True, picklist="origin")] = None
    origin_detail: Annotated[OrNull[Line], Field(title="Origin in detail"), Spec(SEGMENTATION)] = None
    customer_type: Annotated[
        str | None, Field(title="Customer type"), Spec(SEGMENTATION, filter=True, picklist="customer_type")
    ] = None
    sector: Annotated[
        str | None, Field(title="Sector"), Spec(SEGMENTATION, filter=True, sort=True, picklist="sector")
    ] = None
    purchase_potential: Annotated[
        str | None, Field(title="Purchase potential"), Spec(SEGMENTATION, filter=True, picklist="purchase_potential")
    ] = None
    territory: Annotated[
        str | None, Field(title="Territory"), Spec(SEGMENTATION, filter=True, picklist="territory")
    ] = None
    lifecycle_stage: Annotated[
        str | None, Field(title="Lifecycle stage"), Spec(SEGMENTATION, filter=True, picklist="lifecycle_stage")
    ] = None
    traits: Annotated[list[Trait], Field(title="Traits", max_length=MOST), Spec(SEGMENTATION, importable=False)] = []
    tax_id: Annotated[
        OrNull[Annotated[Short, Field(max_length=32)]], Field(title="Tax id"), Spec(BILLING, filter=True)
    ] = None
    payment_terms_days: Annotated[
        int | None, Field(title="Payment terms in days", ge=0, le=3650), Spec(BILLING, filter=True)
    ] = None
    credit_limit: Annotated[Price | None, Field(title="Credit limit"), Spec(BILLING, filter=True, sort=True)] = None
    preferred_payment_method: Annotated[
        str | None, Field(title="Preferred payment method"), Spec(BILLING, filter=True, picklist="payment_method")
    ] = None
    rewards: Annotated[list[LongLine], Field(title="Rewards", max_length=MOST), Spec(PERSONAL)] = []


class CustomerFields(PersonalProfile, ContactDetails, _Customer):
    """What a customer consists of. In answers the last of these comes first."""


class CustomerCreate(CustomerFields):
    """A new customer. Left without `owner_id` it is yours."""


@partial
class CustomerUpdate(CustomerFields):
    """The fields of a customer to change; the rest stay as they are, null clears."""


@readable
class CustomerRead(CustomerFields, RecordFields):
    """A customer, with the fields that your profile sees."""

    number: Annotated[str, Field(title="Number"), Spec(filter=True, sort=True)]
    assigned: Annotated[bool, Field(title="Assigned", description="Whether it is anybody's."), Spec(filter=True)]
    assignees: Annotated[list[Assignee], Field(title="Assignees"), Spec(unlisted=True)]
    lead_id: Annotated[UUID | None, Field(title="Lead", description="From which it came."), Spec(filter=True)]
    next_activity_at: NextActivity
    last_activity_at: LastActivity
    external_ids: ExternalIds
    country: Annotated[
        Country | None, Field(title="Country", description="Of the primary address."), Spec(SEGMENTATION, filter=True)
    ]
    region: Annotated[
        str | None, Field(title="Region", description="Of the primary address."), Spec(SEGMENTATION, filter=True)
    ]
    province: Annotated[
        str | None, Field(title="Province", description="Of the primary address."), Spec(SEGMENTATION, filter=True)
    ]
    municipality: Annotated[
        str | None, Field(title="Municipality", description="Of the primary address."), Spec(SEGMENTATION, filter=True)
    ]
    lifecycle_stage_entered_at: Annotated[
        Instant | None, Field(title="In its lifecycle stage since"), Spec(SEGMENTATION, filter=True, sort=True)
    ]


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Telephones, money, band, geography and search texts of a customer."""
    problems: list[FieldError] = []
    address = rules.primary_address(new["addresses"])
    out: Values = {}
    if "addresses" in given:
        out |= {
            "country": address.get("country"),
            "region": address.get("region"),
            "province": address.get("province"),
            "municipality": address.get("municipality") or address.get("city"),
        }
    if "phones" in given:
        out["phones"] = rules.telephones(new["phones"], address.get("country") or vocabulary.country, problems)
    if "emails" in given:
        out["emails"] = rules.one_primary(new["emails"])
    rules.birth_date(new, problems)
    out |= rules.to_currency(new, ("annual_revenue", "credit_limit"), given, vocabulary)
    if given & {"annual_revenue", "currency", "annual_revenue_band"}:
        out["annual_revenue_band"] = _band(new | out, given, vocabulary)
    if problems:
        raise Invalid("", errors=problems)
    after = new | out
    domain = domain_of(after["website"]) if after["website"] else ""
    domains = dict.fromkeys((domain, in_unicode(domain)))
    return out | {
        "name_key": fold(after["name"]),
        "search_open": search_text(after["name"], after["legal_name"], *domains),
        "search_contact_details": contact_details_text(after),
    }


def contact_details_text(values: Values) -> str:
    return search_text(
        *(email["address"] for email in values["emails"]), *(phone["number"] for phone in values["phones"])
    )


def _band(new: Values, given: set[str], vocabulary: Vocabulary) -> str | None:
    """The band that the revenue falls in; without a revenue, or in another currency, the band as given."""
    revenue, said = new.get("annual_revenue"), new.get("annual_revenue_band")
    if revenue is None:
        return said if "annual_revenue" not in given or "annual_revenue_band" in given else None
    bands = [
        option
        for option in vocabulary.options.get("annual_revenue_band", {}).values()
        if option.active and option.currency == new["currency"]
    ]
    for band in bands:
        if (band.minimum or Decimal(0)) <= revenue and (band.maximum is None or revenue < band.maximum):
            return band.key
    return said if "annual_revenue_band" in given else None


def tax_id_key(text: str) -> str:
    """A tax id as it is compared: however it is spaced and punctuated."""
    return "".join(filter(str.isalnum, fold(text)))


def match_keys(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By what another record may turn out to be the same customer."""
    yield "name", record["name_key"]
    if record.get("tax_id"):
        yield "tax_id", tax_id_key(record["tax_id"])
    if record.get("website"):
        yield "domain", domain_of(record["website"])
    for email in record.get("emails") or ():
        yield "email", email["address"].casefold()
    for phone in record.get("phones") or ():
        yield "phone", phone["number"]


CUSTOMERS = Entity(
    "customers",
    "customer",
    CustomerRead,
    CustomerCreate,
    CustomerUpdate,
    complete,
    stays=("lifecycle_stage",),
    match_keys=match_keys,
)
