"""How does a telephone number, as people write it, become an international one?"""

import re
from functools import cache
from typing import Literal

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, ValidationResult
from pydantic_core import PydanticCustomError

from app.domain.entities.text import clean_line

PhoneKind = Literal["landline", "mobile", "whatsapp", "fax"]
PHONE_KINDS: tuple[PhoneKind, ...] = ("landline", "mobile", "whatsapp", "fax")

_PLAIN = re.compile(r"\+[1-9](?:[ -]?[0-9]){6,14}", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -")


def to_e164(number: str, country: str | None) -> str:
    """The number as E.164, such as "+34912345678".

    `country` (ISO 3166-1) says where it is dialled if it does not begin with "+". The number must be possible there
    (its length), not in use: ranges are opened faster than any table follows. Raises ValueError that says why.
    """
    text = clean_line(number)
    if _PLAIN.fullmatch(text) and is_plainly_possible(plain := text.translate(_SEPARATORS)):
        return plain
    region = country.upper() if country else None
    if region is None and not text.startswith(("+", "＋", "tel:+")):
        raise PydanticCustomError("phone_country_missing", "Must begin with + and the country code, or have a country")
    try:
        parsed = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise PydanticCustomError("phone_country", "Has no country code that exists") from None
        raise PydanticCustomError("phone", "Must be a telephone number such as +34 912 345 678") from None
    if parsed.extension:
        raise PydanticCustomError("phone_extension", "Must be without an extension")
    match phonenumbers.is_possible_number_with_reason(parsed):
        case ValidationResult.IS_POSSIBLE:
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            raise PydanticCustomError("phone_too_short", "Has too few digits for its country")
        case ValidationResult.TOO_LONG:
            raise PydanticCustomError("phone_too_long", "Has too many digits for its country")
        case _:
            raise PydanticCustomError("phone", "Must be a telephone number such as +34 912 345 678")


def is_plainly_possible(number: str) -> bool:
    """Whether "+" and digits are possible as they stand, so that it need not be asked what else they could mean: that
    takes five times as long."""
    for digits in (1, 2, 3):
        country_code = int(number[1 : 1 + digits])
        if country_code in COUNTRY_CODE_TO_REGION_CODE:
            return len(number) - 1 - digits in _plain_lengths(country_code)
    return False


@cache
def _plain_lengths(country_code: int) -> frozenset[int]:
    """How many digits follow a country code, if none that are dialled before them could be among them; else none."""
    metadata = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[country_code][0], None)
    if metadata is None or metadata.national_prefix_for_parsing or not metadata.general_desc:
        return frozenset()
    return frozenset(metadata.general_desc.possible_length)
