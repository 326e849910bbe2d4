"""Every command of a tab. A new one stands in a module here; a new module is a word below."""

from clinic_chat.realtime.commands import activity, conversations, feeds, messages, personal

COMMANDS = {
    command.name: command
    for module in (messages, conversations, personal, feeds, activity)
    for command in module.COMMANDS
}
