"""Receiving messages: stores a patient's message from a channel in the patient's conversation."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import API_CHANNEL, RowContext
from clinic_chat.domain.conversations.starting import find_or_start
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.inbound import inbound_message
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.domain.messages.views import StoredMessage, staff_message
from clinic_chat.domain.patients.recognition import sending_patient
from clinic_chat.storage.base import now
from clinic_chat.storage.statements import ON_EVENT_LOOP


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
    """Store a patient's message, once per `external_id`.

    The patient is found by another system's id for them (`patient_id`) or by phone.

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
            return StoredMessage(staff_message(known, whole=True), created=False)
        patient, author_name = sending_patient(session, incoming.identities, incoming.name)
        target, assignee = find_or_start(session, patient.id, API_CHANNEL)
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
        return StoredMessage(staff_message(message, whole=True), created=True)

    return await scope.transact_shared(store)


def _stored(session: Session, origin: str, key: str) -> Message | None:
    message: Message | None = session.scalar(_KNOWN, {"origin": origin, "key": key})
    return message


_KNOWN = (
    select(Message)
    .where(Message.origin == bindparam("origin"), Message.client_id == bindparam("key"))
    .execution_options(**ON_EVENT_LOOP)
)
