"""Changes of a conversation's assignee and status."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    RowContext,
    Status,
    conversation_id,
    load_rows,
)
from clinic_chat.domain.conversations.counts import count_key
from clinic_chat.domain.conversations.events import record_conversation_event
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversation
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType
from clinic_chat.storage.statements import ON_EVENT_LOOP

AS_IT_IS: Final = object()
"""In place of a value: it is not changed, or whatever it is will do."""


class AlreadyTaken(Conflict):
    """The assignee was changed meanwhile; `name` is the new assignee, "" for nobody."""

    code = "already_assigned"

    def __init__(self, name: str, assignee: UUID | None = None) -> None:
        super().__init__(f"assigned to {name or 'nobody'} meanwhile")
        self.name = name
        self.details = {"assigneeId": str(assignee or ""), "assigneeName": name}


@dataclass(frozen=True)
class ConversationChange:
    """What to change of a conversation; ids are strings, "" is nobody."""

    status: object = AS_IT_IS
    assignee: object = AS_IT_IS
    expected: object = AS_IT_IS
    """The assignee from whom it may be taken."""


async def set_status(scope: ClinicScope, conversation: object, status: object) -> None:
    """Open a conversation, put it on hold or resolve it.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `status_invalid`.
    """
    await change_conversation(scope, conversation, ConversationChange(status))


async def assign(
    scope: ClinicScope, conversation: object, assignee: object, expected: object
) -> None:
    """Assign a conversation to a colleague, or to nobody, if its assignee is still `expected`.

    Raises:
        As of `change_conversation`.
    """
    change = ConversationChange(assignee=assignee, expected=expected)
    await change_conversation(scope, conversation, change)


async def change_conversation(
    scope: ClinicScope, conversation: object, change: ConversationChange
) -> StaffConversation:
    """Change the status, the assignee or both at once. Returns the conversation as it is then.

    With `expected` this is a compare-and-set: of two people who take a conversation at the same
    moment, the second is told who has it (Rocket.Chat #22206).

    Raises:
        NotFound: the conversation or the colleague is not in this clinic.
        InvalidInput: `status_invalid` or `assignee_invalid`.
        AlreadyTaken: the conversation's assignee is not `expected`.
    """
    require(scope, Permission.CHANGE_CONVERSATIONS)
    status = None if change.status is AS_IT_IS else _status(change.status)
    keeps_assignee = change.assignee is AS_IT_IS
    assignee = None if keeps_assignee else _person(change.assignee)
    anybody = change.expected is AS_IT_IS
    expected = None if anybody else _person(change.expected)
    wanted = conversation_id(conversation)

    def apply(session: Session) -> StaffConversation:
        found = load_rows(session, [wanted]).get(wanted)
        if found is None:
            raise NotFound("no such conversation")
        target, context = found
        was = count_key(target)
        if not keeps_assignee and target.assignee_id != assignee:
            if not anybody and target.assignee_id != expected:
                raise AlreadyTaken(context.assignee_name or "", target.assignee_id)
            context = RowContext(context.patient, _colleague(session, scope, assignee))
            target.assignee_id = assignee
        if status is not None:
            target.status = status
        if count_key(target) != was:
            record_conversation_event(
                session, target, EventType.CONVERSATION_UPDATED, was=was, context=context
            )
        return _view(target, context)

    return await scope.transact(apply)


def _view(conversation: Conversation, context: RowContext) -> StaffConversation:
    return staff_conversation(conversation, context.patient, context.assignee_name)


def _colleague(session: Session, scope: ClinicScope, assignee: UUID | None) -> str | None:
    """The name of whoever is to have a conversation, None for nobody."""
    if assignee is None:
        return None
    whose = {"person": assignee, "clinic": scope.clinic_id}
    name: str | None = session.scalar(_COLLEAGUE, whose)
    if name is None:
        raise NotFound("no such colleague")
    return name


def _status(value: object) -> Status:
    if not isinstance(value, str) or value not in set(Status):
        raise InvalidInput("status is open, pending or resolved", code="status_invalid")
    return Status(value)


def _person(value: object) -> UUID | None:
    if value == "":
        return None
    try:
        if not isinstance(value, str):
            raise ValueError("not text")
        return UUID(value)
    except ValueError:
        raise InvalidInput("not a colleague's id", code="assignee_invalid") from None


_COLLEAGUE = (
    select(User.name)
    .join(Membership, Membership.user_id == User.id)
    .where(
        User.id == bindparam("person"),
        Membership.clinic_id == bindparam("clinic"),
        Membership.deactivated_at.is_(None),
    )
    .execution_options(**ON_EVENT_LOOP)
)
