"""Validation of text from people and machines: message bodies, names and keys."""

import hashlib

from clinic_chat.domain.characters import clean_line, clean_text, cut, is_visible
from clinic_chat.domain.errors import InvalidInput

BODY_LIMIT = 4_000
NAME_LIMIT = 120
KEY_LIMIT = 200
PREVIEW_LENGTH = 140


def valid_body(value: object) -> str:
    """A message body from staff, cleaned (`clean_text`) and trimmed at the ends.

    Raises:
        InvalidInput: `body_not_text`, `body_empty` (nothing to see) or `body_too_long`
            (over 4,000 characters, counted as Unicode code points).
    """
    text = clean_text(_text(value, "body")).strip()
    if not is_visible(text):
        raise InvalidInput("the body is empty", code="body_empty")
    if len(text) > BODY_LIMIT:
        raise InvalidInput(f"the body has over {BODY_LIMIT} characters", code="body_too_long")
    return text


def valid_name(value: object) -> str:
    """A name from staff or an operator, cleaned: one line of 1 to 120 characters.

    Raises:
        InvalidInput: `name_not_text`, `name_empty` (nothing to see) or `name_too_long`.
    """
    name = clean_line(_text(value, "name"))
    if not name:
        raise InvalidInput("the name is empty", code="name_empty")
    if len(name) > NAME_LIMIT:
        raise InvalidInput(f"the name has over {NAME_LIMIT} characters", code="name_too_long")
    return name


def valid_key(value: object, name: str) -> str:
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


def hashed_key(value: str) -> str:
    """A hash of 71 characters, stored in place of a key that cannot be stored."""
    return f"sha256:{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()}"


def storable(text: str) -> bool:
    """Whether every database can keep the text: it has no NUL and no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def preview(body: str) -> str:
    """The first characters of a body on one line, for a list row: at most 140 code points.

    It ends with a whole grapheme cluster (UAX #29): half a flag is another sign, and a letter
    without its accent another letter.
    """
    start = cut(body, PREVIEW_LENGTH * 4)
    line = " ".join(start.split())
    if len(line) <= PREVIEW_LENGTH and start == body:
        return line
    return cut(line, PREVIEW_LENGTH - 1).rstrip() + "…"


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"the {name} must be text", code=f"{name}_not_text")
    return value
