"""Broadcasts: an event to a room is encoded once, framed once and written to each receiver."""

from typing import Any

from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio import AsyncManager
from socketio.packet import EVENT

from clinic_chat.realtime.transport.uvicorn.websocket_protocol import text_frame
from clinic_chat.realtime.transport.websocket import Peer


class DirectManager(AsyncManager):
    """The library's manager of rooms, which writes an event's frame directly to its receivers."""

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """Send an event to a socket or a room, or with neither to the whole namespace.

        Closed sockets are skipped.
        """
        receivers = to or room
        if skip_sid or callback or isinstance(receivers, (list, tuple)):
            await super().emit(event, data, namespace, room, skip_sid, callback, to, **kwargs)
            return
        members = self.rooms.get(namespace, {}).get(receivers)
        if members is None:
            return
        arguments = [] if data is None else list(data) if isinstance(data, tuple) else [data]
        packet = self.server.packet_class(EVENT, namespace=namespace, data=[event, *arguments])
        encoded = packet.encode()
        if not isinstance(encoded, str):
            await super().emit(event, data, namespace, receivers, **kwargs)
            return
        message = EnginePacket(MESSAGE, encoded)
        frame = text_frame(message.encode())
        peers = self.server.eio.sockets
        others = []
        for peer_id in members.values():
            peer = peers.get(peer_id)
            if not isinstance(peer, Peer):
                others.append(peer_id)
            elif not peer.closed:
                peer.write(frame)
        for peer_id in others:
            await self.server._send_eio_packet(peer_id, message)
