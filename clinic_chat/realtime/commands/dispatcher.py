"""Dispatches commands: checks session, author and limits, runs the command and answers it.

Each is answered with `{"ok": true, …}` or `{"error": {"code", "message"}}`. A command that writes
is answered after its commit, so an acknowledged write is durable. A command whose `author` is not
the session's is refused: it waited in a tab while somebody else signed in.
"""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic, perf_counter
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from clinic_chat.domain.conversations.assignment import AlreadyTaken
from clinic_chat.domain.errors import DomainError, InvalidInput, RateLimited
from clinic_chat.metrics.sockets import COMMAND_SECONDS
from clinic_chat.metrics.sockets import COMMANDS as COUNTED
from clinic_chat.realtime.commands.command import Command, CommandContext, Data
from clinic_chat.realtime.commands.registry import COMMANDS
from clinic_chat.realtime.connections import Connection, Connections
from clinic_chat.realtime.identity import WRONG_AUTHOR, names_another
from clinic_chat.services import Services
from clinic_chat.shutdown import InFlightWork
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web.refusals import count_refusal

COMMANDS_PER_MINUTE = 1200

log = structlog.get_logger(__name__)


class CommandDispatcher:
    """Handles the commands of one process, by their Socket.IO event names."""

    def __init__(
        self,
        connections: Connections,
        context: CommandContext,
        services: Services,
        in_flight: InFlightWork,
    ) -> None:
        self.context = context
        self._connections = connections
        self._settings = services.settings
        self._limits = services.limits
        self._in_flight = in_flight
        # Each from the start, so that nothing grows by what is asked for.
        self._seconds = {name: COMMAND_SECONDS.of(name) for name in COMMANDS}

    def by_name(self) -> dict[str, Callable[..., Awaitable[Data]]]:
        """Event name → handler for python-socketio; the result of a handler is the answer."""
        return {name: partial(self._handle, command) for name, command in COMMANDS.items()}

    async def _handle(self, command: Command, sid: str, *args: Any) -> Data:
        if self._in_flight.ending:
            COUNTED.add(command.name, "restarting")
            return error("restarting", "the server restarts, try again")
        begun = perf_counter()
        # In every log line of this command, and of no other of the same socket.
        with self._in_flight.track(), bound_contextvars(command_id=os.urandom(4).hex()):
            answer = await self._answer(command, sid, args)
        COUNTED.add(command.name, answer["error"]["code"] if "error" in answer else "ok")
        self._seconds[command.name].observe(perf_counter() - begun)
        return answer

    async def _answer(self, command: Command, sid: str, args: tuple[Any, ...]) -> Data:
        try:
            connection = await self._connections.live(sid)
            if connection is None:
                return error("unauthorized", "sign in")
            if len(args) != 1 or not isinstance(args[0], dict):
                raise InvalidInput("send one object", code="not_an_object")
            if names_another(args[0].get("author"), connection.identity):
                count_refusal(
                    "command.wrong_author", command=command.name, user=connection.identity.user_id
                )
                return error(WRONG_AUTHOR, "somebody else made this, or in another clinic")
            # One command per second and tab is not counted, because hundreds of idle tabs
            # check now and then whether they are current.
            if not connection.claim_uncounted(monotonic()):
                await self._limit("commands", connection, COMMANDS_PER_MINUTE)
            if command.by_a_person and args[0].get("byItself") is not True:
                connection.note_activity()
            if command.per_minute is not None:
                await self._limit(command.name, connection, command.per_minute(self._settings))
            return {"ok": True, **await command.run(self.context, connection, args[0])}
        except AlreadyTaken as taken:
            return error(taken.code, str(taken), name=taken.name)
        except DomainError as refusal:
            if refusal.code == "not_found":
                count_refusal("command.not_found", command=command.name)
            return error(refusal.code, str(refusal))
        except StorageUnavailable:
            return error("storage_unavailable", "not saved, try again")
        except Exception as failure:
            log.error("command.failed", command=command.name, exc_info=failure)
            return error("internal", "not saved, try again")

    async def _limit(self, what: str, connection: Connection, per_minute: int) -> None:
        identity = connection.identity
        key = f"{what}:{identity.clinic_id}:{identity.user_id}"
        if await self._limits.hit("socket", key, per_minute):
            raise RateLimited("too many in a minute, wait a moment")


def error(code: str, message: str, **more: str) -> Data:
    """The answer to a refused command: `{"error": {"code", "message", …}}`."""
    return {"error": {"code": code, "message": message, **more}}
