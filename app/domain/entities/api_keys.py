"""What an API key is: by which a program acts as a service user, as far as its scopes go, until it expires."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.values import Instant, Line, Short, fold, search_text
from app.domain.entities.vocabulary import Vocabulary


class NameFields(Fields):
    name: Annotated[Line, Field(title="Name", description="What it is for."), Spec(filter=True, sort=True, search=True)]


class ApiKeyFields(NameFields):
    user_id: Annotated[
        UUID,
        Field(title="Service user", description="As whom it acts: with their profile and reach."),
        Spec(filter=True, refers_to="users"),
    ]
    scopes: Annotated[
        list[Short],
        Field(
            min_length=1,
            max_length=200,
            title="Scopes",
            description="What of the profile it may use: section and action, such as `leads:create`.",
        ),
    ]
    expires_at: Annotated[
        Instant,
        Field(title="Expires at", description="Within a year of being made."),
        Spec(filter=True, sort=True),
    ]


class ApiKeyCreate(ApiKeyFields):
    """A new API key."""


@partial
class ApiKeyUpdate(NameFields):
    """Its name changes; for everything else make another key."""


@readable
class ApiKeyRead(ApiKeyFields, RecordFields):
    """An API key, but for the key itself."""

    prefix: Annotated[str, Field(title="Prefix", description="How the key begins, to tell it from others.")]
    last_used_at: Annotated[Instant | None, Field(title="Last used at", description="To the minute or so.")]
    ended_at: Annotated[Instant | None, Field(title="Ended at", description="When it, or its user, was ended.")]


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    return {"name_key": fold(new["name"]), "search_open": search_text(new["name"])}


API_KEYS = Entity("api_keys", "api_key", ApiKeyRead, ApiKeyCreate, ApiKeyUpdate, complete, final=True)
