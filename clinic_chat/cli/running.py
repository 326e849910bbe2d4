"""Runs commands with the migrated database, and ends a failed one with one line."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from uuid import UUID

    from clinic_chat.settings import Settings
    from clinic_chat.storage.database import Database

T = TypeVar("T")
# Another run would not help: a supervisor can be told not to try.
SCHEMA_TOO_NEW = 3

ClinicOption = Annotated[str, typer.Option("--clinic", help="Slug of the clinic.")]
AnyClinicOption = Annotated[
    str | None, typer.Option("--clinic", help="Slug of the clinic.", show_default="all")
]
EmailOption = Annotated[str, typer.Option(help="Address that the person signs in with.")]


def with_database(work: "Callable[[Database], Awaitable[T]]") -> T:
    """The result of `work` with the migrated database; a failure ends the command in one line."""
    import asyncio

    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from clinic_chat.backups.errors import BackupError
    from clinic_chat.backups.upgrade import upgrade

    # Sessions know which rows belong to a clinic only once every table is imported.
    from clinic_chat.domain import tables  # noqa: F401
    from clinic_chat.domain.errors import DomainError
    from clinic_chat.logs import configure_logging
    from clinic_chat.storage.database import Database, StorageUnavailable
    from clinic_chat.storage.migrate import SchemaTooNew

    settings = read_settings()

    async def run() -> T:
        # Logs go to standard error, so that standard output has only results.
        configure_logging(settings.log_level)
        settings.check_data_dir()
        await upgrade(settings)
        database = Database(settings.database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (DomainError, BackupError) as error:
        fail(str(error))
    except SchemaTooNew as error:
        fail(str(error), SCHEMA_TOO_NEW)
    except StorageUnavailable as error:
        fail(f"the database is busy or out of reach ({error}); try again")
    except UnicodeError:
        fail("an argument is not valid text")
    except (SQLAlchemyError, CommandError, OSError, ModuleNotFoundError) as error:
        # The driver's own message: SQLAlchemy's would add the statement and its parameters.
        fail(f"the database cannot be used: {getattr(error, 'orig', None) or error}")


def read_settings() -> "Settings":
    """The settings; what is wrong with them ends the command in one line."""
    from pydantic import ValidationError

    from clinic_chat.settings import get_settings

    try:
        return get_settings()
    except ValidationError as error:
        fail("; ".join(f"{_variable(e['loc'])}: {_reason(e['msg'])}" for e in error.errors()))


async def clinic_id_of(database: "Database", slug: str | None) -> "UUID | None":
    """The id of the clinic with this slug, None without a slug.

    Raises:
        NotFound: there is no such clinic.
    """
    from clinic_chat.domain.clinics.clinic import find_clinic

    return (await find_clinic(database, slug)).id if slug else None


def ask_password() -> str:
    """A password, asked for twice on a terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        password: str = typer.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
        return password
    try:
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeError:
        fail("the password on standard input is not UTF-8")
    if not password:
        fail("no password on standard input")
    return password


def print_table(header: tuple[str, ...], rows: "list[tuple[str, ...]]") -> None:
    """Print rows in columns that a script can split at two spaces."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def fail(reason: str, code: int = 1) -> NoReturn:
    """Print a reason in one line and end the command with this status."""
    typer.echo(f"clinic_chat: {reason}", err=True)
    raise typer.Exit(code)


def _variable(location: tuple[int | str, ...]) -> str:
    return f"CLINIC_CHAT_{location[0]}".upper()


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
