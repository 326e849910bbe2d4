"""Relays a poll to the process that has its session, between the processes of one `serve`.

They share the listening socket, and the kernel hands a connection to any of them; a session of
Engine.IO's polling is in one. Its id begins with the process's name, and each process also listens
on a Unix socket of that name, in a folder that is only theirs.
"""

import os
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

import httpx
from reflex_base.constants import Endpoint
from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.realtime.admission.request_rules import MAX_FIELDS, MAX_QUERY_BYTES, refuse
from clinic_chat.realtime.transport.engineio_server import PROCESS_END

# Longer than a poll waits for something to say.
ANSWER_SECONDS = 60.0
CLIENT, SCHEME = b"x-relay-client", b"x-relay-scheme"
# They belong to one connection (RFC 9110 section 7.6.1).
_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer"}


def process_name() -> str:
    """The name of this process among those of one `serve`."""
    return f"{os.getpid():x}"


def open_relay(folder: Path) -> socket.socket:
    """The socket by which other processes reach this one."""
    path = folder / process_name()
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    return listener


class PollingRelay:
    """ASGI middleware of one of several processes; `folder` has their sockets."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif is_relayed(scope):
            await self._app(_as_sent(scope), receive, send)
        elif (path := self._elsewhere(scope)) is None:
            await self._app(scope, receive, send)
        else:
            await self._relay(path, scope, receive, send)

    def _elsewhere(self, scope: Scope) -> Path | None:
        """The socket of the other process that has the poll's session."""
        query: bytes = scope.get("query_string", b"")
        if scope["path"].rstrip("/") != str(Endpoint.EVENT) or len(query) > MAX_QUERY_BYTES:
            return None
        try:
            fields = parse_qs(query.decode("ascii"), max_num_fields=MAX_FIELDS)
        except ValueError:
            return None
        name, end, _ = fields.get("sid", [""])[0].partition(PROCESS_END)
        if not end or not name.isalnum() or name == process_name():
            return None
        path = self._folder / name
        return path if path.is_socket() else None

    async def _relay(self, path: Path, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._client(path).stream(
                scope["method"],
                httpx.URL("http://process", raw_path=_target(scope)),
                headers=relay_headers(scope),
                content=_body(receive),
            ) as answer:
                headers = [
                    (name.lower(), value)
                    for name, value in answer.headers.raw
                    if name.lower() not in _HOP
                ]
                await send(
                    {
                        "type": "http.response.start",
                        "status": answer.status_code,
                        "headers": headers,
                    }
                )
                async for part in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except httpx.ConnectError:
            # It ended and its sessions with it; the page connects anew.
            await refuse(HTTPStatus.BAD_REQUEST, scope, receive, send)

    def _client(self, path: Path) -> httpx.AsyncClient:
        if path.name not in self._clients:
            self._clients[path.name] = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    uds=str(path), limits=httpx.Limits(max_keepalive_connections=20)
                ),
                timeout=ANSWER_SECONDS,
                trust_env=False,
            )
        return self._clients[path.name]


def is_relayed(scope: Scope) -> bool:
    """Whether another process of this `serve` asks."""
    server = scope.get("server")
    # Only a Unix socket has no port.
    return server is not None and server[1] is None


def _as_sent(scope: Scope) -> Scope:
    """The request as the other process got it: from whom, and whether by HTTPS."""
    said = {name: value for name, value in scope["headers"] if name in (CLIENT, SCHEME)}
    host, _, port = said.get(CLIENT, b"").decode().rpartition(" ")
    return {
        **scope,
        "client": (host, int(port)) if host else None,
        "scheme": said.get(SCHEME, b"http").decode(),
        "headers": [header for header in scope["headers"] if header[0] not in (CLIENT, SCHEME)],
    }


def relay_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """A request's headers for another process, with who sent it and whether by HTTPS."""
    host, port = scope.get("client") or ("", 0)
    kept = [header for header in scope["headers"] if header[0] not in _HOP | {CLIENT, SCHEME}]
    return [*kept, (CLIENT, f"{host} {port}".encode()), (SCHEME, scope["scheme"].encode())]


def _target(scope: Scope) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        if body := message.get("body"):
            yield body
        if not message.get("more_body"):
            return
