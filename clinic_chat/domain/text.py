"""Rules for the text people and machines send."""

import re
import unicodedata

import regex

from clinic_chat.domain.errors import InvalidInput

BODY_LIMIT = 4_000
NAME_LIMIT = 120
KEY_LIMIT = 200
PREVIEW_LENGTH = 140

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def clean_body(value: object) -> str:
    """A message body as it may be stored: trimmed at the ends, line breaks as `\\n`.

    Raises:
        InvalidInput: `body_not_text`, `body_characters` (NUL, lone surrogate or another
            control character), `body_empty` (or only white space) or `body_too_long`
            (over 4,000 characters, counted as Unicode code points).
    """
    text = _text(value, "body")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not _visible(text):
        raise InvalidInput("the body is empty", code="body_empty")
    if len(text) > BODY_LIMIT:
        raise InvalidInput(f"the body has over {BODY_LIMIT} characters", code="body_too_long")
    return text


def clean_name(value: object) -> str:
    """A person's name: one line, 1 to 120 characters.

    Raises:
        InvalidInput: `name_not_text`, `name_characters`, `name_empty` or `name_too_long`.
    """
    name = " ".join(_text(value, "name").split())
    if not _visible(name):
        raise InvalidInput("the name is empty", code="name_empty")
    if len(name) > NAME_LIMIT:
        raise InvalidInput(f"the name has over {NAME_LIMIT} characters", code="name_too_long")
    return name


def clean_phone(value: object) -> str:
    """A phone number in E.164 (`+` and 7 to 15 digits).

    Raises:
        InvalidInput: `phone_invalid`.
    """
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise InvalidInput(
            "the phone number is not in E.164, like +5511987654321", code="phone_invalid"
        )
    return value


def clean_key(value: object, name: str) -> str:
    """An idempotency key chosen by a client: 1 to 200 printable characters.

    Raises:
        InvalidInput: `<name>_invalid`.
    """
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= KEY_LIMIT
        or not value.isprintable()
        or not value.strip()
    ):
        raise InvalidInput(
            f"{name} must be 1 to {KEY_LIMIT} printable characters", code=f"{name}_invalid"
        )
    return value


def storable(text: str) -> bool:
    """Whether every database can keep the text: it has no NUL and no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def preview(body: str) -> str:
    """The first characters of a body on one line, for a list row: at most 140 code points.

    It ends with a whole grapheme cluster (UAX #29): half a flag is another sign, and a letter
    without its accent another letter.
    """
    line = " ".join(body[: PREVIEW_LENGTH * 4].split())
    if len(line) <= PREVIEW_LENGTH and len(body) <= PREVIEW_LENGTH * 4:
        return line
    kept = ""
    for cluster in regex.findall(r"\X", line[:PREVIEW_LENGTH]):
        if len(kept) + len(cluster) >= PREVIEW_LENGTH:
            break
        kept += cluster
    return (kept or line[: PREVIEW_LENGTH - 1]).rstrip() + "…"


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"the {name} must be text", code=f"{name}_not_text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"the {name} has a lone surrogate", code=f"{name}_characters") from None
    if _CONTROL.search(value):
        raise InvalidInput(f"the {name} has a control character", code=f"{name}_characters")
    return value


def _visible(text: str) -> bool:
    return any(unicodedata.category(c) not in {"Zs", "Zl", "Zp", "Cc", "Cf"} for c in text)
