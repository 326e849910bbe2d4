"""Demo replay: stores the demo's conversations as if they had just happened in a clinic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.demo.script import Line, Script
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.conversations.conversation import (
    API_CHANNEL,
    Conversation,
    start_conversation,
)
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction, Message, MessageStatus
from clinic_chat.domain.patients.identities import identity_row, phone_identity, show_identity
from clinic_chat.domain.patients.patient import new_patient
from clinic_chat.domain.patients.search_words import note_searchable
from clinic_chat.storage.base import new_id, now

DELIVERY = timedelta(seconds=2)
READING = timedelta(seconds=20)


@dataclass(frozen=True)
class _Said:
    at: datetime
    line: Line
    script: Script
    answered: bool


async def replay(
    session: AsyncSession, scripts: list[Script], staff: dict[str, User], zone: ZoneInfo
) -> None:
    """Store the conversations in the session's transaction; the caller holds the clinic's lock.

    `staff` are the clinic's people by their handles. Everybody has read a conversation to its
    end, unless its script lists them in `unread_by`.
    """
    moment = now()
    said = [item for script in scripts for item in _said(script, moment, zone)]
    conversations = await _start(session, scripts, moment, zone)
    answered_until: dict[str, tuple[int, int]] = {}
    # In order of time, so that the conversations alternate in the clinic's log as in real use.
    for item in sorted(said, key=lambda one: one.at):
        conversation = conversations[item.script.phone]
        message = _append(session, conversation, item, staff)
        if message.direction is Direction.OUTBOUND:
            _follow(message, item)
            conversation.preview_status = message.status
            answered_until[item.script.phone] = (message.seq, conversation.inbound_count)
    for script in scripts:
        conversation = conversations[script.phone]
        conversation.status = script.status
        conversation.assignee_id = staff[script.assignee].id if script.assignee else None
        behind = answered_until.get(script.phone, (0, 0))
        for handle, user in staff.items():
            _mark(session, conversation, user, behind if handle in script.unread_by else None)


def _said(script: Script, moment: datetime, zone: ZoneInfo) -> Iterator[_Said]:
    told = [
        (at, line)
        for block in script.blocks
        for at, line in zip(block.times(moment, zone), block.lines, strict=True)
    ]
    for number, (at, line) in enumerate(told):
        answered = any(not later.who for _, later in told[number:])
        yield _Said(at, line, script, answered)


async def _start(
    session: AsyncSession, scripts: list[Script], moment: datetime, zone: ZoneInfo
) -> dict[str, Conversation]:
    """Add each script's patient and empty conversation; returns them by phone number."""
    patients = []
    identities = [phone_identity(script.phone) for script in scripts]
    for script, identity in zip(scripts, identities, strict=True):
        patient = new_patient(script.patient)
        patient.id = new_id()
        show_identity(patient, identity)
        patient.created_at = script.blocks[0].times(moment, zone)[0]
        patients.append(patient)
        note_searchable(session, patient, is_new=True)
    session.add_all(patients)
    await session.flush()
    session.add_all(
        identity_row(patient, identity)
        for patient, identity in zip(patients, identities, strict=True)
    )
    conversations = {}
    for script, patient in zip(scripts, patients, strict=True):
        conversation = start_conversation(session, patient.id, API_CHANNEL)
        conversation.created_at = patient.created_at
        conversations[script.phone] = conversation
    await session.flush()
    return conversations


def _append(
    session: AsyncSession, conversation: Conversation, item: _Said, staff: dict[str, User]
) -> Message:
    author = staff[item.line.who] if item.line.who else None
    return append_message(
        session,
        conversation,
        direction=Direction.OUTBOUND if author else Direction.INBOUND,
        author_id=author.id if author else None,
        author_name=author.name if author else item.script.patient,
        body=item.line.body,
        origin=f"staff:{author.id}" if author else API_CHANNEL,
        client_id=f"demo:{item.script.phone}:{conversation.last_seq + 1}",
        at=item.at,
    )


def _follow(message: Message, item: _Said) -> None:
    """Set the status of an outbound message: read when the patient answered, else delivered."""
    usual = MessageStatus.READ if item.answered else MessageStatus.DELIVERED
    message.status = item.line.status or usual
    if message.status is MessageStatus.FAILED:
        message.failed_at = item.at + DELIVERY
        message.failure = item.line.failure
    elif message.status is not MessageStatus.SENT:
        message.delivered_at = item.at + DELIVERY
    if message.status is MessageStatus.READ:
        message.read_at = item.at + READING


def _mark(
    session: AsyncSession, conversation: Conversation, user: User, behind: tuple[int, int] | None
) -> None:
    seq, inbound_read = behind or (conversation.last_seq, conversation.inbound_count)
    session.add(
        ReadMarker(
            user_id=user.id,
            conversation_id=conversation.id,
            seq=seq,
            inbound_read=inbound_read,
        )
    )
