"""Messages as a process stores them that has nothing else to store."""

from uuid import uuid4

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.messages.views import StoredMessage


async def send_message(
    scope: ClinicScope, conversation: object, body: object, client_id: object
) -> StoredMessage:
    """Store an answer of the scope's staff member, as `Sends.send` does."""
    return await Sends(scope.database).send(scope, conversation, body, client_id)


async def conversation_with(scope: ClinicScope, phone: str) -> str:
    """The id of the conversation of a patient who writes from a number."""
    stored = await receive_message(
        scope, name="Helena", phone=phone, body="olá", external_id=f"{uuid4()}"
    )
    return str(stored.message.conversation_id)
