"""What is stored of one person alone."""

from uuid import UUID

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.messages.drafts import Draft


async def find_draft(scope: ClinicScope, conversation_id: UUID) -> str:
    """The person's draft in a conversation, "" when there is none."""
    async with scope.read() as session:
        draft = await session.get(Draft, (scope.staff_id(), conversation_id))
        return draft.body if draft else ""


async def read_seq(scope: ClinicScope, conversation_id: UUID) -> int:
    """The number of the last message this person has read in a conversation, 0 for none."""
    async with scope.read() as session:
        marker = await session.get(ReadMarker, (scope.staff_id(), conversation_id))
        return marker.seq if marker else 0
