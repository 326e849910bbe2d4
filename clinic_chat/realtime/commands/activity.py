"""Commands about what a person does right now: `typing:start`, `typing:stop`, `viewing:…`."""

from clinic_chat.realtime.commands.command import (
    Command,
    CommandContext,
    Data,
    open_conversation_id,
)
from clinic_chat.realtime.connections import Connection


async def start_typing(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Tell colleagues that this person types in the open conversation."""
    await context.activity.start_typing(connection, open_conversation_id(connection, data))
    return {}


async def stop_typing(context: CommandContext, connection: Connection, _data: Data) -> Data:
    """Tell colleagues that this person has stopped typing."""
    await context.activity.stop_typing(connection)
    return {}


async def start_viewing(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Tell colleagues that this person looks at the open conversation."""
    await context.activity.look(connection, open_conversation_id(connection, data))
    return {}


async def stop_viewing(context: CommandContext, connection: Connection, _data: Data) -> Data:
    """Tell colleagues that this person looks elsewhere."""
    await context.activity.look_away(connection)
    return {}


COMMANDS = (
    Command("typing:start", start_typing, by_a_person=True),
    Command("typing:stop", stop_typing),
    Command("viewing:start", start_viewing),
    Command("viewing:stop", stop_viewing),
)
