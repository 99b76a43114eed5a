"""How are the sites that may send a form, and the pages to go on to, checked and written?

Unlike a customer's web site they may be on the developer's own machine: `http://localhost:3000` is one.
"""

from ipaddress import IPv6Address
from typing import Annotated, Any
from urllib.parse import quote, urlsplit, urlunsplit

import idna
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.entities.text import clean_line

_PORTS = {"http": 80, "https": 443}
_UNQUOTED = "%/:@!$&'()*+,;=~-._?"
_LONGEST_ORIGIN, _LONGEST_PAGE = 200, 500


def normalise_origin(value: str) -> str:
    """Scheme, host and port as browsers write them in `Origin`: lower case, ASCII, the scheme's own port left out.

    "HTTPS://Muñoz.es:443/" becomes "https://xn--muoz-hqa.es". Raises ValueError, also for more than an origin.
    """
    text = clean_line(value)
    if len(text) <= _LONGEST_ORIGIN and not {"?", "#", "@"} & set(text):
        try:
            parts = urlsplit(text)
            if parts.path in ("", "/"):
                return _origin(parts.scheme, parts.hostname, parts.port)
        except ValueError:
            pass
    raise PydanticCustomError("origin", "Must be a site such as https://www.example.com, without a path")


def normalise_page(value: str) -> str:
    """The address of a page, http or https, its host in lower case and ASCII. Raises ValueError."""
    text = clean_line(value)
    if len(text) <= _LONGEST_PAGE:
        try:
            parts = urlsplit(text)
            if "@" not in parts.netloc:
                scheme, _, address = _origin(parts.scheme, parts.hostname, parts.port).partition("://")
                rest = (quote(part, safe=_UNQUOTED) for part in (parts.path, parts.query, parts.fragment))
                page = urlunsplit((scheme, address, *rest))
                if len(page) <= _LONGEST_PAGE:
                    return page
        except ValueError:
            pass
    raise PydanticCustomError("website", "Must be the address of a page such as https://www.example.com/thanks")


def _origin(scheme: str, host: str | None, port: int | None) -> str:
    if scheme not in _PORTS or not host:
        raise ValueError("No origin")
    # idna's errors are UnicodeErrors, which are ValueErrors.
    name = f"[{IPv6Address(host)}]" if ":" in host else idna.encode(host, uts46=True, std3_rules=True).decode()
    return f"{scheme}://{name}" + (f":{port}" if port and port != _PORTS[scheme] else "")


def _checked_origin(value: Any) -> str:
    return normalise_origin(value if isinstance(value, str) else "")


def _checked_page(value: Any) -> str:
    return normalise_page(value if isinstance(value, str) else "")


Origin = Annotated[
    str,
    BeforeValidator(_checked_origin),
    WithJsonSchema({"type": "string", "maxLength": _LONGEST_ORIGIN, "examples": ["https://www.example.com"]}),
]
PageAddress = Annotated[
    str,
    BeforeValidator(_checked_page),
    WithJsonSchema({"type": "string", "maxLength": _LONGEST_PAGE, "examples": ["https://www.example.com/thanks"]}),
]
