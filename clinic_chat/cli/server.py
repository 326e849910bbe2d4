"""Commands that run the server and prepare its database."""

from typing import TYPE_CHECKING, Annotated

import typer

from clinic_chat.cli.running import fail, with_database

if TYPE_CHECKING:
    from clinic_chat.storage.database import Database

# Longer than the server waits for its database before it says that there is none.
HEALTH_SECONDS = 4.0

PortOption = Annotated[int, typer.Option(help="Port that the server listens on.", min=1, max=65535)]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; `::` is all.")] = "127.0.0.1",
    port: PortOption = 3000,
    processes: Annotated[
        int, typer.Option(help="Processes that share the port.", min=1, max=64)
    ] = 1,
) -> None:
    """Run the production server: front end and back end on one port."""
    from clinic_chat.server.serve import serve as run_server
    from clinic_chat.settings import get_settings

    refuse_taken_port(host, port)
    if processes > 1:
        _refuse_what_processes_cannot_share()
    with_database(_ping)
    try:
        get_settings().signing_key()
    except (ValueError, OSError) as error:
        fail(str(error))
    run_server(host, port, processes)


def build() -> None:
    """Build the front end unless it is current; `serve` then writes nothing beside the code."""
    from clinic_chat.logs import configure_logging
    from clinic_chat.server.serve import build_if_needed
    from clinic_chat.settings import get_settings

    configure_logging(get_settings().log_level)
    build_if_needed()
    typer.echo("The front end is built.")


def health(
    host: Annotated[str, typer.Option(help="Address of the server.")] = "127.0.0.1",
    port: PortOption = 3000,
) -> None:
    """Ask a running server whether it can work; what a container's health check runs."""
    from http import HTTPStatus
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        fail(f"no answer from {host}, port {port}: {error}")
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        fail(f"not ready: {said}")
    typer.echo(said)


def migrate() -> None:
    """Bring the database to the newest schema."""
    with_database(_ping)
    typer.echo("The database has the newest schema.")


def refuse_taken_port(host: str, port: int) -> None:
    """End the command when nothing can listen there, before anything is built for it."""
    from clinic_chat.server.listening import open_listeners

    try:
        for listener in open_listeners(host, port):
            with listener:
                # Two may be bound to a port, but only one listens.
                listener.listen(1)
    except OSError as error:
        fail(f"cannot listen on {host}, port {port}: {error.strerror or error}")


def _refuse_what_processes_cannot_share() -> None:
    from clinic_chat.settings import get_settings

    settings = get_settings()
    if settings.database_url.startswith("sqlite"):
        fail(
            "several processes need PostgreSQL: SQLite has one writer, and they would wait for "
            "each other (CLINIC_CHAT_DATABASE_URL)"
        )
    if settings.redis_url is None:
        fail(
            "several processes need a Redis or Valkey to tell each other what happens "
            "(CLINIC_CHAT_REDIS_URL)"
        )


async def _ping(database: "Database") -> None:
    await database.ping()


COMMANDS = (serve, build, health, migrate)
