"""What templates are, and how a text is made of one: places filled in, nothing else understood."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.values import Line, LongText, OrNull, fold, nearest, search_text
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError

Key = Annotated[str, Field(title="Key", max_length=50, pattern=r"^[a-z0-9][a-z0-9_-]*$")]

# What may stand between braces. company_name is the company's own; the names are those of who gets the message.
PLACES = ("first_name", "last_name", "company_name")
_PLACE = re.compile(r"( ?)\{([^{}\n]*)\}")


class Texts(Fields):
    """A text by language; English stands in for those that are missing."""

    es: Annotated[OrNull[LongText], Field(title="Spanish")] = None
    it: Annotated[OrNull[LongText], Field(title="Italian")] = None
    en: Annotated[LongText, Field(title="English")]


class TemplateFields(Fields):
    key: Annotated[Key, Spec(filter=True, sort=True)]
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    channel: Annotated[Literal["email"], Field(title="Channel"), Spec(filter=True)] = "email"
    subject: Annotated[Texts, Field(title="Subject")]
    text: Annotated[
        Texts,
        Field(
            title="Text",
            description="Filled in when it is used: {first_name} and {last_name} of who gets it, {company_name} of "
            "who writes.",
        ),
    ]


class TemplateCreate(TemplateFields):
    """A new template."""


@partial
class TemplateUpdate(TemplateFields):
    """The fields of a template to change; the rest stay as they are."""


@readable
class TemplateRead(TemplateFields, RecordFields):
    """A text in several languages from which messages are written."""


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    """Search text; places that nothing fills in are refused."""
    if problems := [problem for name in ("subject", "text") if name in given for problem in _unknown(name, new[name])]:
        raise rules.invalid(problems)
    return {"name_key": fold(new["name"]), "search_open": search_text(new["name"], new["key"])}


def _unknown(name: str, texts: Mapping[str, str | None]) -> Iterator[FieldError]:
    for language, text in texts.items():
        for place in sorted({found[2] for found in _PLACE.finditer(text or "")} - set(PLACES)):
            near = nearest(place, PLACES)
            hint = f"did you mean {{{near}}}?" if near else f"there are {', '.join(PLACES)}"
            yield FieldError(f"/{name}/{language}", "unknown_place", f"A place that nothing fills in; {hint}")


def rendered(text: str, values: Mapping[str, str | None]) -> str:
    """The text with its places filled in. One that is blank takes the blank before it along: "Hola {first_name}:"
    without a name is "Hola:"."""
    return _PLACE.sub(lambda found: f"{found[1]}{value}" if (value := values.get(found[2])) else "", text).strip()


TEMPLATES = Entity("templates", "template", TemplateRead, TemplateCreate, TemplateUpdate, complete)
