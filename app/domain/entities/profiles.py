"""What is a profile: what it is called, what it allows in which section, and which profiles it takes more from?"""

from typing import Annotated, Literal

from pydantic import Field

from app.domain.entities.fields import Fields, partial
from app.domain.entities.picklists import Labels
from app.domain.entities.values import Instant, Line

# Casbin follows nine steps of inheritance and stops at the tenth without a word.
DEEPEST = 9

KEY = r"^[a-z0-9][a-z0-9_-]{0,49}$"
ProfileKey = Annotated[str, Field(title="Id", description="A key that never changes, such as `director`.", pattern=KEY)]
Name = Annotated[str, Field(max_length=50)]


class ProfileLabels(Fields):
    """What people read, in each of the product's languages."""

    es: Annotated[Line, Field(title="Spanish")]
    it: Annotated[Line, Field(title="Italian")]
    en: Annotated[Line, Field(title="English")]


class Policy(Fields):
    """One thing that a profile allows. Whatever no policy allows is denied; of several that match the widest counts."""

    section: Annotated[Name, Field(title="Section", description="Such as `customers`; `*` for all that there are.")]
    action: Annotated[
        Name,
        Field(
            title="Action",
            description="read, create, update, delete, export, import, assign, merge or configure; `*` for all.",
        ),
    ]
    field_group: Annotated[
        Name,
        Field(
            title="Field group",
            description="`open`, what whoever sees the section sees, or another of its groups; `*` for all but `open`. "
            "A group is of use only where the profile also has the `open` of the same section and action, by whichever "
            "policy.",
        ),
    ]
    reach: Annotated[
        Literal["own", "team", "all"] | None,
        Field(title="Reach", description="Whose records; for `open`, and for no other group, which has the same."),
    ] = None


class ProfileFields(Fields):
    labels: Annotated[ProfileLabels, Field(title="Labels")]
    inherits: Annotated[
        list[Name],
        Field(title="Inherits", description="Profiles whose policies are this one's too.", max_length=50),
    ] = []
    policies: Annotated[list[Policy], Field(title="Policies", max_length=1000)] = []
    second_factor_required: Annotated[
        bool, Field(title="Second factor required", description="Its users sign in with a second factor.")
    ] = False


class ProfileCreate(ProfileFields):
    """A new profile."""

    id: ProfileKey
    copy_of: Annotated[
        Name | None,
        Field(
            title="Copy of",
            description="A profile that policies, inheritance and second factor are taken from, unless they are given.",
        ),
    ] = None


@partial
class ProfileUpdate(ProfileFields):
    """What to change in a profile; lists are replaced whole, the rest stays."""


class ProfileRead(ProfileFields):
    """A profile."""

    id: str
    labels: Labels  # type: ignore[assignment]
    users: Annotated[int, Field(title="Users", description="How many active users have it.")]
    version: int
    created_at: Instant
    created_by: str
    updated_at: Instant
    updated_by: str
