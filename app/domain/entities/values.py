"""Which types are the fields of all entities made of? This module is where the others take them from."""

from app.domain.entities.dates import FIRST_YEAR, LAST_YEAR, Day, Instant, check_partial_date, to_utc
from app.domain.entities.money import Amount, Count, Currency, Percent, Price, Quantity, Rate, currencies, quantise
from app.domain.entities.nearest import did_you_mean, nearest, nearest_of_each
from app.domain.entities.online import Email, Website, domain_of, normalise_email, normalise_website
from app.domain.entities.phones import PHONE_KINDS, PhoneKind, to_e164
from app.domain.entities.places import Country, Language, TimeZone, countries, country_of, normalise_language
from app.domain.entities.text import (
    Line,
    LongLine,
    LongText,
    OrNull,
    Short,
    clean_line,
    clean_text,
    fold,
    like_escape,
    like_patterns,
    search_text,
    search_words,
)

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "PHONE_KINDS",
    "Amount",
    "Count",
    "Country",
    "Currency",
    "Day",
    "Email",
    "Instant",
    "Language",
    "Line",
    "LongLine",
    "LongText",
    "OrNull",
    "Percent",
    "PhoneKind",
    "Price",
    "Quantity",
    "Rate",
    "Short",
    "TimeZone",
    "Website",
    "check_partial_date",
    "clean_line",
    "clean_text",
    "countries",
    "country_of",
    "currencies",
    "did_you_mean",
    "domain_of",
    "fold",
    "like_escape",
    "like_patterns",
    "nearest",
    "nearest_of_each",
    "normalise_email",
    "normalise_language",
    "normalise_website",
    "quantise",
    "search_text",
    "search_words",
    "to_e164",
    "to_utc",
]
