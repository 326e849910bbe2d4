"""Creates the Socket.IO server with its limits, its Origin rule and its admission."""

import json
import logging
from types import SimpleNamespace
from typing import Any

import orjson
from reflex_base.utils import format as reflex_format
from reflex_base.utils.serializers import serialize
from socketio.packet import Packet

from clinic_chat.realtime.admission.visitor import Admission
from clinic_chat.realtime.transport.engineio_server import SocketServer
from clinic_chat.realtime.transport.fanout import DirectManager
from clinic_chat.settings import Settings
from clinic_chat.web.origins import origin_allowed

# A dead peer is noticed after PING_SECONDS + PONG_SECONDS on both sides. Browsers answer
# pings from the message event, which background tabs do not throttle.
PING_SECONDS = 8
PONG_SECONDS = 5
MAX_FRAME_BYTES = 256 * 1024
_LIKE_REFLEX = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class TextPacket(Packet):
    """A packet whose data is not searched for bytes, because nothing here sends any."""

    uses_binary_events = False


def create_socket_server(settings: Settings, admission: Admission) -> SocketServer:
    """A Socket.IO server with both transports and the options Reflex's own would have.

    `admission` decides which handshakes lead to a connection.
    """

    def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
        return origin_allowed(
            origin,
            environ.get("HTTP_HOST", ""),
            _scheme(environ),
            settings.allowed_origins,
        )

    # The libraries' own loggers print packets and exceptions with their data to standard error;
    # `logs.py` reduces the records of this one to their place.
    log = logging.getLogger("socketio.quiet")
    log.setLevel(logging.ERROR)
    server = SocketServer(
        client_manager=DirectManager(),
        async_mode="asgi",
        logger=log,
        engineio_logger=log,
        # `SocketServer` says which; those of clinics have no handlers of their own.
        namespaces="*",
        cors_allowed_origins=allowed,
        cors_credentials=True,
        max_http_buffer_size=MAX_FRAME_BYTES,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        serializer=TextPacket,
        json=SimpleNamespace(dumps=_dumps, loads=json.loads),
        allow_upgrades=False,
        # `watch_peers` does this instead.
        monitor_clients=False,
        transports=["websocket", "polling"],
        # One socket's events are handled one after the other, so sends keep their order.
        async_handlers=False,
    )
    server.eio.admission = admission
    return server


def _dumps(obj: Any, **_options: Any) -> str:
    try:
        # Dataclasses and times are left to Reflex, so that pages get them in Reflex's format.
        encoded = orjson.dumps(obj, default=serialize, option=_LIKE_REFLEX)
    except TypeError:
        # Numbers over 64 bits and lone surrogates, which only the standard library can write.
        return reflex_format.json_dumps(obj, separators=(",", ":"))
    return encoded.decode()


def _scheme(environ: dict[str, Any]) -> str:
    scheme: str = environ.get("asgi.scope", {}).get("scheme", "http")
    return {"ws": "http", "wss": "https"}.get(scheme, scheme)
