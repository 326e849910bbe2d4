"""Names of the Socket.IO rooms; `feeds/subscriptions.py` checks permissions when a tab enters."""

from uuid import UUID


def clinic(clinic_id: UUID) -> str:
    """The room of all tabs of a clinic."""
    return f"clinic:{clinic_id}"


def presence(clinic_id: UUID) -> str:
    """The room of a clinic's programs that may know who is there."""
    return f"presence:{clinic_id}"


def conversation(clinic_id: UUID, conversation_id: UUID | str) -> str:
    """The room of all tabs of a clinic that have a conversation open.

    Nothing is ever sent to the room of one clinic and another clinic's conversation.
    """
    return f"conversation:{clinic_id}:{conversation_id}"


def person(clinic_id: UUID, user_id: UUID) -> str:
    """The room of all tabs of one person in one clinic, on all devices."""
    return f"person:{clinic_id}:{user_id}"
