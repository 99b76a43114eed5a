"""How are e-mail addresses and web sites checked and written, and which domain do they belong to?"""

import re
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote, urlsplit, urlunsplit

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.entities.text import clean_line

_LONGEST_EMAIL, _LONGEST_WEBSITE = 254, 500

# What nearly all addresses are like, and what the libraries would leave as it is: they take ten times as long.
_PLAIN_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_HOST = re.compile(rf"(?=.{{4,253}}$)(?:{_PLAIN_LABEL}\.)+(?!..--)[a-z][a-z0-9-]{{0,61}}[a-z]")
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_SPECIAL = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


def normalise_email(value: str) -> str:
    """The address with its domain in lower case and Unicode; what stands before the @ keeps its case.

    Whether the domain exists is not asked. Raises ValueError.
    """
    address = clean_line(value)
    if len(address) <= _LONGEST_EMAIL:
        local_part, _, host = address.partition("@")
        plain = _PLAIN_LOCAL_PART.fullmatch(local_part) and _PLAIN_HOST.fullmatch(host)
        if plain and not f".{host}".endswith(_SPECIAL):
            return address
        try:
            # The test environment only means that `.test` is allowed, which demonstration data need.
            normalised = validate_email(address, check_deliverability=False, test_environment=True).normalized
        except (EmailNotValidError, UnicodeError):
            normalised = ""
        if 0 < len(normalised) <= _LONGEST_EMAIL:
            return normalised
    raise PydanticCustomError("email", "Must be an e-mail address such as name@example.com")


def with_ascii_domain(address: str) -> str:
    """A checked address as every mail server takes it: its domain in the letters of IDNA 2008 (RFC 5891)."""
    local_part, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local_part}@{idna.encode(domain, uts46=True).decode()}"


_NOT_IN_ADDRESSES = re.compile(r'[\s\\<>"{}|^`]')
_SCHEME = re.compile(r"(https?)://", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_UNQUOTED = "%/:@!$&'()*+,;=~-._"


def normalise_website(value: str) -> str:
    """An http or https address: scheme added if missing, host in lower case and ASCII, no lone slash at the end.

    "Example.COM/" becomes "https://example.com". Raises ValueError, also for other schemes, user names and
    IP addresses.
    """
    text = clean_line(value)
    if _PLAIN_HOST.fullmatch(text.removeprefix("https://")):
        return f"https://{text.removeprefix('https://')}"
    if not text or _NOT_IN_ADDRESSES.search(text):
        raise _not_a_website()
    if not _SCHEME.match(text):
        text = f"https://{text.removeprefix('//')}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its message would repeat the value
        raise _not_a_website() from None
    if "@" in parts.netloc:
        raise _not_a_website()
    scheme = parts.scheme.lower()
    address = normalise_host(host) + (f":{port}" if port and port != _PORTS[scheme] else "")
    path = quote(parts.path, safe=_UNQUOTED)
    query, fragment = (quote(part, safe=_UNQUOTED + "?") for part in (parts.query, parts.fragment))
    website = urlunsplit((scheme, address, "" if path == "/" and not query + fragment else path, query, fragment))
    if len(website) > _LONGEST_WEBSITE:
        raise PydanticCustomError("too_long", "Must have at most 500 characters")
    return website


def normalise_host(host: str) -> str:
    """A host name of two labels or more, in lower case and ASCII ("Muñoz.es" becomes "xn--muoz-hqa.es")."""
    if _PLAIN_HOST.fullmatch(host):
        return host
    try:
        ascii_host = idna.encode(host.rstrip("."), uts46=True, std3_rules=True).decode().lower()
    except UnicodeError:  # idna's errors are of this kind
        raise _not_a_website() from None
    if "." not in ascii_host or ascii_host.rpartition(".")[2].isdigit():
        raise _not_a_website()
    return ascii_host


def _not_a_website() -> PydanticCustomError:
    return PydanticCustomError("website", "Must be a web address such as https://example.com")


@lru_cache(maxsize=4096)
def domain_of(website_or_email: str) -> str:
    """The host of a web site or an e-mail address, in lower case and ASCII, without a leading "www.".

    Raises ValueError if it is neither.
    """
    text = clean_line(website_or_email)
    if _PLAIN_HOST.fullmatch(plain := text.removeprefix("https://")):
        host = plain
    elif "@" in text and "/" not in text:
        host = normalise_host(text.rpartition("@")[2])
    else:
        host = urlsplit(normalise_website(text)).hostname or ""
    without_www = host.removeprefix("www.")
    return without_www if "." in without_www else host


def in_unicode(domain: str) -> str:
    """A domain as people write it ("xn--muoz-hqa.es" is muñoz.es); one of plain letters, or that is none, stays."""
    try:
        return idna.decode(domain) if "xn--" in domain else domain
    except UnicodeError:
        return domain


def _email(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("email", "Must be an e-mail address such as name@example.com")
    return normalise_email(value)


def _website(value: Any) -> str:
    if not isinstance(value, str):
        raise _not_a_website()
    return normalise_website(value)


Email = Annotated[
    str,
    BeforeValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": _LONGEST_EMAIL, "examples": ["ana@example.com"]}),
]
# Not of the format "uri" in the schema: "example.com" is taken too.
Website = Annotated[
    str,
    BeforeValidator(_website),
    WithJsonSchema({"type": "string", "maxLength": _LONGEST_WEBSITE, "examples": ["https://example.com"]}),
]
