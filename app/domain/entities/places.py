"""Which countries, languages and time zones are there, and which country does somebody mean by a name?"""

import re
import zoneinfo
from functools import lru_cache
from typing import Annotated, Any

from babel import Locale
from babel.core import get_global
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.entities.text import fold

# What CLDR lists with two letters and ISO 3166-1 does not: groupings, parts of countries, test data. Kosovo (XK), which
# ISO leaves to its users, is kept: it has addresses and telephones.
_NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])

# Two countries each, and so nobody's name, though CLDR calls one of them so in some language.
_AMBIGUOUS = ("korea", "corea", "congo")
# Names in use beside those of CLDR, folded.
_ALIASES = {
    "US": "usa, united states of america, estados unidos de america, stati uniti damerica, eeuu, ee uu",
    "GB": "uk, great britain, britain, england, scotland, wales, northern ireland, gran bretana, inglaterra, "
    "escocia, gales, gran bretagna, inghilterra, scozia, galles",
    "NL": "holland, holanda, olanda",
    "KR": "republic of korea, republica de corea, repubblica di corea, s korea, korea republic of, korea south",
    "KP": "dprk, democratic peoples republic of korea",
    "RU": "russian federation, federacion rusa, federazione russa",
    "VN": "viet nam",
    "TR": "turkey, turkiye, turquia, turchia",
    "CZ": "czech republic, republica checa, chequia, repubblica ceca, cechia",
    "CI": "ivory coast, cote divoire, costa de marfil, costa davorio",
    "MK": "macedonia, fyrom",
    "HK": "hong kong, hong kong sar",
    "MO": "macau, macao",
    "TW": "taiwan republic of china, taiwan roc",
    "CN": "peoples republic of china, prc, republica popular china, repubblica popolare cinese",
    "AE": "uae, emirates, emiratos, emirati, eau",
    "MM": "burma, birmania",
    "SZ": "swaziland, swazilandia",
    "CV": "cape verde, cabo verde, capo verde",
    "PS": "palestine, palestina",
    "VA": "vatican, vaticano, holy see, santa sede",
    "CD": "drc, dr congo, democratic republic of the congo, republica democratica del congo, "
    "repubblica democratica del congo",
    "CG": "republic of the congo, republica del congo, repubblica del congo",
    "TL": "east timor, timor oriental, timor est",
    "BA": "bosnia, bosnia herzegovina",
    "BY": "belorussia, bielorrusia",
    "IE": "republic of ireland, eire",
    "LA": "lao, lao peoples democratic republic",
    "BN": "brunei darussalam",
    "FM": "federated states of micronesia",
    "ES": "reino de espana, espana",
    "DE": "federal republic of germany, republica federal de alemania",
}


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """The ISO 3166-1 alpha-2 codes, and XK."""
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code) and code not in _NO_COUNTRIES)


def country_of(text: str) -> str | None:
    """The code of the country meant by a code of two or three letters or a name in English, Spanish or Italian.

    Case, accents and punctuation do not count. None if there is no such country, or more than one.
    """
    name = _name_key(text)
    code = name.upper()
    if code in countries():
        return code
    return _names().get(name) or _names().get(name.removeprefix("the "))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    meant: dict[str, set[str]] = {}
    for language in ("en", "es", "it"):
        for code, name in Locale(language).territories.items():
            if code in countries():
                # "Myanmar (Burma)" is also written without what is in brackets.
                for written in (name, re.sub(r"\(.*?\)", "", name)):
                    meant.setdefault(_name_key(written), set()).add(code)
    for alias, codes in get_global("territory_aliases").items():  # ESP, USA, UK, …
        if alias.isalpha() and len(codes) == 1 and codes[0] in countries():
            meant.setdefault(alias.lower(), set()).add(codes[0])
    names = {name: codes.pop() for name, codes in meant.items() if len(codes) == 1 and name not in _AMBIGUOUS}
    return names | {_name_key(alias): code for code, aliases in _ALIASES.items() for alias in aliases.split(", ")}


def _name_key(text: str) -> str:
    words = re.sub(r"[^\w ]", " ", re.sub(r"[.']", "", fold(text)).replace("&", " and ")).split()
    return " ".join("saint" if word == "st" and len(words) > 1 else word for word in words)


def _country(value: Any) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in countries():
        raise PydanticCustomError("country", "Must be the ISO 3166-1 code of a country, such as ES")
    return code


_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|419))?", re.IGNORECASE | re.ASCII)


def normalise_language(tag: str) -> str:
    """A BCP 47 tag of a language, with script and country where given, such as "es", "pt-BR", "zh-Hant-TW".

    419 stands for Latin America. Raises ValueError.
    """
    match = _TAG.fullmatch(tag.strip())
    if match:
        language, script, country = (part or "" for part in match.groups())
        language, script, country = language.lower(), script.title(), country.upper()
        english = Locale("en")
        if (
            language in english.languages
            and (not script or script in english.scripts)
            and (not country or country == "419" or country in countries())
        ):
            return "-".join(part for part in (language, script, country) if part)
    raise PydanticCustomError("language", "Must be a language tag such as es or pt-BR")


def _language(value: Any) -> str:
    return normalise_language(value if isinstance(value, str) else "")


@lru_cache(maxsize=1)
def _time_zones() -> dict[str, str]:
    # Those named after a place, and UTC; not old abbreviations, nor the machine's own "localtime".
    zones = zoneinfo.available_timezones()
    return {zone.lower(): zone for zone in zones if "/" in zone or zone == "UTC"}


def _time_zone(value: Any) -> str:
    zone = _time_zones().get(value.strip().lower()) if isinstance(value, str) else None
    if zone is None:
        raise PydanticCustomError("time_zone", "Must be a time zone of the IANA list, such as Europe/Madrid")
    return zone


Country = Annotated[
    str, BeforeValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["ES"]})
]
Language = Annotated[
    str, BeforeValidator(_language), WithJsonSchema({"type": "string", "maxLength": 12, "examples": ["es", "pt-BR"]})
]
TimeZone = Annotated[
    str, BeforeValidator(_time_zone), WithJsonSchema({"type": "string", "maxLength": 60, "examples": ["Europe/Madrid"]})
]
