"""Commands about a person's own data: `draft:save`, `account:preferences`, `markers:get`."""

from dataclasses import asdict
from uuid import UUID

from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.conversations.conversation import conversation_id
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.drafts import save_draft
from clinic_chat.domain.messages.read_markers import personal_version, read_markers
from clinic_chat.realtime.commands.command import Command, CommandContext, Data
from clinic_chat.realtime.connections import Connection

MARKERS_AT_ONCE = 200


async def draft(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Save a draft; the answer has the draft that is stored now."""
    kept = await save_draft(
        connection.scope,
        data.get("conversationId"),
        data.get("body"),
        device=data.get("device"),
        edit=data.get("edit"),
    )
    return asdict(kept)


async def preferences(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """Save the language and whether messages play a sound."""
    await save_preferences(connection.scope, locale=data.get("locale"), sound=data.get("sound"))
    return {}


async def markers(_context: CommandContext, connection: Connection, data: Data) -> Data:
    """The read markers of this person in up to MARKERS_AT_ONCE conversations."""
    ids = data.get("ids")
    if not isinstance(ids, list) or len(ids) > MARKERS_AT_ONCE:
        raise InvalidInput(f"ids is a list of at most {MARKERS_AT_ONCE}", code="ids_invalid")
    wanted: list[UUID] = [conversation_id(item) for item in ids]
    async with connection.scope.read_snapshot() as moment, moment.read() as session:
        version = await personal_version(session, moment)
        return {"markers": await read_markers(moment, wanted), "personalVersion": version}


COMMANDS = (
    Command("draft:save", draft, by_a_person=True),
    Command("account:preferences", preferences, by_a_person=True),
    Command("markers:get", markers),
)
