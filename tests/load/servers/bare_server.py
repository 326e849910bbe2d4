"""The floor in Python: python-socketio as it comes, on the product's ASGI server and settings.

Whoever says something says it to everybody. Started as
`python -m tests.load.servers.bare_server PORT`.
"""

import sys
from typing import Any

import uvicorn
from socketio import ASGIApp, AsyncServer

from clinic_chat.realtime.transport.socketio_server import PING_SECONDS, PONG_SECONDS
from tests.support.servers.ports import HOST

ROOM = "everybody"


def main() -> None:
    """Serve until told to stop."""
    sio = AsyncServer(
        async_mode="asgi",
        cors_allowed_origins="*",
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        allow_upgrades=False,
    )

    async def connect(sid: str, _environ: dict[str, Any], _auth: Any = None) -> None:
        await sio.enter_room(sid, ROOM)

    async def say(_sid: str, data: Any) -> None:
        await sio.emit("said", data, room=ROOM)

    sio.on("connect", connect)
    sio.on("say", say)
    uvicorn.run(
        ASGIApp(sio),
        host=HOST,
        port=int(sys.argv[1]),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
