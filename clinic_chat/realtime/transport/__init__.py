"""The transport below Socket.IO, made for sending the same small packet to many receivers.

python-socketio passes each receiver's packet through a queue, a task and an ASGI message. Here a
packet becomes one websocket frame, which is written to each receiver's asyncio transport at once;
the transport keeps the order and buffers. Polling, and any other web server, uses the library's
code. The package also limits what a connection may send and keep in memory (docs/security.md).
"""
