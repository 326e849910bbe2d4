"""What a channel delivers, made storable: a patient's message is never refused for its form."""

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
# What lies further behind is counted and not cleaned, which would take a tenth of a second.
READ_LIMIT = 2 * INBOUND_LIMIT
# Clocks of channels differ from ours; what is further off is a wrong clock or an old archive.
AHEAD = timedelta(minutes=5)
BEHIND = timedelta(days=30)


class MessageKind(StrEnum):
    """What a message is; of all but text only the words beside it are kept."""

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
    """Of the patient, the strongest first."""
    name: str
    """What the channel calls the person, "" when it gives no name."""
    kind: MessageKind
    body: str
    length: int | None
    """How many characters were delivered, when there were more than `INBOUND_LIMIT`."""
    key: str
    sent_at: datetime | None
    """When the channel got it, None when it does not say or its clock is wrong."""


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
    """The message that a channel delivers at `moment`.

    Text is cleaned and cut where it is too long. A kind that is not known is `unsupported`. A
    message without anything to see is stored with an empty body.

    Raises:
        InvalidInput: the request is malformed: `phone_missing`, `externalId_missing`,
            `body_missing` (neither a body nor a kind), or `<field>_not_text`.
    """
    own = external_identity(_text(patient_id, "patientId"))
    # Who has an id may have no number.
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
    """The time in an RFC 3339 text, None when there is none that can be right at `moment`.

    It names its offset from UTC, and lies at most 5 minutes after `moment` and 30 days before.
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
    """The channel's id of the message; one that cannot be stored is told by its hash."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput("externalId is missing", code="externalId_missing")
    if len(value) <= KEY_LIMIT and value.isprintable():
        return value
    return hashed_key(value)
