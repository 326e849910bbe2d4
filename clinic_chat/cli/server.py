"""Commands that run the server and prepare its database."""

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from clinic_chat.cli.running import fail, with_database

if TYPE_CHECKING:
    from clinic_chat.storage.database import Database


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
) -> None:
    """Run the production server: front end and back end on one port."""
    from clinic_chat.server.serve import serve as run_server
    from clinic_chat.settings import get_settings

    refuse_taken_port(host, port)
    with_database(_ping)
    try:
        get_settings().signing_key()
    except (ValueError, OSError) as error:
        fail(str(error))
    run_server(host, port)


def migrate() -> None:
    """Bring the database to the newest schema."""
    with_database(_ping)
    typer.echo("The database has the newest schema.")


def refuse_taken_port(host: str, port: int) -> None:
    """End the command if the server cannot listen on this port, before the front end is built."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server does, so that a server that just ended does not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        fail(f"cannot listen on {host}, port {port}: {error.strerror or error}")


async def _ping(database: "Database") -> None:
    await database.ping()


COMMANDS = (serve, migrate)
