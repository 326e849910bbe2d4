"""Commands that copy everything, bring it back, and look whether it is whole."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinic_chat.cli.running import fail, read_settings

if TYPE_CHECKING:
    from clinic_chat.doctor.finding import Finding
    from clinic_chat.settings import Settings

IdentityOption = Annotated[
    list[Path] | None,
    typer.Option("--identity", help="File with the private key of an encrypted backup."),
]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write.")],
    encrypt_to: Annotated[
        list[str] | None,
        typer.Option(
            help="Public key (age1…) of somebody who may open it; again for more.",
            show_default="CLINIC_CHAT_BACKUP_ENCRYPT_TO",
        ),
    ] = None,
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Leave the key file out.")
    ] = False,
) -> None:
    """Write the database, the key and the files into one archive; a server may run meanwhile."""
    from clinic_chat.backups.archives.manifest import KeyPlace
    from clinic_chat.backups.backup import make_backup
    from clinic_chat.backups.errors import BackupError

    settings = read_settings()
    _tidy_up_when_told_to_end()
    # People's messages go first.
    os.nice(10)
    try:
        made = make_backup(
            settings, file, encrypt_to or settings.backup_encrypt_to, with_key=not without_key
        )
    except BackupError as error:
        fail(f"no backup was made: {error}")
    messages = made.manifest.counts.get("messages", 0)
    typer.echo(
        f"Wrote {file}: {made.size:,} bytes in {made.seconds:.1f} s, {messages:,} messages, "
        f"schema {made.manifest.schema_revision}; the key is {made.manifest.key}."
    )
    if not made.encrypted:
        key = " and the key" if made.manifest.key is KeyPlace.INCLUDED else ""
        typer.echo(f"Warning: it holds health data{key}, and is not encrypted.", err=True)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that `backup` wrote.")],
    identity: IdentityOption = None,
) -> None:
    """Put a backup where the settings say, when there is nothing yet."""
    import asyncio

    from clinic_chat.backups.archives.manifest import KeyPlace
    from clinic_chat.backups.errors import BackupError
    from clinic_chat.backups.restore import restore_backup

    _tidy_up_when_told_to_end()
    try:
        restored = restore_backup(read_settings(), file, identity or [])
    except BackupError as error:
        fail(f"nothing was restored: {error}")
    asyncio.run(_forget_cached(read_settings()))
    messages = restored.counts.get("messages", 0)
    typer.echo(
        f"Restored the state of {restored.created:%Y-%m-%d %H:%M} UTC: {messages:,} messages, "
        f"schema {restored.schema_revision}."
    )
    if restored.key is not KeyPlace.INCLUDED:
        typer.echo(
            f"The key is not in it ({restored.key}): with another one everybody has to sign in "
            "again, and what waits unsent in browsers cannot be opened.",
            err=True,
        )


def doctor(
    restore_drill: Annotated[
        bool,
        typer.Option("--restore-drill", help="Restore the newest backup aside and examine it too."),
    ] = False,
    identity: IdentityOption = None,
) -> None:
    """Examine the database and what is around it; nothing is changed.

    Exit code 0: all is fine; 1: something is wrong; 2: something could not be looked at.
    """
    import asyncio

    from clinic_chat.doctor.examination import examine
    from clinic_chat.doctor.finding import exit_code
    from clinic_chat.doctor.restore_drill import drill
    from clinic_chat.logs import configure_logging

    settings = read_settings()
    configure_logging(settings.log_level)
    _tidy_up_when_told_to_end()

    async def look() -> "list[Finding]":
        found = await examine(settings)
        return found + (await drill(settings, identity or []) if restore_drill else [])

    found = asyncio.run(look())
    width = max(len(finding.subject) for finding in found)
    for finding in found:
        typer.echo(f"{finding.verdict:<7}  {finding.subject:<{width}}  {finding.text}")
    raise typer.Exit(exit_code(found))


async def _forget_cached(settings: "Settings") -> None:
    """Have Redis forget what was read from the database before."""
    from clinic_chat.services import Services

    services = Services(settings)
    if services.cache.shared is not None:
        await services.cache.shared.forget()
    await services.close()


def _tidy_up_when_told_to_end() -> None:
    """Let SIGTERM raise, so that what is not finished is removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


COMMANDS = (backup, restore, doctor)
