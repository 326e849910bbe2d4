"""Phone numbers: parsing a channel's spellings into one normal form (E.164)."""

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

# The country of numbers without a country code.
DEFAULT_REGION = "BR"
SHOWN_LIMIT = 64
# Characters of a phone field that are read; longer text is kept as its hash.
READ_LIMIT = 1_000
_SCHEME = re.compile(r"(?:tel|sms|whatsapp):", re.IGNORECASE)
_ACCOUNT = re.compile(r"@(?:c\.us|s\.whatsapp\.net)\Z", re.IGNORECASE)
# Without letters: the library reads them as keypad digits, and user names as numbers.
_NUMBER = re.compile(r"[+\d][\d\s().\-/]*|\([\d\s().\-/]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# A Brazilian number without its area code is ambiguous: each area may have it.
_WITHOUT_AREA = re.compile(r"\+55[0-9]{1,9}")
# Mobiles begin with 6 to 9; landlines (2 to 5) have no ninth digit (Anatel, Res. 553/2010).
_WITHOUT_NINTH_DIGIT = re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})")
# The 1 that Mexican mobile numbers had until 2019, and still have in WhatsApp.
_MEXICAN_MOBILE = re.compile(r"\+521([0-9]{10})")
# Size of a cache: each change of a conversation formats its number, which takes 0.1 ms.
_FORMATTED = 20_000


@dataclass(frozen=True)
class Address:
    """A sender's address: a phone number, or another text from the channel."""

    number: str | None
    """In E.164, the same for every spelling; None when it is not a phone number."""
    key: str | None
    """Identifies the sender when `number` is None; up to 200 characters."""
    shown: str
    """The number in E.164 as it was used, or the address as it was given."""


def phone_address(value: object) -> Address:
    """Parse a channel's phone field.

    A text in the form of E.164, or with a possible length for its country, is a number even if
    nobody has it yet. A Brazilian mobile number is the same with and without its ninth digit.

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

    Other text, and a number of an unknown country, is returned unchanged.
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
    # Abroad 00 is the international prefix; in Brazil a carrier's code would follow it.
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
