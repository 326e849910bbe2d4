"""The connections below the sockets, made for many receivers of the same few bytes.

python-socketio hands each receiver's packet through a queue, a task and an ASGI message. Here a
packet becomes one websocket frame, which is written to each receiver's transport at once: a
transport keeps the order and takes what the network does not. Polling, and any server but ours,
goes the library's way. Here is also bounded what a connection may send and keep (docs/security.md).
"""
