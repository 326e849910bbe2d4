"""The real-time server: connects sockets, commands, feeds and the bus, and runs their tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx
import structlog
from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as Refused

from clinic_chat.domain.errors import DomainError
from clinic_chat.metrics.instruments import OTHER
from clinic_chat.metrics.process import watch_event_loop
from clinic_chat.metrics.scrape import measured_by
from clinic_chat.metrics.sockets import DISCONNECTS, STATE_EVENTS
from clinic_chat.realtime import rooms
from clinic_chat.realtime.admission.handshakes import Handshakes
from clinic_chat.realtime.admission.visitor import UNAUTHORIZED, VISITOR, Visitor
from clinic_chat.realtime.commands.command import CommandContext
from clinic_chat.realtime.commands.dispatcher import CommandDispatcher
from clinic_chat.realtime.connections import Connection, Connections
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.events.personal_catch_up import PersonalCatchUp
from clinic_chat.realtime.events.relay import EventRelay
from clinic_chat.realtime.feeds.at_connect import feeds_at_connect
from clinic_chat.realtime.feeds.publisher import Publisher
from clinic_chat.realtime.feeds.registry import create_feeds
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.realtime.feeds.subscriptions import Subscriptions, Wanted
from clinic_chat.realtime.gate import well_formed
from clinic_chat.realtime.identity import EVENT as IDENTITY
from clinic_chat.realtime.identity import (
    WRONG_AUTHOR,
    author_of_tab,
    identity_told,
    names_another,
)
from clinic_chat.realtime.live_metrics import LiveMetrics
from clinic_chat.realtime.memory import MemoryTrimmer
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.coalescing import Coalescer
from clinic_chat.realtime.presence.leases import Leases
from clinic_chat.realtime.presence.online import Presence
from clinic_chat.realtime.public.commands import PublicContext
from clinic_chat.realtime.public.namespaces import PublicNamespaces
from clinic_chat.realtime.reflex_states import ReflexStates
from clinic_chat.realtime.state_events import (
    bounded,
    framework_request,
    in_turn,
    only_framework,
    short_name,
)
from clinic_chat.realtime.transport.heartbeat import close_peers, watch_peers
from clinic_chat.realtime.transport.socketio_server import create_socket_server
from clinic_chat.services import Services
from clinic_chat.shutdown import InFlightWork, on_shutdown
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web.refusals import count_refusal

SESSION_ENDED = "session:ended"
SERVER_RESTARTING = "server:restarting"
DRAIN_SECONDS = 4.0
LAST_WRITES_SECONDS = 0.2
_LOST = {
    AsyncServer.reason.TRANSPORT_CLOSE,
    AsyncServer.reason.TRANSPORT_ERROR,
    AsyncServer.reason.PING_TIMEOUT,
}

log = structlog.get_logger(__name__)


class RealtimeServer:
    """The real-time server of one process."""

    def __init__(self, services: Services) -> None:
        self.handshakes = Handshakes(
            services.sessions, services.tokens, services.limits, services.settings
        )
        self.sio = create_socket_server(services.settings, self.handshakes)
        self.connections = Connections(services.database, services.sessions)
        self.bus = Bus(services.database)
        self.sender = FeedSender(self._emit)
        self.broadcasts = Coalescer(self._tell_clinic)
        self.channel = services.channel
        self.leases = Leases(self.channel)
        self.presence = Presence(self.broadcasts.tell, self.leases)
        self.activity = Activity(
            self._tell_in_turn, self.broadcasts.tell, self.leases, self.channel
        )
        feeds = create_feeds(self.bus, self.presence, self.activity, services.cache)
        self.subscriptions = Subscriptions(self.sio, self.sender, self.bus, feeds)
        self.in_flight = InFlightWork()
        sends = services.sends
        self._metrics = LiveMetrics(self.sio, self.connections, self.bus, sends, services.database)
        context = CommandContext(self.subscriptions, self.activity, sends)
        self.commands = CommandDispatcher(self.connections, context, services, self.in_flight)
        self._database = services.database
        self._cache = services.cache
        self._secret = services.settings.signing_key()
        self._namespace = ""
        self._framework: Any = None
        self._tabs: ReflexStates | None = None
        self._allowed: frozenset[str] = frozenset()
        self.starting: set[asyncio.Task[None]] = set()
        """The tasks that send the feeds to tabs that have just connected."""
        services.database.on_commit(self.bus.committed)
        services.database.on_commit(EventRelay(self.channel, self.bus).committed)
        self.channel.on(SESSION_ENDED, self._heard_session_ended)
        on_shutdown(self.announce_shutdown)
        self.public = PublicNamespaces(self.sio, self.bus, self.presence, services)
        self.public.attach(PublicContext(sends, self.activity, self.public), self.in_flight)
        publisher = Publisher(services.database, self.sender, feeds, self.public.publish)
        self.bus.on_events(publisher.publish)
        self.bus.on_personal(publisher.publish_personal)
        self.personal = PersonalCatchUp(
            self.channel, self.connections, self.subscriptions, self.sender, self.bus
        )
        self.bus.on_personal(self.personal.told)

    def attach(self, app: rx.App, allowed: frozenset[str] = frozenset()) -> None:
        """Handle the events of Reflex's namespace, which is reached only with a live session.

        `allowed` names the events that pages may send besides the framework's own.
        """
        self._allowed = allowed
        self._framework = app.event_namespace
        self._tabs = ReflexStates(app)
        self._namespace = self.subscriptions.namespace = self._framework.namespace
        self.sio.on("connect", self._connect, namespace=self._namespace)
        self.sio.on("disconnect", self._disconnect, namespace=self._namespace)
        self.sio.on("event", self._event, namespace=self._namespace)
        for name, handle in self.commands.by_name().items():
            self.sio.on(name, handle, namespace=self._namespace)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Deliver events and notice dead peers and ended sessions while the server runs."""
        tidying = MemoryTrimmer(
            self.connections.count, self.handshakes.left, self._database.release_idle_connections
        )
        tasks = [
            asyncio.create_task(self.bus.run(), name="clinic_chat_bus"),
            asyncio.create_task(self.channel.run(), name="clinic_chat_channel"),
            asyncio.create_task(self.leases.run(), name="clinic_chat_leases"),
            asyncio.create_task(self.personal.run(), name="clinic_chat_personal"),
            asyncio.create_task(self._cache.run(), name="clinic_chat_cache"),
            asyncio.create_task(watch_peers(self.sio), name="clinic_chat_peers"),
            asyncio.create_task(self.connections.watch(self.cut), name="clinic_chat_sessions"),
            asyncio.create_task(self.public.run(), name="clinic_chat_tokens"),
            asyncio.create_task(tidying.run(), name="clinic_chat_tidying"),
            asyncio.create_task(watch_event_loop(), name="clinic_chat_event_loop"),
        ]
        if self._tabs is not None:
            tasks.append(asyncio.create_task(self._tabs.run(), name="clinic_chat_tabs"))
        try:
            with measured_by(
                self._metrics.measured, self._database.measured, self._cache.memory.measured
            ):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end_session(self, session_id: UUID) -> None:
        """Cut every tab of a session that was signed out or revoked, in all processes."""
        self.channel.tell(SESSION_ENDED, {"session": str(session_id)})
        await self._end_session(session_id)

    async def _heard_session_ended(self, _process: str, message: dict[str, Any]) -> None:
        await self._end_session(UUID(message["session"]))

    async def _end_session(self, session_id: UUID) -> None:
        self.handshakes.end_session(session_id)
        for connection in self.connections.of_session(session_id):
            await self.cut(connection.sid)

    async def announce_shutdown(self) -> None:
        """Tell every tab that the server restarts, finish the commands in flight, and close."""
        self.leases.end()
        await self.sio.emit(SERVER_RESTARTING, {}, namespace=self._namespace)
        await self.in_flight.drain(DRAIN_SECONDS)
        # The writers need a moment to put the last answers on the wire.
        await asyncio.sleep(LAST_WRITES_SECONDS)
        await close_peers(self.sio)

    async def cut(self, sid: str) -> None:
        """Tell a tab that its session is over and close its socket."""
        await self._emit(SESSION_ENDED, {}, sid)
        await self.sio.disconnect(sid, namespace=self._namespace)

    async def _emit(self, event: str, data: dict[str, Any], room: str) -> None:
        await self.sio.emit(event, data, to=room, namespace=self._namespace)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        visitor: Visitor | None = environ.get(VISITOR)
        connection = self.connections.admit(sid, visitor)
        if visitor is None or connection is None:
            count_refusal("socket.refused", reason=UNAUTHORIZED)
            raise Refused(UNAUTHORIZED)
        identity = connection.identity
        if names_another(author_of_tab(auth), identity):
            self.connections.forget(sid)
            count_refusal("socket.refused", reason=WRONG_AUTHOR)
            raise Refused(WRONG_AUTHOR)
        try:
            wanted = feeds_at_connect(connection, auth)
            # Sent first: the tab must know its identity before it takes a message for an answer.
            await self._emit(IDENTITY, identity_told(identity, self._secret), sid)
            request = framework_request(visitor.token or sid, identity.session_id)
            said = only_framework(auth, self._acceptable)
            begin = partial(self._framework.on_connect, sid, request, said)
            await in_turn(visitor.account.turns, self._framework.app, begin)
        except Exception:
            # python-socketio calls no disconnect handler after a refused connect.
            self.connections.forget(sid)
            raise
        # A task, because the connect must not wait until all lists are read.
        starting = asyncio.create_task(self.start_feeds(connection, wanted))
        self.starting.add(starting)
        starting.add_done_callback(self.starting.discard)

    async def start_feeds(self, connection: Connection, wanted: list[Wanted]) -> None:
        """Send a tab that has connected the feeds it wants, when it is its person's turn.

        A tab that does not get its lists reconnects (assets/live/app/freshness.js).
        """
        turns = connection.visitor.account.turns
        await turns.take()
        try:
            await self.subscriptions.follow(connection, wanted)
        except StorageUnavailable:
            log.warning("feeds.storage_unavailable")
        except DomainError as refusal:
            count_refusal("feeds.refused", reason=refusal.code)
            for one in wanted:
                key = one.key or ""
                await self.sender.refuse(connection.sid, one.feed, key, refusal.code)
        except Exception as error:
            log.error("feeds.failed", exc_info=error)
        finally:
            turns.give()

    async def _event(self, sid: str, data: Any = None, *_rest: Any) -> None:
        connection = self.connections.find(sid)
        event = self._acceptable(data)
        if connection is None or event is None:
            count_refusal("event.refused")
            return
        STATE_EVENTS.add(short_name(event))
        begin = partial(self._framework.on_event, sid, event)
        await in_turn(connection.visitor.account.turns, self._framework.app, begin)

    def _acceptable(self, data: Any) -> dict[str, Any] | None:
        """The event as the framework gets it, None if it is not allowed, malformed or too long."""
        return bounded(data) if well_formed(data, self._allowed) else None

    async def _disconnect(self, sid: str, reason: str = "") -> None:
        connection = self.connections.forget(sid)
        DISCONNECTS.add(reason.replace(" ", "_") or OTHER)
        if self._tabs is not None and connection is not None and reason in _LOST:
            identity = connection.identity
            self._tabs.lost(sid, (identity.clinic_id, identity.session_id))
        self._framework.on_disconnect(sid)
        if connection is not None:
            self.presence.leave(connection.identity, sid)
            await self.activity.gone(connection)

    async def _tell_in_turn(self, clinic_id: UUID, event: str, data: dict[str, Any]) -> None:
        # A message ends its author's typing on every screen, so the `typing:start` of the next
        # message must not overtake it.
        self.bus.call(partial(self._tell_clinic, clinic_id, event, data))

    async def _tell_clinic(self, clinic_id: UUID, event: str, data: dict[str, Any]) -> None:
        await self._emit(event, data, rooms.clinic(clinic_id))
        await self.public.tell(clinic_id, event, data)
