"""What forms on other sites are, what a visitor sees of them, and what comes in by them."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.origins import Origin, PageAddress
from app.domain.entities.picklists import complete as nothing_follows
from app.domain.entities.templates import Texts
from app.domain.entities.values import Line, OrNull, fold, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError
from app.texts.forms import FIELDS, REQUESTS
from app.texts.labels import label

FieldKey = Literal[
    "name", "first_name", "last_name", "email", "phone", "company_name", "job_title", "website", "message", "request"
]
# A lead needs one of them.
NAMING = ("name", "first_name", "last_name", "company_name", "email")
# What a form sends besides its fields.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
APART = ("consent", "stamp", "language", *UTM)
# Characters of each field at most.
LONGEST = {
    "name": 100, "first_name": 100, "last_name": 100, "email": 254, "phone": 60, "company_name": 200, "job_title": 200,
    "website": 500, "message": 10_000, "request": 20,
}  # fmt: skip
INPUTS: dict[str, Literal["text", "email", "tel", "url", "textarea", "select"]] = {
    "email": "email", "phone": "tel", "website": "url", "message": "textarea", "request": "select",
}  # fmt: skip

# Shorter than an id, so that the two are told apart where either may stand.
FORM_KEY = re.compile(r"[a-z][a-z0-9_-]{0,29}")
FormKey = Annotated[str, Field(title="Key", max_length=30, pattern=f"^{FORM_KEY.pattern}$")]


class FormField(Fields):
    """A field of a form, by the part of the lead that it fills in."""

    key: FieldKey
    required: Annotated[bool, Field(title="Required")] = False
    labels: Annotated[Texts | None, Field(title="Labels", description="Left out: the shipped ones.")] = None


class FormFields(Fields):
    key: Annotated[FormKey, Spec(filter=True, sort=True)]
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    active: Annotated[bool, Field(title="Active"), Spec(filter=True)] = True
    fields: Annotated[
        list[FormField],
        Field(
            title="Fields",
            description="In order, each once. A name, a company or an e-mail must be required.",
            min_length=1,
            max_length=20,
        ),
    ]
    consent: Annotated[
        Texts | None, Field(title="Consent", description="What the visitor agrees to; none asks for no consent.")
    ] = None
    consent_required: Annotated[
        bool, Field(title="Consent is required", description="Without it the form is not taken.")
    ] = True
    redirect: Annotated[
        OrNull[PageAddress], Field(title="Redirect", description="Where a browser goes when it is sent.")
    ] = None
    error_redirect: Annotated[
        OrNull[PageAddress], Field(title="Redirect on errors", description="With `code` added to its query.")
    ] = None
    allowed_origins: Annotated[
        list[Origin],
        Field(title="Allowed origins", description="Sites whose pages may send it; none: all.", max_length=50),
    ] = []
    honeypot: Annotated[
        str,
        Field(
            title="Honeypot",
            description="Name of a field that people do not see.",
            max_length=50,
            pattern=r"^[a-z][a-z0-9_]{1,49}$",
        ),
    ] = "url_2"
    lead_owner_id: Annotated[
        UUID | None,
        Field(title="Owner of its leads", description="none: of those whose customer is known, the customer's owner."),
        Spec(filter=True, refers_to="users"),
    ] = None


class FormCreate(FormFields):
    """A new form."""


@partial
class FormUpdate(FormFields):
    """The fields of a form to change; the rest stay as they are."""


@readable
class FormRead(FormFields, RecordFields):
    """A form on other sites by which leads come in."""


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Search text of a form whose fields make a lead."""
    keys = [field["key"] for field in new["fields"]]
    problems = [
        FieldError(f"/fields/{position}/key", "duplicate", "The form has this field already")
        for position, key in enumerate(keys)
        if key in keys[:position]
    ]
    if not any(field["required"] and field["key"] in NAMING for field in new["fields"]):
        problems.append(
            FieldError("/fields", "required_information", f"One of {', '.join(NAMING)} must be there and required")
        )
    if new["honeypot"] in (*FIELDS, *APART):
        problems.append(FieldError("/honeypot", "duplicate", "Must not be the name of a field"))
    if problems:
        raise rules.invalid(problems)
    return {"name_key": fold(new["name"]), "search_open": search_text(new["name"], new["key"])}


@readable
class SubmissionRead(RecordFields):
    """What one visitor sent by a form."""

    form_id: Annotated[UUID, Field(title="Form"), Spec(filter=True)]
    lead_id: Annotated[UUID | None, Field(title="Lead"), Spec(filter=True)]
    state: Annotated[Literal["accepted", "trapped"], Field(title="State"), Spec(filter=True)]
    values: Annotated[dict[str, Any], Field(title="Values"), Spec(personal=True)]
    utm: Annotated[dict[str, str], Field(title="UTM")]
    language: Annotated[str, Field(title="Language"), Spec(filter=True)]
    consent: Annotated[bool, Field(title="Consent"), Spec(filter=True)]
    consent_text: Annotated[str | None, Field(title="Text of the consent")]
    page: Annotated[str | None, Field(title="Page", description="From which it was sent.")]


FORMS = Entity("forms", "form", FormRead, FormCreate, FormUpdate, complete)
SUBMISSIONS = Entity("submissions", "submission", SubmissionRead, Fields, Fields, nothing_follows)


class Choice(Fields):
    value: str
    label: str


class VisitorField(Fields):
    """A field as a page shows it. `input` is the kind of HTML element; `choices` are there for a select."""

    key: str
    label: str
    input: Literal["text", "email", "tel", "url", "textarea", "select"]
    required: bool
    max_length: int
    choices: list[Choice]


class VisitorConsent(Fields):
    text: str
    required: bool


class VisitorForm(Fields):
    """A form as its visitor sees it, in the visitor's language."""

    key: str
    language: Annotated[str, Field(description="es, it or en; to be sent back as `language`.")]
    fields: list[VisitorField]
    consent: Annotated[VisitorConsent | None, Field(description="null: none is asked for.")]
    honeypot: Annotated[str, Field(description="Name of a field to hide from people. Who fills it in is no visitor.")]
    stamp: Annotated[str, Field(description="To be sent back as `stamp`, from 2 seconds to 24 hours later.")]


def as_visited(form: Values, language: str, stamp: str) -> VisitorForm:
    """form: its columns."""
    fields = [
        VisitorField(
            key=field["key"],
            label=label(field["labels"] or FIELDS[field["key"]], language),
            input=INPUTS.get(field["key"], "text"),
            required=field["required"],
            max_length=LONGEST[field["key"]],
            choices=[Choice(value=value, label=label(labels, language)) for value, labels in REQUESTS.items()]
            if field["key"] == "request"
            else [],
        )
        for field in form["fields"]
    ]
    consent = form["consent"] and VisitorConsent(
        text=label(form["consent"], language), required=form["consent_required"]
    )
    return VisitorForm(
        key=form["key"], language=language, fields=fields, consent=consent, honeypot=form["honeypot"], stamp=stamp
    )
