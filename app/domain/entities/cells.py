"""What does the text of a cell mean, for the kind of field that it goes to?"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from app.domain.entities.mapping import ImportOptions
from app.domain.entities.values import Country, country_of

Kind = Literal["text", "texts", "number", "whole", "instant", "day", "boolean", "country"]
Read = Callable[[str], Any]

# Imported dates have no time: noon, in the organisation's zone, is the same day nearly everywhere.
NOON = time(12)
_BLANKS = dict.fromkeys(map(ord, " \t\u00a0\u202f\u2009'’"))
_CURRENCY = re.compile(r"^(?:[€$£¥]|[A-Z]{3})|(?:[€$£¥]|[A-Z]{3}|%)$")
_NUMBERS = {
    ".": re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?", re.ASCII),
    ",": re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?", re.ASCII),
}
_DATE = re.compile(
    r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?", re.ASCII
)
_WITH_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S*(?:[Zz]|[+-]\d{2}:?\d{2})", re.ASCII)
_TRUE = frozenset(
    ["true", "yes", "y", "t", "1", "x", "si", "sí", "sì", "s", "verdadero", "vero", "activo", "attivo", "active"]
)
_FALSE = frozenset(["false", "no", "n", "f", "0", "falso", "inactivo", "inattivo", "inactive"])


def kind_of(info: FieldInfo) -> Kind:
    """How the cells of a field are read, by its type; what is none of these is left to the field's own check."""
    types = _types(info.annotation)
    if Country in types:
        return "country"
    for base, kind in _KINDS:
        if base in types:
            return kind
    return "text"


_KINDS: tuple[tuple[type, Kind], ...] = (
    (list, "texts"),
    (bool, "boolean"),
    (datetime, "instant"),
    (date, "day"),
    (Decimal, "number"),
    (int, "whole"),
)


def reader(kind: Kind, options: ImportOptions, time_zone: str, multiply: Decimal | None) -> Read:
    """A function from the text of a cell, stripped and not empty, to what the model takes. It raises ValueError."""
    zone = ZoneInfo(time_zone)
    match kind:
        case "number":
            return lambda text: _number(text, options.decimal_mark, multiply)
        case "whole":
            return lambda text: _whole(_number(text, options.decimal_mark, multiply))
        case "instant":
            return lambda text: _instant(text, options.date_order, zone)
        case "day":
            return lambda text: _moment(text, options.date_order)[0]
        case "boolean":
            return _boolean
        case "texts":
            return lambda text: [part for each in re.split(r"[;,\n]", text) if (part := each.strip())]
        case "country":
            return lambda text: country_of(text) or text
    return str


def _number(text: str, decimal_mark: str, multiply: Decimal | None) -> Decimal:
    plain = _CURRENCY.sub("", text.translate(_BLANKS))
    if not _NUMBERS[decimal_mark].fullmatch(plain) or not any(map(str.isdigit, plain)) or len(plain) > 40:
        raise PydanticCustomError("number", "Must be a number such as 1234{mark}50", {"mark": decimal_mark})
    number = Decimal(plain.replace("." if decimal_mark == "," else ",", "").replace(",", "."))
    # No more digits than the factors have: 1.10 times 1000000 is 1100000, not 1100000.00.
    return number if multiply is None else (number * multiply).normalize() + 0


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _instant(text: str, date_order: str, zone: ZoneInfo) -> datetime | str:
    if _WITH_ZONE.fullmatch(text):
        return text
    day, at = _moment(text, date_order)
    return datetime.combine(day, at or NOON, zone)


def _moment(text: str, date_order: str) -> tuple[date, time | None]:
    match = _DATE.fullmatch(text)
    if match:
        first, second, third, *clock = match.groups()
        # A year of four digits in front leaves no doubt.
        order = "ymd" if len(first) == 4 else date_order
        parts = dict(zip(order, (first, second, third), strict=True))
        try:
            day = date(_year(parts["y"]), int(parts["m"]), int(parts["d"]))
            if clock[0] is None:
                return day, None
            return day, time(int(clock[0]), int(clock[1]), int(clock[2] or 0))
        except ValueError:
            pass
    example = {"ymd": "2017-03-01", "dmy": "01/03/2017", "mdy": "03/01/2017"}[date_order]
    raise PydanticCustomError("date", "Must be a date such as {example}", {"example": example})


def _year(text: str) -> int:
    """Two digits are of the hundred years that end thirty years after 2000, as spreadsheets take them."""
    if len(text) == 2:
        return int(text) + (2000 if int(text) < 30 else 1900)
    if len(text) != 4:
        raise ValueError
    return int(text)


def _boolean(text: str) -> bool:
    word = text.casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise PydanticCustomError("boolean", "Must be yes or no")


def _types(annotation: Any) -> list[Any]:
    """An annotation and all that it is made of."""
    parts = [annotation, get_origin(annotation)]
    for each in get_args(annotation):
        if get_origin(each) is not None or isinstance(each, type):
            parts += _types(each)
    return parts
