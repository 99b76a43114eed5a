"""The lists that customers, contacts and their like carry: telephones, e-mails, addresses, dates and so on."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.domain.entities.fields import Fields, Spec
from app.domain.entities.values import (
    Country,
    Day,
    Email,
    ForeignId,
    Instant,
    Line,
    LongLine,
    OrNull,
    PhoneKind,
    Short,
    System,
    check_partial_date,
    label_key,
)

MOST = 50


def _each_once(tags: list[str]) -> list[str]:
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(label_key(tag), tag)
    return list(found.values())


class Phone(Fields):
    kind: Annotated[PhoneKind, Field(title="Kind")] = "landline"
    number: Annotated[Short, Field(title="Number", description="Stored as E.164, such as +34912345678.")]
    primary: Annotated[bool, Field(title="Primary")] = False


class EmailAddress(Fields):
    address: Annotated[Email, Field(title="Address")]
    primary: Annotated[bool, Field(title="Primary")] = False
    invalid: Annotated[bool, Field(title="Invalid", description="Messages to it came back.")] = False


class Address(Fields):
    kind: Annotated[str, Field(title="Kind"), Spec(picklist="address_kind")] = "main"
    street: Annotated[OrNull[Line], Field(title="Street")] = None
    city: Annotated[OrNull[Line], Field(title="City")] = None
    municipality: Annotated[OrNull[Line], Field(title="Municipality")] = None
    province: Annotated[OrNull[Line], Field(title="Province")] = None
    region: Annotated[OrNull[Line], Field(title="Region")] = None
    postal_code: Annotated[OrNull[Short], Field(title="Postal code")] = None
    country: Annotated[OrNull[Country], Field(title="Country", description="ISO 3166-1 alpha-2.")] = None


class SocialProfile(Fields):
    network: Annotated[str, Field(title="Network"), Spec(picklist="social_network")]
    handle: Annotated[Line, Field(title="Handle")]


class Trait(Fields):
    kind: Annotated[str, Field(title="Kind"), Spec(picklist="trait")]
    values: Annotated[list[Line], Field(title="Values", min_length=1, max_length=MOST)]


class PartialDate(Fields):
    """A day that comes round each year; any part may be unknown."""

    day: Annotated[int | None, Field(title="Day", ge=1, le=31)] = None
    month: Annotated[int | None, Field(title="Month", ge=1, le=12)] = None
    year: Annotated[int | None, Field(title="Year", ge=1800, le=2200)] = None

    @model_validator(mode="after")
    def _exists(self) -> Any:
        check_partial_date(self.day, self.month, self.year)
        return self


class ImportantDate(PartialDate):
    label: Annotated[Line, Field(title="Label")]


class Relative(Fields):
    relation: Annotated[Short, Field(title="Relation")]
    name: Annotated[Line, Field(title="Name")]
    birth_date: Annotated[Day | None, Field(title="Birth date")] = None


class ExternalId(Fields):
    """By what another system knows the record."""

    system: Annotated[System, Field(title="System")]
    external_id: Annotated[ForeignId, Field(title="External id")]


class Participant(Fields):
    """A contact who has a say in it."""

    contact_id: Annotated[UUID, Field(title="Contact"), Spec(refers_to="contacts")]
    role: Annotated[str | None, Field(title="Role"), Spec(picklist="contact_role")] = None


Tags = Annotated[
    list[Short],
    Field(title="Tags", max_length=MOST, description="Each once: of those alike but for case and blanks the first."),
    AfterValidator(_each_once),
    Spec(filter=True),
]
ExternalIds = Annotated[
    list[ExternalId],
    Field(title="External ids", description="Set by PUT …/by/{system}/{external_id}."),
    Spec(unlisted=True),
]
NextActivity = Annotated[
    Instant | None,
    Field(title="Next activity", description="When the next planned one is due."),
    Spec(filter=True, sort=True, derived_from="activities"),
]
LastActivity = Annotated[
    Instant | None,
    Field(title="Last activity", description="When the last one was done."),
    Spec(filter=True, sort=True, derived_from="activities"),
]


class ContactDetails(Fields):
    """How to reach a customer or a contact."""

    phones: Annotated[
        list[Phone], Field(title="Phones", max_length=MOST), Spec("contact_details", search=True, personal=True)
    ] = []
    emails: Annotated[
        list[EmailAddress], Field(title="E-mails", max_length=MOST), Spec("contact_details", search=True, personal=True)
    ] = []
    addresses: Annotated[
        list[Address], Field(title="Addresses", max_length=MOST), Spec("contact_details", personal=True)
    ] = []
    social_profiles: Annotated[
        list[SocialProfile], Field(title="Social profiles", max_length=MOST), Spec("contact_details", personal=True)
    ] = []
    preferred_channel: Annotated[
        str | None, Field(title="Preferred channel"), Spec("contact_details", filter=True, picklist="preferred_channel")
    ] = None


class PersonalProfile(Fields):
    """What a good seller remembers of a person."""

    birth_day: Annotated[
        int | None, Field(title="Day of birth", ge=1, le=31), Spec("personal_profile", filter=True, personal=True)
    ] = None
    birth_month: Annotated[
        int | None, Field(title="Month of birth", ge=1, le=12), Spec("personal_profile", filter=True, personal=True)
    ] = None
    birth_year: Annotated[
        int | None, Field(title="Year of birth", ge=1800, le=2200), Spec("personal_profile", filter=True, personal=True)
    ] = None
    important_dates: Annotated[
        list[ImportantDate], Field(title="Important dates", max_length=MOST), Spec("personal_profile", personal=True)
    ] = []
    relatives: Annotated[
        list[Relative], Field(title="Relatives", max_length=MOST), Spec("personal_profile", personal=True)
    ] = []
    hobbies: Annotated[
        list[LongLine], Field(title="Hobbies", max_length=MOST), Spec("personal_profile", personal=True)
    ] = []
