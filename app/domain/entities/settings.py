"""What the company's settings are."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema, model_validator

from app.domain.entities.fields import Fields, partial
from app.domain.entities.values import Country, Currency, Day, Language, Line, OrNull, Short, TimeZone

# Of what a minimum is asked: kinds of records, and what is told of an activity that is done.
REQUIRING = (
    "users", "customers", "contacts", "leads", "products", "opportunities", "activities", "activity_reports",
)  # fmt: skip

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Hours(Fields):
    """Open on a weekday (1 Monday to 7 Sunday), in the company's time zone."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    opens: Clock
    closes: Clock

    @model_validator(mode="after")
    def _in_order(self) -> Any:
        if self.closes <= self.opens:
            raise ValueError("Closes after it opens")
        return self


class SettingsFields(Fields):
    company_name: Annotated[OrNull[Line], Field(title="Company name")] = None
    legal_name: Annotated[OrNull[Line], Field(title="Legal name")] = None
    tax_id: Annotated[OrNull[Annotated[Short, StringConstraints(max_length=32)]], Field(title="Tax id")] = None
    country: Annotated[Country, Field(title="Country", description="Where telephones without a country are.")]
    currency: Annotated[Currency, Field(title="Currency", description="Of amounts that say none.")]
    time_zone: Annotated[TimeZone, Field(title="Time zone", description="Whose days and midnights count.")]
    languages: Annotated[list[Language], Field(title="Languages", min_length=1, max_length=20)]
    business_hours: Annotated[list[Hours], Field(title="Business hours", max_length=50)] = []
    holidays: Annotated[list[Day], Field(title="Holidays", max_length=1000)] = []
    customer_number_prefix: Annotated[
        str, Field(title="Prefix of customers' numbers", pattern=r"^[A-Za-z0-9/_.-]{0,10}$")
    ]
    minimum_information: Annotated[
        dict[
            Annotated[str, WithJsonSchema({"type": "string", "enum": list(REQUIRING)})],
            Annotated[list[str], Field(max_length=50)],
        ],
        Field(
            title="Minimum information",
            max_length=len(REQUIRING),
            description="By entity: the fields that a record must have, on every way in. `activity_reports`: what is "
            "told of an activity that is done, an outcome where its kind has outcomes.",
        ),
    ]


@partial
class SettingsUpdate(SettingsFields):
    """The settings to change; the rest stay as they are."""


class SettingsRead(SettingsFields):
    """The company's settings."""

    version: int
