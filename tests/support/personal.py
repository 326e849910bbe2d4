"""What is one person's alone, as a screen that opens a conversation gets it."""

from uuid import UUID

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.queries.thread import open_conversation


async def find_draft(scope: ClinicScope, conversation: UUID | str) -> str:
    """The person's draft in a conversation, "" when there is none."""
    return (await open_conversation(scope, conversation)).draft


async def read_seq(scope: ClinicScope, conversation: UUID | str) -> int:
    """The number of the last message this person has read in a conversation, 0 for none."""
    return (await open_conversation(scope, conversation)).read_seq
