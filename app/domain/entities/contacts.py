"""What a contact is: a person at a customer."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.entities import rules
from app.domain.entities.customers import SEGMENTATION, contact_details_text
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import MOST, ContactDetails, ExternalIds, PersonalProfile, Tags, Trait
from app.domain.entities.values import Language, Line, OrNull, TimeZone, fold, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Invalid

PersonName = OrNull[Annotated[Line, StringConstraints(max_length=100)]]


class _Contact(Fields):
    customer_id: Annotated[UUID, Field(title="Customer"), Spec(filter=True, refers_to="customers")]
    salutation: Annotated[str | None, Field(title="Salutation"), Spec(picklist="salutation")] = None
    first_name: Annotated[PersonName, Field(title="First name"), Spec(filter=True, search=True, personal=True)] = None
    last_name: Annotated[PersonName, Field(title="Last name"), Spec(filter=True, search=True, personal=True)] = None
    job_title: Annotated[OrNull[Line], Field(title="Job title"), Spec(filter=True)] = None
    department: Annotated[str | None, Field(title="Department"), Spec(filter=True, picklist="department")] = None
    role: Annotated[str | None, Field(title="Role"), Spec(filter=True, picklist="contact_role")] = None
    reports_to_id: Annotated[UUID | None, Field(title="Reports to"), Spec(filter=True, refers_to="contacts")] = None
    primary: Annotated[bool, Field(title="Primary"), Spec(filter=True)] = False
    former: Annotated[bool, Field(title="Former", description="No longer at the customer."), Spec(filter=True)] = False
    tags: Tags = []
    preferred_language: Annotated[
        OrNull[Language], Field(title="Preferred language"), Spec("contact_details", filter=True)
    ] = None
    time_zone: Annotated[OrNull[TimeZone], Field(title="Time zone"), Spec("contact_details")] = None
    traits: Annotated[list[Trait], Field(title="Traits", max_length=MOST), Spec(SEGMENTATION, importable=False)] = []


class ContactFields(PersonalProfile, ContactDetails, _Contact):
    """What a contact consists of. In answers the last of these comes first."""


class ContactCreate(ContactFields):
    """A new contact of a customer: a first name, a last name or both."""


@partial
class ContactUpdate(ContactFields):
    """The fields of a contact to change; the rest stay as they are, null clears."""


@readable
class ContactRead(ContactFields, RecordFields):
    """A contact, with the fields that your profile sees."""

    name: Annotated[str, Field(title="Name", description="First and last name."), Spec(filter=True, sort=True)]
    external_ids: ExternalIds


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Name, telephones and search texts of a contact."""
    problems: list[FieldError] = []
    out: Values = {"name": " ".join(filter(None, (new["first_name"], new["last_name"])))}
    if not out["name"]:
        problems.append(rules.required("last_name"))
    if "phones" in given:
        country = rules.primary_address(new["addresses"]).get("country") or vocabulary.country
        out["phones"] = rules.telephones(new["phones"], country, problems)
    if "emails" in given:
        out["emails"] = rules.one_primary(new["emails"])
    rules.birth_date(new, problems)
    if problems:
        raise Invalid("", errors=problems)
    return out | {
        "name_key": fold(out["name"]),
        "search_open": search_text(out["name"]),
        "search_contact_details": contact_details_text(new | out),
    }


def match_keys(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By what another record may turn out to be the same person."""
    yield "name", record["name_key"]
    for email in record.get("emails") or ():
        yield "email", email["address"].casefold()
    for phone in record.get("phones") or ():
        yield "phone", phone["number"]


CONTACTS = Entity("contacts", "contact", ContactRead, ContactCreate, ContactUpdate, complete, match_keys=match_keys)
