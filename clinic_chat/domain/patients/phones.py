"""Phone numbers: the many ways to write one, and the one form that tells who it is."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from clinic_chat.domain.characters import clean_line, cut
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.validation import KEY_LIMIT

# Numbers that are written without their country.
DEFAULT_REGION = "BR"
SHOWN_LIMIT = 64
# No number is longer, and no address that a person could know by heart.
READ_LIMIT = 1_000
_SCHEME = re.compile(r"(?:tel|sms|whatsapp):", re.IGNORECASE)
_ACCOUNT = re.compile(r"@(?:c\.us|s\.whatsapp\.net)\Z", re.IGNORECASE)
# Letters would be read as digits of a keypad, and user names as numbers.
_NUMBER = re.compile(r"[+\d][\d\s().\-/]*|\([\d\s().\-/]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Without its area a number of Brazil is somebody in each of them.
_WITHOUT_AREA = re.compile(r"\+55[0-9]{1,9}")
# 6 to 9 begin mobiles, 2 to 5 landlines, which have no ninth digit (Anatel, Res. 553/2010).
_WITHOUT_NINTH_DIGIT = re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})")
# The digit that mobiles had in Mexico until 2019, and that WhatsApp's numbers keep.
_MEXICAN_MOBILE = re.compile(r"\+521([0-9]{10})")
# Every change of a conversation shows its number again; parsing takes a tenth of a millisecond.
_FORMATTED = 20_000


@dataclass(frozen=True)
class Address:
    """Where messages of a person come from."""

    number: str | None
    """In E.164, the same for every way to write it; None when it is no phone number."""
    key: str | None
    """What tells the person when there is no number, up to 200 characters."""
    shown: str
    """The number as it was used, in E.164; what is no number as it was given."""


def phone_address(value: object) -> Address:
    """What a channel gives as a patient's phone, whatever it is.

    Whatever has the form of E.164 or is possible by its length is a number, though nobody may
    have it yet. Mobiles of Brazil are one number with and without their ninth digit.

    Raises:
        InvalidInput: `phone_missing`: not text, or nothing to see.
    """
    text = value if isinstance(value, str) else ""
    given = clean_line(text[:READ_LIMIT])
    if not given:
        raise InvalidInput("the phone number is missing", code="phone_missing")
    if len(text) > READ_LIMIT:
        return Address(None, _hashed(text), cut(given, SHOWN_LIMIT))
    if number := _e164(given):
        return Address(_one_form(number), None, number)
    key = given if len(given) <= KEY_LIMIT else _hashed(given)
    return Address(None, key, cut(given, SHOWN_LIMIT))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


@lru_cache(_FORMATTED)
def format_phone(number: str) -> str:
    """A number in E.164, like `+5511900000103`, in groups: `+55 11 90000-0103` (ITU-T E.123).

    What is no such number, or of no known country, stays as it is.
    """
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL
        )
    except NumberParseException:
        return number


def _e164(given: str) -> str | None:
    text = unicodedata.normalize("NFKC", _ACCOUNT.sub("", _SCHEME.sub("", given, count=1))).strip()
    if _E164.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        return None
    # Abroad 00 is dialled before the country; here it would be 00, a carrier, the country.
    forms = [f"+{text[2:]}", text] if text.startswith("00") else [text]
    for form in forms:
        try:
            found = phonenumbers.parse(form, DEFAULT_REGION)
        except NumberParseException:
            continue
        possible = phonenumbers.is_possible_number_with_reason(found)
        number = phonenumbers.format_number(found, PhoneNumberFormat.E164)
        if possible == ValidationResult.IS_POSSIBLE and not _WITHOUT_AREA.fullmatch(number):
            return number
    return None


def _one_form(number: str) -> str:
    if match := _WITHOUT_NINTH_DIGIT.fullmatch(number):
        return f"+55{match[1]}9{match[2]}"
    if match := _MEXICAN_MOBILE.fullmatch(number):
        return f"+52{match[1]}"
    return number
