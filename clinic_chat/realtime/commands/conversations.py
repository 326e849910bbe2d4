"""Commands about a conversation: `conversation:status`, `conversation:assign`, `…:unread`."""

from clinic_chat.domain.conversations.assignment import assign as assign_conversation
from clinic_chat.domain.conversations.assignment import set_status
from clinic_chat.domain.messages.read_markers import mark_unread
from clinic_chat.realtime.commands.command import Command, CommandContext, Data
from clinic_chat.realtime.connections import Connection


async def status(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Open a conversation, put it on hold or resolve it."""
    await set_status(connection.scope, data.get("conversationId"), data.get("status"))
    return {}


async def assign(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Assign a conversation to a colleague, or to nobody, if its assignee is still `expected`."""
    await assign_conversation(
        connection.scope,
        data.get("conversationId"),
        data.get("assigneeId"),
        data.get("expected"),
    )
    return {}


async def unread(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Move this person's read marker back to before the last inbound message."""
    return {"inboundRead": await mark_unread(connection.scope, data.get("conversationId"))}


COMMANDS = (
    Command("conversation:status", status, by_a_person=True),
    Command("conversation:assign", assign, by_a_person=True),
    Command("conversation:unread", unread, by_a_person=True),
)
