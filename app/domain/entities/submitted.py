"""What did a visitor say by a form? Texts as they were sent, checked, and the lead that they make. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import orjson
import phonenumbers
from pydantic import StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from app.domain.entities import rules
from app.domain.entities.contacts import PersonName
from app.domain.entities.fields import Fields, Values
from app.domain.entities.forms import APART, LONGEST, UTM
from app.domain.entities.values import Email, Line, LongText, OrNull, Website, clean_line, clean_text, to_e164
from app.domain.entities.vocabulary import Vocabulary
from app.errors import FieldError, escaped

MOST_FIELDS = 50
LONGEST_NAME, LONGEST_OTHER, LONGEST_UTM, LONGEST_PAGE = 100, 10_000, 200, 500
REFUSING = {"", "0", "false", "off", "no"}
# What stands before a surname and belongs to it: "Juan de la Cruz", "Anna Dalla Costa".
PARTICLES = {
    "d'", "da", "dal", "dalla", "de", "degli", "dei", "del", "della", "der", "di", "do", "dos", "du", "la", "las", "le",
    "lo", "los", "mc", "san", "santa", "van", "von", "y", "e", "i",
}  # fmt: skip


class Known(Fields):
    """The fields that go on to the lead."""

    name: OrNull[Annotated[Line, StringConstraints(max_length=LONGEST["name"])]] = None
    first_name: PersonName = None
    last_name: PersonName = None
    email: OrNull[Email] = None
    phone: OrNull[Line] = None
    company_name: OrNull[Line] = None
    job_title: OrNull[Line] = None
    website: OrNull[Website] = None
    message: OrNull[LongText] = None
    request: OrNull[Literal["information", "quote", "purchase"]] = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """known: the form's fields that were filled in, normalised; others: what else was sent, kept and not used."""

    known: Mapping[str, str]
    others: Mapping[str, str]
    consent: bool
    utm: Mapping[str, str]
    stamp: str
    honeypot: bool

    def fingerprint(self) -> bytes:
        """The same for what says the same, whenever and from wherever it is sent."""
        said = [self.known, self.others, self.consent]
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def read(form: Values, sent: Mapping[str, Any], query: Mapping[str, str], country: str) -> Submitted:
    """What was sent by a form. form: its columns; query: that of the address; country: of telephones without one.

    Raises `Invalid` with all that is wrong, each with a pointer to its field.
    """
    problems: list[FieldError] = []
    texts = _texts(sent, problems)
    asked = [field["key"] for field in form["fields"]]
    known = _known({name: texts[name] for name in asked if name in texts}, country, problems)
    wrong = {problem.pointer for problem in problems}
    for field in form["fields"]:
        if field["required"] and field["key"] not in known and f"/{field['key']}" not in wrong:
            problems.append(rules.required(field["key"]))
    consent = bool(form["consent"]) and texts.get("consent", "").strip().lower() not in REFUSING
    if form["consent"] and form["consent_required"] and not consent:
        problems.append(FieldError("/consent", "consent_required", "The form is not sent without consent"))
    if problems:
        raise rules.invalid(problems[:MOST_FIELDS])
    return Submitted(
        known=known,
        others={name: text for name, text in texts.items() if name not in (*asked, *APART) and text},
        consent=consent,
        utm={
            name.removeprefix("utm_"): text
            for name in UTM
            if (text := _tidied(texts.get(name) or query.get(name, ""), LONGEST_UTM))
        },
        stamp=texts.get("stamp", ""),
        honeypot=bool(texts.get(form["honeypot"])),
    )


def _texts(sent: Mapping[str, Any], problems: list[FieldError]) -> dict[str, str]:
    """What was sent as texts that can be stored."""
    if len(sent) > MOST_FIELDS:
        raise rules.invalid([FieldError("/", "too_long", f"At most {MOST_FIELDS} fields")])
    texts = {}
    for name, value in sent.items():
        pointer = f"/{escaped(name[:LONGEST_NAME])}"
        text = "true" if value is True else value
        longest = LONGEST.get(name, LONGEST_OTHER)
        if text is None or text is False:
            continue
        if not isinstance(text, str):
            problems.append(FieldError(pointer, "string_type", "Must be a text"))
        elif len(name) > LONGEST_NAME or len(text) > longest:
            problems.append(FieldError(pointer, "string_too_long", f"At most {longest} characters"))
        else:
            try:
                texts[name] = clean_text(text)
            except PydanticCustomError as error:
                problems.append(FieldError(pointer, error.type, error.message()))
    return texts


def _known(texts: Mapping[str, str], country: str, problems: list[FieldError]) -> dict[str, str]:
    try:
        values = Known.model_validate(texts).model_dump(exclude_none=True)
    except ValidationError as error:
        problems += [FieldError(f"/{each['loc'][0]}", each["type"], each["msg"]) for each in error.errors()]
        return {name: text for name, text in texts.items() if text}
    if "phone" in values:
        try:
            values["phone"] = to_e164(values["phone"], country)
        except PydanticCustomError as error:
            problems.append(FieldError("/phone", error.type, error.message()))
    return values


def _tidied(text: str, longest: int) -> str:
    """As much of a text as can be kept; nothing of one that cannot: a visitor is not turned away for it."""
    try:
        return clean_line(text[:longest])
    except PydanticCustomError:
        return ""


def page_of(referer: str) -> str | None:
    """Site and path of the page that a form stood on; its query may name somebody."""
    try:
        parts = urlsplit(_tidied(referer, LONGEST_PAGE))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def lead_values(known: Mapping[str, str], language: str, vocabulary: Vocabulary) -> Values:
    """The body of the lead that a visitor makes; known: as of `Submitted`."""
    said = dict(known)
    name, email, phone = (said.pop(key, None) for key in ("name", "email", "phone"))
    first, last = split_name(name, language) if name else (None, None)
    channel = vocabulary.options.get("channel", {}).get("web_form")
    return {
        "first_name": first,
        "last_name": last,
        **said,
        "emails": [{"address": email}] if email else [],
        "phones": [{"number": phone, "kind": _kind_of(phone)}] if phone else [],
        "preferred_language": language,
        "channel": channel.key if channel and channel.active else None,
    }


def _kind_of(number: str) -> str:
    mobile = phonenumbers.number_type(phonenumbers.parse(number)) == phonenumbers.PhoneNumberType.MOBILE
    return "mobile" if mobile else "landline"


def split_name(name: str, language: str) -> tuple[str | None, str | None]:
    """First and last name of one line. "Cruz, Juan" says it; else the last word is the surname with what belongs to it,
    in Spanish, where there are two, the last two."""
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and first and last:
        return first, last
    groups: list[str] = []
    open_ended = False
    for word in name.split():
        if open_ended:
            groups[-1] += f" {word}"
        else:
            groups.append(word)
        open_ended = word.lower() in PARTICLES
    if len(groups) < 2:
        return name, None
    surnames = 2 if language == "es" and len(groups) > 2 else 1
    return " ".join(groups[:-surnames]), " ".join(groups[-surnames:])
