"""Names of the Socket.IO rooms. Who may be in one is decided where it is entered."""

from uuid import UUID


def clinic(clinic_id: UUID) -> str:
    """Everyone on duty at a clinic."""
    return f"clinic:{clinic_id}"


def conversation(clinic_id: UUID, conversation_id: UUID | str) -> str:
    """Everyone of this clinic who has this conversation open.

    Nothing is ever said in the room of one clinic and another's conversation.
    """
    return f"conversation:{clinic_id}:{conversation_id}"


def person(clinic_id: UUID, user_id: UUID) -> str:
    """Every tab and device of one person in one clinic."""
    return f"person:{clinic_id}:{user_id}"
