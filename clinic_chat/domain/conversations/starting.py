"""Starting a conversation with a patient, or finding the one that there is."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    API_CHANNEL,
    Conversation,
    RowContext,
    start_conversation,
)
from clinic_chat.domain.conversations.events import (
    record_conversation_event,
    record_patient_change,
)
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversation
from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.patients.entered_identities import EnteredPatient, checked_patient
from clinic_chat.domain.patients.patient import load_patient
from clinic_chat.domain.patients.recognition import sending_patient
from clinic_chat.storage.statements import ON_EVENT_LOOP


@dataclass(frozen=True)
class StartedConversation:
    """A patient's conversation; `created` is False when there was one."""

    conversation: StaffConversation
    created: bool


async def start_conversation_with(
    scope: ClinicScope, patient: object, channel: str = API_CHANNEL
) -> StartedConversation:
    """Start a conversation with a patient, without a message yet, unless there is one.

    `patient` is a patient's id or an `EnteredPatient`, who is found as the sender of a message is
    (domain/patients/recognition.py) or else made.

    Raises:
        Forbidden: the actor may not change conversations or, with an `EnteredPatient`, patients.
        NotFound: the id is unknown, malformed or another clinic's.
        InvalidInput: a rule of `checked_patient`, or `identity_missing`.
    """
    require(scope, Permission.CHANGE_CONVERSATIONS)
    named = None
    if isinstance(patient, EnteredPatient):
        require(scope, Permission.CHANGE_PATIENTS)
        named = checked_patient(patient, needs_identity=True)

    def start(session: Session) -> StartedConversation:
        if named is not None:
            person, _ = sending_patient(session, named.identities, named.name)
            if session.is_modified(person):
                record_patient_change(session, person)
        else:
            person = load_patient(session, patient)
        target, assignee = find_or_start(session, person.id, channel)
        created = target.version == 0
        if created:
            record_conversation_event(
                session,
                target,
                EventType.CONVERSATION_UPDATED,
                was=None,
                context=RowContext(person, assignee),
            )
        return StartedConversation(staff_conversation(target, person, assignee), created)

    return await scope.transact(start)


def find_or_start(
    session: Session, patient_id: UUID, channel: str
) -> tuple[Conversation, str | None]:
    """A patient's conversation on a channel, a new one if need be, and its assignee's name.

    One without a `version` is new: its first event is for the caller to record.
    """
    place = {"patient": patient_id, "channel": channel}
    found = session.execute(_PLACE, place).one_or_none()
    if found is not None:
        return found[0], found[1]
    conversation = start_conversation(session, patient_id, channel)
    session.flush()
    return conversation, None


_PLACE = (
    select(Conversation, User.name)
    .outerjoin(User, User.id == Conversation.assignee_id)
    .where(
        Conversation.patient_id == bindparam("patient"),
        Conversation.channel == bindparam("channel"),
    )
    .execution_options(**ON_EVENT_LOOP)
)
