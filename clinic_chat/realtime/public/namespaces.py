"""The namespaces of clinics: lets programs in, answers their commands, sends them events."""

import os
from time import perf_counter
from typing import Any
from uuid import UUID

import structlog
from socketio.exceptions import ConnectionRefusedError as Refused
from structlog.contextvars import bound_contextvars

from clinic_chat.domain.accounts.api_tokens import TokenHolder
from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import DomainError, InvalidInput, RateLimited
from clinic_chat.domain.events.log import CommittedEvent
from clinic_chat.domain.public_api.events import of_changes
from clinic_chat.domain.queries.changes import Changes
from clinic_chat.metrics.sockets import COMMAND_SECONDS
from clinic_chat.metrics.sockets import COMMANDS as COUNTED
from clinic_chat.realtime import rooms
from clinic_chat.realtime.admission.programs import ProgramRefused, identify, is_public
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.presence.online import OFFLINE, ONLINE, Presence
from clinic_chat.realtime.public.clients import PublicClient, PublicClients
from clinic_chat.realtime.public.commands import COMMANDS, Data, PublicCommand, PublicContext
from clinic_chat.realtime.transport.engineio_server import SocketServer
from clinic_chat.services import Services
from clinic_chat.shutdown import InFlightWork
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web.refusals import count_refusal

COMMANDS_PER_MINUTE = 1200
UNKNOWN_EVENT = "unknown_event"
# What is told of people's typing; who looks at a conversation is for colleagues' screens alone.
TYPING = ("typing:start", "typing:stop")

log = structlog.get_logger(__name__)


class PublicNamespaces:
    """The namespaces `/clinic/<slug>` of one process."""

    def __init__(self, sio: SocketServer, bus: Bus, presence: Presence, services: Services) -> None:
        self.clients = PublicClients(services.tokens)
        self._sio = sio
        self._bus = bus
        self._presence = presence
        self._tokens = services.tokens
        self._limits = services.limits
        self._settings = services.settings
        self._database = services.database
        self._context: PublicContext | None = None
        self._in_flight = InFlightWork()
        self._seconds = {name: COMMAND_SECONDS.of(_counted_as(name)) for name in COMMANDS}

    def attach(self, context: PublicContext, in_flight: InFlightWork) -> None:
        """Handle connects and commands from now on."""
        self._context = context
        self._in_flight = in_flight
        self._sio.on("connect", self._connect, namespace="*")
        self._sio.on("disconnect", self._disconnect, namespace="*")
        self._sio.on("*", self._event, namespace="*")

    async def run(self) -> None:
        """Cut programs whose tokens have ended, until cancelled."""
        await self.clients.watch(self._cut, self._place)

    async def join(self, client: PublicClient, conversation_id: str) -> None:
        """Send a client the events of a conversation from now on."""
        if client.gone:
            return
        client.joined.add(conversation_id)
        room = rooms.conversation(client.holder.clinic_id, conversation_id)
        await self._sio.enter_room(client.sid, room, client.namespace)

    async def leave(self, client: PublicClient, conversation_id: str) -> None:
        """Send a client no more events of a conversation."""
        client.joined.discard(conversation_id)
        room = rooms.conversation(client.holder.clinic_id, conversation_id)
        await self._sio.leave_room(client.sid, room, client.namespace)

    async def publish(
        self, clinic_id: UUID, events: list[CommittedEvent], changes: Changes
    ) -> None:
        """Send a clinic's next events to its programs, those of conversations to who joined."""
        namespace = self.clients.namespace(clinic_id)
        if namespace is None:
            return
        for event in of_changes(events, changes):
            room = (
                rooms.conversation(clinic_id, event.conversation_id)
                if event.is_of_conversation
                else rooms.clinic(clinic_id)
            )
            await self._sio.emit(event.type, event.data, to=room, namespace=namespace)

    async def tell(self, clinic_id: UUID, event: str, data: Data) -> None:
        """Send typing to who joined the conversation, who is there to who may know that."""
        namespace = self.clients.namespace(clinic_id)
        if namespace is None:
            return
        if event in TYPING:
            room = rooms.conversation(clinic_id, data["conversationId"])
            await self._sio.emit(event, data, to=room, namespace=namespace)
        elif event in (ONLINE, OFFLINE):
            room = rooms.presence(clinic_id)
            await self._sio.emit(event, {"type": event, **data}, to=room, namespace=namespace)

    async def _connect(
        self, namespace: str, sid: str, _environ: dict[str, Any], auth: Any = None
    ) -> None:
        try:
            holder = await identify(self._tokens, namespace, auth)
        except ProgramRefused as refusal:
            count_refusal("socket.refused", reason=refusal.code)
            raise Refused(str(refusal), refusal.data) from None
        visitor = self._sio.visitor(sid, namespace)
        address = visitor.address if visitor else ""
        if visitor is None or visitor.identity != holder:
            await self._limit_connects(holder)
        scope = ClinicScope(self._database, holder.clinic_id, holder.actor, address=address)
        client = PublicClient(sid, namespace, holder, scope)
        await self._bus.watch(holder.clinic_id)
        self.clients.add(client)
        await self._place(client)
        if holder.person is not None:
            await self._presence.arrive(client.identity, sid)

    async def _limit_connects(self, holder: TokenHolder) -> None:
        """Count a further namespace of a connection, which was admitted for another identity."""
        key = f"{holder.clinic_id}:{holder.token_id}"
        too_often = await self._limits.hit("connect", key, self._settings.connects_per_minute)
        too_many = self.clients.of_token(holder.token_id) >= self._settings.sockets_per_account
        if too_often or too_many:
            code = "account_connects" if too_often else "account_connections"
            count_refusal("socket.refused", reason=code)
            raise Refused("too many connections", {"code": code, "message": "too many connections"})

    async def _place(self, client: PublicClient) -> None:
        """Put a client into the rooms that it may be in, and out of the others."""
        clinic_id, actor = client.holder.clinic_id, client.scope.actor
        reads = allows(actor, Permission.READ_CONVERSATIONS)
        for room, may in (
            (rooms.clinic(clinic_id), reads),
            (rooms.presence(clinic_id), allows(actor, Permission.READ_STAFF)),
        ):
            if client.gone:
                return
            change = self._sio.enter_room if may else self._sio.leave_room
            await change(client.sid, room, client.namespace)
        for conversation_id in [] if reads else [*client.joined]:
            await self.leave(client, conversation_id)

    async def _disconnect(self, _namespace: str, sid: str, _reason: str = "") -> None:
        client = self.clients.remove(sid)
        if client is None or self._context is None:
            return
        await self._context.activity.stop_typing(client)
        if client.holder.person is not None:
            self._presence.leave(client.identity, sid)

    async def _cut(self, client: PublicClient) -> None:
        await self._sio.disconnect(client.sid, namespace=client.namespace)

    async def _event(self, event: str, namespace: str, sid: str, *args: Any) -> Any:
        # The library brings what nobody else handles, also of the pages' namespace.
        if not is_public(namespace):
            return self._sio.not_handled
        command = COMMANDS.get(event)
        if command is None:
            count_refusal("command.unknown")
            return refused(UNKNOWN_EVENT, "there is no such event")
        if self._in_flight.ending:
            return refused("restarting", "the server restarts, try again")
        begun = perf_counter()
        with self._in_flight.track(), bound_contextvars(command_id=os.urandom(4).hex()):
            answer = await self._answer(command, sid, args)
        outcome = "ok" if answer["ok"] else answer["error"]["code"]
        COUNTED.add(_counted_as(command.name), outcome)
        self._seconds[command.name].observe(perf_counter() - begun)
        return answer

    async def _answer(self, command: PublicCommand, sid: str, args: tuple[Any, ...]) -> Data:
        client = self.clients.live(sid)
        if client is None or self._context is None:
            return refused("unauthorized", "connect again with a valid token")
        try:
            if len(args) != 1 or not isinstance(args[0], dict):
                raise InvalidInput("send one object", code="not_an_object")
            await self._limit("commands", client, COMMANDS_PER_MINUTE)
            if command.per_minute is not None:
                await self._limit(command.name, client, command.per_minute(self._settings))
            return {"ok": True, **await command.run(self._context, client, args[0])}
        except DomainError as refusal:
            return refused(refusal.code, str(refusal))
        except StorageUnavailable:
            return refused("storage_unavailable", "not saved, try again")
        except Exception as failure:
            log.error("public_command.failed", command=command.name, exc_info=failure)
            return refused("internal", "not saved, try again")

    async def _limit(self, name: str, client: PublicClient, per_minute: int) -> None:
        key = f"{name}:{client.holder.token_id}"
        if await self._limits.hit("public_socket", key, per_minute):
            raise RateLimited("too many in a minute, wait a moment")


def refused(code: str, message: str) -> Data:
    """The acknowledgement of a refused command."""
    return {"ok": False, "error": {"code": code, "message": message}}


def _counted_as(name: str) -> str:
    """The command's name in metrics, beside the pages' own commands."""
    return f"public {name}"
