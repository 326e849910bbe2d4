"""The command line. Each command imports what it needs, so that asking for help is quick."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from clinic_chat.domain.imports import ImportResult
    from clinic_chat.storage.database import Database

T = TypeVar("T")

app = typer.Typer(
    name="clinic_chat",
    help="Clinic Chat: a real-time shared inbox for clinics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ClinicOption = Annotated[str, typer.Option("--clinic", help="Slug of the clinic.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
) -> None:
    """Run the production server: front end and back end on one port."""
    from clinic_chat.serve import serve as run_server

    _with_database(_ping)
    run_server(host, port)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    _with_database(_ping)
    typer.echo("The database has the newest schema.")


@app.command()
def demo() -> None:
    """Fill an empty database with two demo clinics."""
    from clinic_chat.demo import DEMO_PASSWORD, STAFF, fill_demo

    if not _with_database(fill_demo):
        typer.echo("The database has a clinic already: nothing was changed.", err=True)
        return
    typer.echo(f"Created the demo clinics. Sign in with the password {DEMO_PASSWORD} as:")
    for person in STAFF:
        typer.echo(f"  {person.email:<24}{' and '.join(person.roles)}")


@app.command()
def create_clinic(
    slug: Annotated[str, typer.Option(help="Short name for addresses: a-z, 0-9 and -.")],
    name: Annotated[str, typer.Option(help="Name as people see it.")],
    timezone: Annotated[
        str | None, typer.Option(help="IANA time zone.", show_default="America/Sao_Paulo")
    ] = None,
) -> None:
    """Create an empty clinic."""
    from clinic_chat.domain import clinics

    async def work(database: "Database") -> None:
        await clinics.create_clinic(database, slug, name, timezone or clinics.DEFAULT_TIMEZONE)

    _with_database(work)
    typer.echo(f"Created the clinic {slug}.")


@app.command()
def create_user(
    clinic: ClinicOption,
    email: Annotated[str, typer.Option(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="Name as colleagues see it.")],
    role: Annotated[
        Literal["admin", "professional", "receptionist"], typer.Option(help="What they may do.")
    ] = "receptionist",
    locale: Annotated[
        Literal["pt-BR", "en"] | None, typer.Option(help="Language; by default the browser's.")
    ] = None,
) -> None:
    """Create a person in a clinic; the password is asked for, or read from standard input.

    An address that is known from another clinic joins this one and keeps its password.
    """
    from clinic_chat.domain import staff
    from clinic_chat.domain.clinics import find_clinic

    password = _password()

    async def work(database: "Database") -> None:
        found = await find_clinic(database, clinic)
        await staff.create_user(database, found.id, email, name, password, staff.Role(role), locale)

    _with_database(work)
    typer.echo(f"{staff.normal_email(email)} works in {clinic} as {role}.")


@app.command()
def create_token(clinic: ClinicOption) -> None:
    """Create an API token of a clinic and print it: this is the only time it is shown."""
    from clinic_chat.domain import tokens
    from clinic_chat.domain.clinics import find_clinic

    async def work(database: "Database") -> str:
        found = await find_clinic(database, clinic)
        return await tokens.create_token(database, found.id)

    typer.echo(_with_database(work))


@app.command()
def import_dialogues(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns: ID, dialogue, ….")],
    clinic: ClinicOption,
) -> None:
    """Import dialogues from a CSV file; rows that are there already are left alone."""
    from rich.console import Console
    from rich.progress import Progress

    from clinic_chat.domain import imports
    from clinic_chat.domain.clinics import find_clinic
    from clinic_chat.domain.scope import ClinicScope

    console = Console(stderr=True)

    async def work(database: "Database") -> "ImportResult":
        found = await find_clinic(database, clinic)
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("Importing", total=None)
            return await imports.import_dialogues(
                ClinicScope(database, found.id),
                file,
                lambda done, total: bar.update(task, completed=done, total=total),
            )

    result = _with_database(work)
    typer.echo(
        f"Added {result.conversations} conversations with {result.messages} messages; "
        f"{result.unchanged} were there already; {len(result.problems)} rows skipped."
    )
    for problem in result.problems:
        typer.echo(f"{file}:{problem.line}: {problem.reason}", err=True)
    if result.problems:
        raise typer.Exit(1)


async def _ping(database: "Database") -> None:
    await database.ping()


def _with_database(work: "Callable[[Database], Awaitable[T]]") -> T:
    """What `work` returns, given the migrated database; a failure ends the command in one line."""
    import asyncio

    from alembic.util import CommandError
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    # The sessions know which rows belong to a clinic once every table is imported.
    from clinic_chat.domain import tables  # noqa: F401
    from clinic_chat.domain.errors import DomainError
    from clinic_chat.settings import get_settings
    from clinic_chat.storage.database import Database, StorageUnavailable
    from clinic_chat.storage.migrate import migrate as run_migrations

    async def run() -> T:
        url = get_settings().database_url
        await run_migrations(url)
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except DomainError as error:
        _fail(str(error))
    except StorageUnavailable as error:
        _fail(f"the database is busy or out of reach ({error}); try again")
    except ValidationError as error:
        _fail("; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors()))
    except UnicodeError:
        _fail("an argument is not valid text")
    except (SQLAlchemyError, CommandError, OSError, ModuleNotFoundError) as error:
        # The driver's own words: SQLAlchemy's would add the statement and its parameters.
        _fail(f"the database cannot be used: {getattr(error, 'orig', None) or error}")


def _variable(location: tuple[int | str, ...]) -> str:
    return f"CLINIC_CHAT_{location[0]}".upper()


def _password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
        return password
    try:
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeError:
        _fail("the password on standard input is not UTF-8")
    if not password:
        _fail("no password on standard input")
    return password


def _fail(reason: str) -> NoReturn:
    typer.echo(f"clinic_chat: {reason}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
