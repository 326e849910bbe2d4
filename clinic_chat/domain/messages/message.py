"""Messages: what patients and staff write, numbered 1, 2, 3 … in each conversation."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.characters import cut
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    RowContext,
    Status,
    iso,
)
from clinic_chat.domain.conversations.events import count_key, record_conversation_event
from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.messages.inbound import MessageKind, inbound_message
from clinic_chat.domain.patients.recognition import sending_patient
from clinic_chat.domain.validation import BODY_LIMIT, preview
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.database import AnySession
from clinic_chat.storage.statements import ON_EVENT_LOOP

API_CHANNEL = "api"


class Direction(StrEnum):
    """Who wrote: the patient's side or the clinic's."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MessageStatus(StrEnum):
    """How far an outbound message got."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Message(ClinicOwned, Base):
    """A message. (clinic, origin, client_id) is unique for ever: a repeated send is the same one.

    `origin` names who chose the `client_id`: `staff:<user id>`, `api` or `import`.
    `body_length` is how long a body was that was too long to be kept whole, `sent_at` the
    channel's own time; `seq` and `created_at` are of when it arrived.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("clinic_id", "origin", "client_id"),
        Index(None, "conversation_id", "seq", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    seq: Mapped[int] = mapped_column(BigInteger)
    direction: Mapped[Direction] = mapped_column(String(10))
    author_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), default=None
    )
    author_name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[MessageKind] = mapped_column(
        String(20), default=MessageKind.TEXT, server_default=MessageKind.TEXT
    )
    body: Mapped[str] = mapped_column(Text)
    body_length: Mapped[int | None] = mapped_column(BigInteger, default=None)
    origin: Mapped[str] = mapped_column(String(50))
    client_id: Mapped[str] = mapped_column(String(200))
    status: Mapped[MessageStatus] = mapped_column(String(10), default=MessageStatus.SENT)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    delivered_at: Mapped[datetime | None] = mapped_column(default=None)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    failed_at: Mapped[datetime | None] = mapped_column(default=None)
    failure: Mapped[str] = mapped_column(String(200), default="")


@dataclass(frozen=True)
class MessageView:
    """A message as screens and the API show it; times are ISO 8601 in UTC, "" when not yet.

    `at` is when it was sent, `received_at` when it arrived, where a channel's time says
    otherwise. `body_length` is the length of the whole when `body` is only its beginning, or 0.
    """

    id: str
    conversation_id: str
    seq: int
    direction: str
    author_id: str
    author_name: str
    kind: str
    body: str
    body_length: int
    client_id: str
    status: str
    at: str
    received_at: str
    delivered_at: str
    read_at: str
    failed_at: str
    failure: str


@dataclass(frozen=True)
class StoredMessage:
    """The message a send or a receipt led to; `created` is False for a repetition."""

    message: MessageView
    created: bool


async def receive_message(
    scope: ClinicScope,
    *,
    name: object,
    phone: object,
    body: object,
    external_id: object,
    patient_id: object = None,
    kind: object = None,
    caption: object = None,
    at: object = None,
) -> StoredMessage:
    """Store what a patient wrote, once per `external_id`.

    The patient is found by the id that another system has for them (`patient_id`), or by phone.

    Raises:
        InvalidInput: the request is malformed, a code of `inbound_message`.
    """
    require(scope, Permission.DELIVER_MESSAGES)
    moment = now()
    incoming = inbound_message(
        name=name,
        phone=phone,
        body=body,
        external_id=external_id,
        patient_id=patient_id,
        kind=kind,
        caption=caption,
        at=at,
        moment=moment,
    )

    def store(session: Session) -> StoredMessage:
        if known := _stored(session, API_CHANNEL, incoming.key):
            return StoredMessage(message_view(known, whole=True), created=False)
        patient, author_name = sending_patient(session, incoming.identities, incoming.name)
        place = {"patient": patient.id, "channel": API_CHANNEL}
        found = session.execute(_PLACE, place).one_or_none()
        if found is None:
            target, assignee = start_conversation(session, patient.id, API_CHANNEL), None
            session.flush()
        else:
            target, assignee = found
        message = append_message(
            session,
            target,
            direction=Direction.INBOUND,
            author_name=author_name,
            kind=incoming.kind,
            body=incoming.body,
            body_length=incoming.length,
            origin=API_CHANNEL,
            client_id=incoming.key,
            sent_at=incoming.sent_at,
            context=RowContext(patient, assignee),
        )
        return StoredMessage(message_view(message, whole=True), created=True)

    return await scope.transact_shared(store)


def start_conversation(session: AnySession, patient_id: UUID, channel: str) -> Conversation:
    """A new, empty conversation in the session's transaction."""
    conversation = Conversation(
        id=new_id(),
        patient_id=patient_id,
        channel=channel,
        status=Status.OPEN,
        version=0,
        last_seq=0,
        inbound_count=0,
    )
    session.add(conversation)
    return conversation


def append_message(
    session: AnySession,
    conversation: Conversation,
    *,
    direction: Direction,
    author_name: str,
    body: str,
    origin: str,
    client_id: str,
    kind: MessageKind = MessageKind.TEXT,
    body_length: int | None = None,
    author_id: UUID | None = None,
    at: datetime | None = None,
    sent_at: datetime | None = None,
    context: RowContext | None = None,
) -> Message:
    """Add the next message to a conversation and log it, in the caller's transaction.

    The caller holds the clinic's lock, so the numbers have no holes. An inbound message
    reopens a resolved conversation. `context` is as of
    `record_conversation_event`.
    """
    moment = at or now()
    was = count_key(conversation) if conversation.last_seq else None
    conversation.last_seq += 1
    conversation.last_activity_at = moment
    conversation.preview = preview(body)
    conversation.preview_kind = kind
    conversation.preview_direction = direction
    conversation.preview_author_id = author_id
    conversation.preview_author = author_name
    conversation.preview_status = MessageStatus.SENT
    if direction is Direction.INBOUND:
        conversation.inbound_count += 1
        if conversation.status == Status.RESOLVED:
            conversation.status = Status.OPEN
    message = Message(
        id=new_id(),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        direction=direction,
        author_id=author_id,
        author_name=author_name,
        kind=kind,
        body=body,
        body_length=body_length,
        origin=origin,
        client_id=client_id,
        status=MessageStatus.SENT,
        sent_at=sent_at,
        created_at=moment,
        failure="",
    )
    session.add(message)
    record_conversation_event(
        session,
        conversation,
        EventType.MESSAGE_NEW,
        {"messageId": str(message.id), "seq": message.seq, "direction": direction},
        was=was,
        context=context,
        message=message,
    )
    return message


def _stored(session: Session, origin: str, key: str) -> Message | None:
    message: Message | None = session.scalar(_KNOWN, {"origin": origin, "key": key})
    return message


_KNOWN = (
    select(Message)
    .where(Message.origin == bindparam("origin"), Message.client_id == bindparam("key"))
    .execution_options(**ON_EVENT_LOOP)
)
_PLACE = (
    select(Conversation, User.name)
    .outerjoin(User, User.id == Conversation.assignee_id)
    .where(
        Conversation.patient_id == bindparam("patient"),
        Conversation.channel == bindparam("channel"),
    )
    .execution_options(**ON_EVENT_LOOP)
)


def message_view(message: Message, *, whole: bool = False) -> MessageView:
    """The message as it is shown: in lists only the beginning of a body that staff cannot write."""
    body = message.body if whole else cut(message.body, BODY_LIMIT)
    length = message.body_length or len(message.body)
    return MessageView(
        id=str(message.id),
        conversation_id=str(message.conversation_id),
        seq=message.seq,
        direction=message.direction,
        author_id=str(message.author_id or ""),
        author_name=message.author_name,
        kind=message.kind,
        body=body,
        body_length=length if length > len(body) else 0,
        client_id=message.client_id if message.direction == Direction.OUTBOUND else "",
        status=message.status,
        at=iso(message.sent_at or message.created_at),
        received_at=iso(message.created_at) if message.sent_at else "",
        delivered_at=_iso(message.delivered_at),
        read_at=_iso(message.read_at),
        failed_at=_iso(message.failed_at),
        failure=message.failure,
    )


def _iso(moment: datetime | None) -> str:
    return iso(moment) if moment else ""
