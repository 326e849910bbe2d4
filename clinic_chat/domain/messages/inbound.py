"""Inbound messages: makes a channel's data storable, and never refuses a message for its text."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from clinic_chat.domain.characters import clean_text, cut, is_visible
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patients.identities import Identity, external_identity, phone_identity
from clinic_chat.domain.patients.names import person_name
from clinic_chat.domain.validation import KEY_LIMIT, hashed_key
from clinic_chat.storage.base import to_millisecond

INBOUND_LIMIT = 65_536
# Characters that are cleaned; the rest is only counted, or it would take a tenth of a second.
READ_LIMIT = 2 * INBOUND_LIMIT
# Tolerance for channels' clocks; a time further off means a wrong clock or an old archive.
AHEAD = timedelta(minutes=5)
BEHIND = timedelta(days=30)


class MessageKind(StrEnum):
    """The kind of a message; of every kind but text only the accompanying text is kept."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    LOCATION = "location"
    CONTACT = "contact"
    STICKER = "sticker"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class InboundMessage:
    """A patient's message as it is stored."""

    identities: tuple[Identity, ...]
    """The patient's, the strongest first."""
    name: str
    """The channel's name for the person, "" when it gives none."""
    kind: MessageKind
    body: str
    length: int | None
    """The number of delivered characters if over `INBOUND_LIMIT`, else None."""
    key: str
    sent_at: datetime | None
    """The channel's own time, None when it is missing or not plausible."""


def inbound_message(
    *,
    name: object,
    phone: object,
    body: object,
    external_id: object,
    patient_id: object = None,
    kind: object = None,
    caption: object = None,
    at: object = None,
    moment: datetime,
) -> InboundMessage:
    """Normalise a message that a channel delivers at `moment`.

    Text is cleaned, and cut where it is too long. An unknown kind becomes `unsupported`. A
    message without visible text gets an empty body.

    Raises:
        InvalidInput: the request is malformed: `phone_missing`, `externalId_missing`,
            `body_missing` (neither a body nor a kind), or `<field>_not_text`.
    """
    own = external_identity(_text(patient_id, "patientId"))
    # A patient with an id of the other system may have no number.
    number = None if own and not _readable(_text(phone, "phone")) else phone_identity(phone)
    key = _key(external_id)
    if body is None and caption is None and kind is None:
        raise InvalidInput("the message has neither a body nor a kind", code="body_missing")
    given = [_text(body, "body"), _text(caption, "caption")]
    text = "\n".join(dict.fromkeys(part for part in map(_readable, given) if part))
    length = len(text) + sum(max(0, len(part) - READ_LIMIT) for part in given)
    return InboundMessage(
        identities=tuple(identity for identity in (own, number) if identity),
        name=person_name(_text(name, "name")),
        kind=_kind(_text(kind, "kind")) if kind is not None else MessageKind.TEXT,
        body=cut(text, INBOUND_LIMIT),
        length=length if length > INBOUND_LIMIT else None,
        key=key,
        sent_at=channel_time(at, moment),
    )


def channel_time(value: object, moment: datetime) -> datetime | None:
    """The time in an RFC 3339 text, None when it is missing, malformed or not plausible.

    A plausible time has a UTC offset and is at most 5 minutes after and 30 days before `moment`.
    """
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip().upper())
        if at.tzinfo is None or not moment - BEHIND <= at <= moment + AHEAD:
            return None
        return to_millisecond(at.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _text(value: object, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"the {field} must be text", code=f"{field}_not_text")
    return value


def _readable(given: str) -> str:
    text = clean_text(given[:READ_LIMIT]).strip()
    return text if is_visible(text) else ""


def _kind(value: str) -> MessageKind:
    try:
        return MessageKind(value.strip().lower())
    except ValueError:
        return MessageKind.UNSUPPORTED


def _key(value: object) -> str:
    """The channel's id of the message, or its hash when it cannot be stored."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput("externalId is missing", code="externalId_missing")
    if len(value) <= KEY_LIMIT and value.isprintable():
        return value
    return hashed_key(value)
