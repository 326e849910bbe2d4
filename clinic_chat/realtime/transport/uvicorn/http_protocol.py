"""Uvicorn's HTTP/1.1 protocol with a deadline for every stage and limits on all it buffers."""

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clinic_chat.realtime.transport.uvicorn.connection_limits import ConnectionLimits
from clinic_chat.realtime.transport.uvicorn.library_logger import TRANSPORT_LOG
from clinic_chat.web.peers import PEER
from clinic_chat.web.refusals import count_refusal

# From the connection, or the first byte of a further request, to the end of its head.
HEAD_SECONDS = 10.0
# From there to the end of its body. The largest is an inbound message of 1 MiB.
BODY_SECONDS = 30.0
# A client that reads nothing of its answer for so long is disconnected.
STALLED_SECONDS = 30.0
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_PIPELINED = 8
# The most bytes received per byte of a chunked body, with its sizes, extensions and trailers.
CHUNK_OVERHEAD = 8


class BoundedHttpProtocol(HttpToolsProtocol):
    """One HTTP connection; `limits` counts it."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Uvicorn logs a warning for each malformed request; here they are counted instead.
        self.logger = TRANSPORT_LOG
        self._limits = limits
        self._stage = "head"
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._received = 0
        self._body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or close it at once when there are too many."""
        super().connection_made(transport)
        if not self._limits.enter(self, self.client[0] if self.client else None):
            transport.abort()
            return
        self._begin("head", HEAD_SECONDS)
        self._limits.silent(self, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines and stop counting the connection."""
        self._end()
        self._flowing()
        self._limits.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data; abort when the head or the overhead of the body is too long."""
        if self.transport.is_closing():
            return
        if not self._stage and (self.cycle is None or self.cycle.response_complete):
            # Line ends before a request begin no message, so without a deadline here they would
            # keep a connection for ever.
            self._begin("head", HEAD_SECONDS)
        self._received += len(data)
        super().data_received(data)
        if self._stage == "head" and self._received > MAX_HEAD_BYTES:
            self._refuse("head_too_long")
        elif (
            self._stage == "body" and self._received > MAX_HEAD_BYTES + CHUNK_OVERHEAD * self._body
        ):
            self._refuse("body_overhead")

    def on_message_begin(self) -> None:
        """Start the deadline of a request's head, unless it runs already."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[PEER] = self.client
        if self._stage != "head":
            self._begin("head", HEAD_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; the trailers of a chunked body are ignored."""
        if self._stage == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Answer the request; refuse one with too long a head or too many pipelined before it."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            raise ValueError("head too long")
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many requests at once")
        self._begin("body", BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Cancel the deadline: the whole request has been received."""
        self._end()
        self._limits.spoke(self)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the websocket protocol, which counts it from now on."""
        self._end()
        self._limits.leave(self)
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Start the deadline for a client that does not read its answer."""
        super().pause_writing()
        self._flowing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._refuse, "answer_not_read")

    def resume_writing(self) -> None:
        """Cancel the deadline: the client reads its answer."""
        super().resume_writing()
        self._flowing()

    def send_400_response(self, msg: str) -> None:
        """Count and refuse a malformed request."""
        count_refusal("http.refused", reason="malformed")
        super().send_400_response(msg)

    def _begin(self, stage: str, seconds: float) -> None:
        self._end()
        self._stage = stage
        self._received = self._body = 0
        self._timer = self.loop.call_later(seconds, self._refuse, f"{stage}_deadline")

    def _end(self) -> None:
        self._stage = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flowing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _refuse(self, reason: str) -> None:
        count_refusal("http.refused", reason=reason)
        self.transport.abort()


def http_protocol(limits: ConnectionLimits) -> Any:
    """The class for Uvicorn's `http` option, with these limits."""
    return partial(BoundedHttpProtocol, limits=limits)
