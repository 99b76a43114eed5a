"""How are amounts, currencies, rates, quantities and counts written, and to how many digits?"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Annotated, Any

from babel.core import get_global
from babel.numbers import get_currency_precision
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_INTEGER_DIGITS, _DECIMALS = 15, 6
_LIMIT, _STEP = Decimal(10) ** _INTEGER_DIGITS, Decimal(1).scaleb(-_DECIMALS)
_WRITTEN = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def _decimal(value: Any) -> Decimal:
    """A finite decimal of at most 15 integer digits and 6 decimals, from a text, an int, a float or a Decimal."""
    if isinstance(value, str) and _WRITTEN.fullmatch(value.strip()):
        number = Decimal(value.strip())
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        # Not through str, which refuses ints of more than 4,300 digits.
        number = Decimal(value) if abs(value) < _LIMIT else _LIMIT
    elif isinstance(value, float):
        number = Decimal(repr(value))  # 0.1 is meant as 0.1
    else:
        raise PydanticCustomError("decimal", 'Must be a decimal number such as "1234.50"')
    if not number.is_finite():
        raise PydanticCustomError("not_finite", "Must be a finite number")
    if abs(number) >= _LIMIT:
        raise PydanticCustomError("too_many_digits", "Must have at most 15 digits before the point")
    at_most_six = number.quantize(_STEP)
    if at_most_six != number:
        raise PydanticCustomError("too_many_decimals", "Must have at most 6 decimals")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        number = number.quantize(Decimal(1))  # 1E+3 is written 1000
    elif isinstance(exponent, int) and exponent < -_DECIMALS:
        number = at_most_six
    return number + 0  # there is no minus zero


def _between(lowest: Decimal, highest: Decimal) -> Callable[[Any], Decimal]:
    def bounded(value: Any) -> Decimal:
        number = _decimal(value)
        if not lowest <= number <= highest:
            raise PydanticCustomError(
                "out_of_range", "Must be from {lowest} to {highest}", {"lowest": str(lowest), "highest": str(highest)}
            )
        return number

    return bounded


def _decimal_schema(sign: str, integer_digits: int, example: str) -> WithJsonSchema:
    # A text in both directions: as "number or text" it makes generated clients wrap it in a class of their own.
    pattern = rf"^{sign}[0-9]{{1,{integer_digits}}}(\.[0-9]{{1,{_DECIMALS}}})?$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


# An amount of money; goes with a `Currency` beside it. Texts, ints and floats are taken; written as a text.
Amount = Annotated[Decimal, BeforeValidator(_decimal), _decimal_schema("-?", _INTEGER_DIGITS, "1234.50")]
# An amount that cannot be below zero, such as a price or a revenue.
Price = Annotated[Decimal, BeforeValidator(_between(Decimal(0), _LIMIT - _STEP)), _decimal_schema("", 15, "1234.50")]
# How many, more than zero; may be a fraction (hours, kilograms).
Quantity = Annotated[Decimal, BeforeValidator(_between(_STEP, _LIMIT - _STEP)), _decimal_schema("", 15, "2.5")]
# A rate in percent, such as of tax: 0 to 100.
Rate = Annotated[Decimal, BeforeValidator(_between(Decimal(0), Decimal(100))), _decimal_schema("", 3, "21")]


@lru_cache(maxsize=256)
def _step_of(currency: str) -> Decimal:
    return Decimal(1).scaleb(-get_currency_precision(currency))


def quantise(amount: Decimal, currency: str) -> Decimal:
    """The amount to the digits of its currency (JPY 0, EUR 2, KWD 3), halves away from zero, as on an invoice.

    `currency` is one that exists. Raises ValueError if rounding makes it longer than 15 integer digits.
    """
    rounded = amount.quantize(_step_of(currency), rounding=ROUND_HALF_UP)
    if abs(rounded) >= _LIMIT:
        raise PydanticCustomError("too_many_digits", "Must have at most 15 digits before the point")
    return rounded + 0


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that are money somewhere today; former ones such as ESP are not among them."""
    uses = (use for territory in get_global("territory_currencies").values() for use in territory)
    return frozenset(code for code, _, until, tender in uses if tender and until is None)


def _currency(value: Any) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in currencies():
        raise PydanticCustomError("currency", "Must be the ISO 4217 code of a currency in use, such as EUR")
    return code


Currency = Annotated[
    str, BeforeValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]})
]


def _whole(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("whole_number", "Must be a whole number")


# A probability in percent.
Percent = Annotated[int, Field(ge=0, le=100), BeforeValidator(_whole)]
# A number of people or things; fits PostgreSQL's integer.
Count = Annotated[int, Field(ge=0, le=2_147_483_647), BeforeValidator(_whole)]
