"""The command line. Each command imports what it needs, so that asking for help is quick."""

import typer

from clinic_chat.cli import backups, data, people, server, tokens

app = typer.Typer(
    name="clinic_chat",
    help="Clinic Chat: a real-time shared inbox for clinics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for module in (server, backups, data, people, tokens):
    for command in module.COMMANDS:
        app.command()(command)
