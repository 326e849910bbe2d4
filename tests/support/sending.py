"""Sending as a process does that has nothing else to send."""

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.message import StoredMessage
from clinic_chat.domain.messages.sending import Sends


async def send_message(
    scope: ClinicScope, conversation: object, body: object, client_id: object
) -> StoredMessage:
    """Store an answer of the scope's staff member, as `Sends.send` does."""
    return await Sends(scope.database).send(scope, conversation, body, client_id)
