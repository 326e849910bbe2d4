"""One message by its id, with its whole text."""

from sqlalchemy import bindparam, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.messages.message import Message, parse_message_id
from clinic_chat.domain.messages.views import StaffMessage, staff_message
from clinic_chat.storage.statements import ON_EVENT_LOOP


async def get_message(scope: ClinicScope, message: object) -> StaffMessage:
    """One message; its text is whole, as far as it was kept.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    wanted = parse_message_id(message)
    async with scope.read() as session:
        found = await session.scalar(_ONE, {"message": wanted})
    if found is None:
        raise NotFound("no such message")
    return staff_message(found, whole=True)


_ONE = select(Message).where(Message.id == bindparam("message")).execution_options(**ON_EVENT_LOOP)
