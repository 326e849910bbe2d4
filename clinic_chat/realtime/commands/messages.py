"""Commands about messages: `message:send`, `message:body`, `message:read`."""

from dataclasses import asdict

from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.queries.message_pages import whole_body
from clinic_chat.realtime.commands.command import Command, CommandContext, Data
from clinic_chat.realtime.connections import Connection


async def send(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Store an answer to the patient, once per `clientId`."""
    stored = await context.sends.send(
        connection.scope, data.get("conversationId"), data.get("body"), data.get("clientId")
    )
    await context.activity.stop_typing(connection)
    return {"message": asdict(stored.message)}


async def body(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """The whole text of a message that lists hold only the beginning of."""
    return asdict(await whole_body(connection.scope, data.get("conversationId"), data.get("seq")))


async def read(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Move this person's read marker forward."""
    inbound = await mark_read(connection.scope, data.get("conversationId"), data.get("seq"))
    return {"inboundRead": inbound}


COMMANDS = (
    Command("message:send", send, by_a_person=True, per_minute=lambda each: each.sends_per_minute),
    Command("message:body", body),
    Command("message:read", read),
)
