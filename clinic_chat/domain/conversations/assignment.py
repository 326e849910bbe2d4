"""Changes of a conversation's assignee and status."""

from uuid import UUID

from sqlalchemy import select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Status, load_conversation
from clinic_chat.domain.conversations.counts import count_key
from clinic_chat.domain.conversations.events import record_conversation_event
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType


class AlreadyTaken(Conflict):
    """The assignee was changed meanwhile; `name` is the new assignee, "" for nobody."""

    code = "already_assigned"

    def __init__(self, name: str) -> None:
        super().__init__(f"assigned to {name or 'nobody'} meanwhile")
        self.name = name


async def set_status(scope: ClinicScope, conversation: object, status: object) -> None:
    """Open a conversation, put it on hold or resolve it.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `status_invalid`.
    """
    require(scope, Permission.CHANGE_CONVERSATIONS)
    if not isinstance(status, str) or status not in set(Status):
        raise InvalidInput("status is open, pending or resolved", code="status_invalid")
    async with scope.write() as session:
        target = await load_conversation(session, conversation)
        if target.status == status:
            return
        was = count_key(target)
        target.status = Status(str(status))
        record_conversation_event(session, target, EventType.CONVERSATION_UPDATED, was=was)


async def assign(
    scope: ClinicScope, conversation: object, assignee: object, expected: object
) -> None:
    """Assign a conversation to a colleague, or to nobody, if its assignee is still `expected`.

    Ids are strings, "" is nobody. This is a compare-and-set: of two people who take a
    conversation at the same moment, the second is told who has it (Rocket.Chat #22206).

    Raises:
        NotFound: the conversation or the colleague is not in this clinic.
        InvalidInput: `assignee_invalid`.
        AlreadyTaken: the conversation's assignee is not `expected`.
    """
    require(scope, Permission.CHANGE_CONVERSATIONS)
    wanted = _person(assignee)
    believed = _person(expected)
    async with scope.write() as session:
        target = await load_conversation(session, conversation)
        if target.assignee_id == wanted:
            return
        if target.assignee_id != believed:
            holder = await session.get(User, target.assignee_id) if target.assignee_id else None
            raise AlreadyTaken(holder.name if holder else "")
        if wanted is not None:
            member = await session.scalar(
                select(Membership.user_id).where(
                    Membership.user_id == wanted,
                    Membership.clinic_id == scope.clinic_id,
                    Membership.deactivated_at.is_(None),
                )
            )
            if member is None:
                raise NotFound("no such colleague")
        was = count_key(target)
        target.assignee_id = wanted
        record_conversation_event(session, target, EventType.CONVERSATION_UPDATED, was=was)


def _person(value: object) -> UUID | None:
    if value == "":
        return None
    try:
        if not isinstance(value, str):
            raise ValueError("not text")
        return UUID(value)
    except ValueError:
        raise InvalidInput("not a colleague's id", code="assignee_invalid") from None
