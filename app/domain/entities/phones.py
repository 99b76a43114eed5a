"""How does a telephone number, as people write it, become an international one?"""

from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult
from pydantic_core import PydanticCustomError

from app.domain.entities.text import clean_line

PhoneKind = Literal["landline", "mobile", "whatsapp", "fax"]
PHONE_KINDS: tuple[PhoneKind, ...] = ("landline", "mobile", "whatsapp", "fax")


def to_e164(number: str, country: str | None) -> str:
    """The number as E.164, such as "+34912345678".

    `country` (ISO 3166-1) says where it is dialled if it does not begin with "+". The number must be possible there
    (its length), not in use: ranges are opened faster than any table follows. Raises ValueError that says why.
    """
    text = clean_line(number)
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
