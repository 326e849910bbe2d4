"""The registry of commands; a new module with `COMMANDS` is named in it."""

from clinic_chat.realtime.commands import activity, conversations, feeds, messages, personal

COMMANDS = {
    command.name: command
    for module in (messages, conversations, personal, feeds, activity)
    for command in module.COMMANDS
}
