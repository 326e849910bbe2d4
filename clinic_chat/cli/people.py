"""Commands about the people who work in clinics."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from clinic_chat.cli.running import (
    AnyClinicOption,
    ClinicOption,
    EmailOption,
    ask_password,
    clinic_id_of,
    print_table,
    with_database,
)

if TYPE_CHECKING:
    from clinic_chat.storage.database import Database


def create_user(
    clinic: ClinicOption,
    email: EmailOption,
    name: Annotated[str, typer.Option(help="Name as colleagues see it.")],
    role: Annotated[
        Literal["admin", "professional", "receptionist", "auditor"],
        typer.Option(help="What the person may do; an auditor reads no messages."),
    ] = "receptionist",
    locale: Annotated[
        Literal["pt-BR", "en"] | None, typer.Option(help="Language; by default the browser's.")
    ] = None,
) -> None:
    """Create a person in a clinic; the password is asked for, or read from standard input.

    An address that is known from another clinic joins this one and keeps its password.
    """
    from clinic_chat.domain.accounts import users as staff
    from clinic_chat.domain.clinics.actors import Role
    from clinic_chat.domain.clinics.clinic import find_clinic

    async def work(database: "Database") -> bool:
        found = await find_clinic(database, clinic)
        # Only a new person needs a password, which is asked for when the rest is valid.
        known = await staff.is_known(database, staff.checked_email(email))
        password = "" if known else await asyncio.to_thread(ask_password)
        await staff.create_user(database, found.id, email, name, password, Role(role), locale)
        return known

    known = with_database(work)
    kept = " The password stays as it is." if known else ""
    typer.echo(f"{staff.normal_email(email)} works in {clinic} as {role}.{kept}")


def list_users(clinic: AnyClinicOption = None) -> None:
    """List the people of the clinics, with the number of browsers they are signed in with."""
    from clinic_chat.domain.accounts.administration import Account, list_accounts

    async def work(database: "Database") -> list[Account]:
        return await list_accounts(database, await clinic_id_of(database, clinic))

    print_table(
        ("CLINIC", "EMAIL", "ROLE", "SESSIONS", "STATE", "NAME"),
        [
            (
                account.clinic,
                account.email,
                account.role,
                str(account.sessions),
                "deactivated" if account.deactivated_at else "active",
                account.name,
            )
            for account in with_database(work)
        ],
    )


def set_password(email: EmailOption) -> None:
    """Give a person a new password, asked for or read from standard input, and sign them out."""
    from clinic_chat.domain.accounts import administration as accounts

    async def work(database: "Database") -> int:
        await accounts.find_user(database, email)
        return await accounts.set_password(database, email, await asyncio.to_thread(ask_password))

    ended = with_database(work)
    typer.echo(f"{email} has a new password; {ended} sessions ended.")


def deactivate_user(email: EmailOption) -> None:
    """Keep a person from signing in anywhere and sign them out; what they wrote stays."""
    from clinic_chat.domain.accounts import administration as accounts

    async def work(database: "Database") -> list[str]:
        return await accounts.deactivate_user(database, email)

    without_admin = with_database(work)
    typer.echo(f"{email} is deactivated and signed out.")
    for slug in without_admin:
        typer.echo(f"Warning: {slug} has no active admin now.", err=True)


def activate_user(email: EmailOption) -> None:
    """Let a person who was deactivated sign in again, with the password they had."""
    from clinic_chat.domain.accounts import administration as accounts

    async def work(database: "Database") -> None:
        await accounts.activate_user(database, email)

    with_database(work)
    typer.echo(f"{email} is active.")


def end_sessions(email: EmailOption) -> None:
    """Sign a person out in every browser."""
    from clinic_chat.domain.accounts import administration as accounts

    async def work(database: "Database") -> int:
        return await accounts.end_sessions(database, email)

    typer.echo(f"{with_database(work)} sessions of {email} ended.")


def remove_second_factor(email: EmailOption) -> None:
    """Let a person who lost their app sign in with the password alone, and sign them out."""
    from clinic_chat.domain.accounts import administration as accounts

    async def work(database: "Database") -> int:
        return await accounts.remove_second_factor(database, email)

    typer.echo(f"{email} has no second factor now; {with_database(work)} sessions ended.")


COMMANDS = (
    create_user,
    list_users,
    set_password,
    remove_second_factor,
    deactivate_user,
    activate_user,
    end_sessions,
)
