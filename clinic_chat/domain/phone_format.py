"""Phone numbers as people write them."""

from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

# Every change of a conversation shows its number again; parsing takes a tenth of a millisecond.
_REMEMBERED = 20_000


@lru_cache(_REMEMBERED)
def phone_shown(number: str) -> str:
    """A number in E.164, like `+5511900000103`, in groups: `+55 11 90000-0103` (ITU-T E.123).

    What is no such number, or of no known country, stays as it is.
    """
    try:
        return format_number(parse(number), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number
