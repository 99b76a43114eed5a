"""What a user is: someone who signs in, with a profile that says what they may do."""

import unicodedata
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import ExternalIds, Tags
from app.domain.entities.rules import unknown_option
from app.domain.entities.values import Day, Email, Language, Line, OrNull, TimeZone, fold, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, Invalid

ACCOUNT = "account"


class Absence(Fields):
    """Days away, both included, and who stands in."""

    from_on: Annotated[Day, Field(title="From")]
    until_on: Annotated[Day, Field(title="Until")]
    substitute_id: Annotated[UUID | None, Field(title="Substitute"), Spec(refers_to="users")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Any:
        if self.until_on < self.from_on:
            raise ValueError("An absence ends on the day it begins, or later")
        return self


class UserFields(Fields):
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    department: Annotated[str | None, Field(title="Department"), Spec(filter=True, picklist="department")] = None
    active: Annotated[bool, Field(title="Active"), Spec(filter=True)] = True
    tags: Tags = []
    username: Annotated[
        Line,
        Field(title="Username", description="What one signs in with; case does not count."),
        Spec(ACCOUNT, filter=True),
    ]
    email: Annotated[OrNull[Email], Field(title="E-mail"), Spec(ACCOUNT, filter=True)] = None
    profile_id: Annotated[str, Field(title="Profile"), Spec(ACCOUNT, filter=True)]
    manager_id: Annotated[UUID | None, Field(title="Manager"), Spec(ACCOUNT, filter=True, refers_to="users")] = None
    locale: Annotated[OrNull[Language], Field(title="Language"), Spec(ACCOUNT)] = None
    time_zone: Annotated[OrNull[TimeZone], Field(title="Time zone"), Spec(ACCOUNT)] = None
    absence: Annotated[Absence | None, Field(title="Absence"), Spec(ACCOUNT, importable=False)] = None


class ServiceFields(Fields):
    """What is said once, when a user is made."""

    service: Annotated[
        bool,
        Field(title="Service user", description="A program, which comes with API keys and never signs in."),
        Spec(filter=True, importable=False),
    ] = False


class UserCreate(UserFields, ServiceFields):
    """A new user. They can sign in once a password is set."""


@partial
class UserUpdate(UserFields):
    """The fields of a user to change; the rest stay as they are."""


@readable
class UserRead(UserFields, ServiceFields, RecordFields):
    """A user."""

    external_ids: ExternalIds


def username_key(username: str) -> str:
    """By what usernames are compared: compatibility forms and case do not count."""
    return unicodedata.normalize("NFKC", username).casefold()


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    problems: list[FieldError] = []
    if "profile_id" in given and new["profile_id"] not in vocabulary.profiles:
        problems.append(unknown_option("/profile_id", "profile_id", new["profile_id"], vocabulary.profiles))
    if problems:
        raise Invalid("", errors=problems)
    return {
        "name_key": fold(new["name"]),
        "username_key": username_key(new["username"]),
        "search_open": search_text(new["name"]),
    }


USERS = Entity("users", "user", UserRead, UserCreate, UserUpdate, complete)
