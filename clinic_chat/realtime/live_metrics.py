"""What a scrape reads from the live objects: sockets, tabs and what waits."""

from collections import Counter

from clinic_chat.domain.messages.sending import Sends
from clinic_chat.metrics.instruments import Labels
from clinic_chat.metrics.messages import BUS, QUEUE_AGE_SECONDS, QUEUE_ITEMS, SENDS, WRITES
from clinic_chat.metrics.scrape import Measured
from clinic_chat.metrics.sockets import SOCKETS, TABS, TRANSPORTS
from clinic_chat.realtime.connections import Connections
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.transport.engineio_server import SocketServer
from clinic_chat.realtime.transport.websocket import Peer
from clinic_chat.storage.database import Database


class LiveMetrics:
    """Reads how many sockets there are, and what waits in the queues."""

    def __init__(
        self,
        sio: SocketServer,
        connections: Connections,
        bus: Bus,
        sends: Sends,
        database: Database,
    ) -> None:
        self._sio = sio
        self._connections = connections
        self._queues = {BUS: bus.waiting, SENDS: sends.waiting, WRITES: database.waiting}

    async def measured(self) -> Measured:
        """What is so now, for a scrape."""
        websocket, polling = TRANSPORTS
        transports = Counter(
            websocket if isinstance(socket, Peer) else polling
            for socket in self._sio.eio.sockets.values()
            if not socket.closed
        )
        counts: dict[Labels, float] = {}
        ages: dict[Labels, float] = {}
        for name, waiting in self._queues.items():
            counts[(name,)], ages[(name,)] = waiting()
        return {
            SOCKETS: {(transport,): transports[transport] for transport in TRANSPORTS},
            TABS: {(): self._connections.count()},
            QUEUE_ITEMS: counts,
            QUEUE_AGE_SECONDS: ages,
        }
