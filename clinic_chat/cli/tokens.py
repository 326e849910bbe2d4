"""Commands about API tokens."""

from typing import TYPE_CHECKING, Annotated

import typer

from clinic_chat.cli.running import (
    AnyClinicOption,
    ClinicOption,
    clinic_id_of,
    print_table,
    with_database,
)

if TYPE_CHECKING:
    from clinic_chat.storage.database import Database


def create_token(
    clinic: ClinicOption,
    name: Annotated[
        str, typer.Option(help="Name of the program; its messages are signed so.")
    ] = "",
    user: Annotated[
        str, typer.Option(help="Address of a member of staff, as whom the program acts.")
    ] = "",
    days: Annotated[
        int | None, typer.Option(help="The token is valid so long.", show_default="for ever")
    ] = None,
    permission: Annotated[
        list[str] | None,
        typer.Option(help="What the program may do, once for each.", show_default="all"),
    ] = None,
) -> None:
    """Create an API token of a clinic and print it: this is the only time it is shown."""
    from clinic_chat.domain.accounts import api_tokens as tokens
    from clinic_chat.domain.clinics.clinic import find_clinic

    async def work(database: "Database") -> str:
        found = await find_clinic(database, clinic)
        wanted = permission or tokens.GRANTABLE
        return await tokens.create_token(
            database, found.id, name=name, permissions=wanted, email=user, days=days
        )

    typer.echo(with_database(work))


def list_tokens(clinic: AnyClinicOption = None) -> None:
    """List the API tokens by their ids; their texts are not stored."""
    from clinic_chat.domain.accounts.api_tokens import TokenEntry
    from clinic_chat.domain.accounts.api_tokens import list_tokens as find_tokens

    async def work(database: "Database") -> list[TokenEntry]:
        return await find_tokens(database, await clinic_id_of(database, clinic))

    print_table(
        ("CLINIC", "ID", "CREATED", "STATE"),
        [
            (
                token.clinic,
                token.id,
                token.created_at.strftime("%Y-%m-%d %H:%M"),
                token.state,
            )
            for token in with_database(work)
        ],
    )


def revoke_token(
    token: Annotated[
        str, typer.Argument(help="Id of the token; its text, or `-` to read it, does too.")
    ],
) -> None:
    """Revoke an API token, which stops working at once."""
    from clinic_chat.domain.accounts import api_tokens as tokens

    async def work(database: "Database") -> None:
        # A token in the arguments is visible to others on the machine and in shell histories.
        named = typer.get_text_stream("stdin").readline().strip() if token == "-" else token  # noqa: S105
        await tokens.revoke_token(database, named)

    with_database(work)
    typer.echo("The token is revoked.")


COMMANDS = (create_token, list_tokens, revoke_token)
