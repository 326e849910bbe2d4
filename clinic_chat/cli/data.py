"""Commands about clinics and their data."""

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from clinic_chat.cli.running import ClinicOption, with_database

if TYPE_CHECKING:
    from clinic_chat.domain.imports.importer import ImportResult
    from clinic_chat.storage.database import Database

# Interval of lines where there is no progress bar.
SECONDS_BETWEEN_LINES = 5.0


def demo() -> None:
    """Fill an empty database with two demo clinics."""
    from clinic_chat.demo import DEMO_PASSWORD, STAFF, fill_demo

    if not with_database(fill_demo):
        typer.echo("The database has a clinic already: nothing was changed.", err=True)
        return
    typer.echo(f"Created the demo clinics. Sign in with the password {DEMO_PASSWORD} as:")
    for person in STAFF:
        typer.echo(f"  {person.email:<24}{' and '.join(person.roles)}")


def create_clinic(
    slug: Annotated[str, typer.Option(help="Short name for addresses: a-z, 0-9 and -.")],
    name: Annotated[str, typer.Option(help="Name as people see it.")],
    timezone: Annotated[
        str | None, typer.Option(help="IANA time zone.", show_default="America/Sao_Paulo")
    ] = None,
) -> None:
    """Create an empty clinic."""
    from clinic_chat.domain.clinics import clinic as clinics

    async def work(database: "Database") -> None:
        await clinics.create_clinic(database, slug, name, timezone or clinics.DEFAULT_TIMEZONE)

    with_database(work)
    typer.echo(f"Created the clinic {slug}.")


def import_dialogues(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns: ID, dialogue, ….")],
    clinic: ClinicOption,
) -> None:
    """Import dialogues from a CSV file; rows that are there already are left alone."""
    from rich.console import Console
    from rich.progress import Progress

    from clinic_chat.domain.clinics.actors import SYSTEM
    from clinic_chat.domain.clinics.clinic import find_clinic
    from clinic_chat.domain.clinics.scope import ClinicScope
    from clinic_chat.domain.imports import importer as imports

    console = Console(stderr=True)

    async def work(database: "Database") -> "ImportResult":
        found = await find_clinic(database, clinic)
        lines = ProgressLines()
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("Importing", total=None)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)
                if not console.is_terminal:
                    lines.show(done, total)

            return await imports.import_dialogues(
                ClinicScope(database, found.id, SYSTEM), file, show
            )

    result = with_database(work)
    typer.echo(
        f"Added {result.conversations} conversations with {result.messages} messages; "
        f"{result.unchanged} were there already; {len(result.problems)} rows skipped."
    )
    for problem in result.problems:
        typer.echo(f"{file}:{problem.line}: {problem.reason}", err=True)
    if result.problems:
        raise typer.Exit(1)


def daily_messages(clinic: ClinicOption) -> None:
    """Print how many messages a clinic had on each of the last 30 days that had any."""
    from clinic_chat.domain.clinics.actors import SYSTEM
    from clinic_chat.domain.clinics.clinic import find_clinic
    from clinic_chat.domain.clinics.scope import ClinicScope
    from clinic_chat.domain.reports import daily_messages as report

    async def work(database: "Database") -> "list[report.DayCount]":
        found = await find_clinic(database, clinic)
        return await report.daily_messages(ClinicScope(database, found.id, SYSTEM))

    for day in with_database(work):
        typer.echo(f"{day.day}  from patients {day.inbound}  to patients {day.outbound}")


class ProgressLines:
    """Prints progress as a line now and then, for logs; a short import prints none."""

    def __init__(self) -> None:
        self._said_at = monotonic()

    def show(self, done: int, total: int) -> None:
        """Print how far it is, at most every `SECONDS_BETWEEN_LINES`."""
        if monotonic() - self._said_at >= SECONDS_BETWEEN_LINES:
            self._said_at = monotonic()
            typer.echo(f"Importing: {done} of {total}", err=True)


COMMANDS = (demo, create_clinic, import_dialogues, daily_messages)
