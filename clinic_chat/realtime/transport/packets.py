"""The packets that our pages may send; every other packet ends its connection.

The libraries would decode the packets that are refused here: binary events, whose attachments they
keep for as long as the sender likes, base64, upgrades, and acknowledgements that nobody asked for.
"""

# Types of Engine.IO packets: close, pong, message.
CLOSE, PONG, MESSAGE = "1", "3", "4"
# Types of Socket.IO packets in a message: connect, disconnect, event.
_MESSAGES = frozenset("012")


class Malformed(Exception):
    """A packet that no page of ours sends."""


def decode(text: str) -> tuple[str, str]:
    """The kind and the data of an Engine.IO packet: a text frame, or a part of a polled body.

    Raises:
        Malformed: the packet is of a kind that no page of ours sends.
    """
    kind = text[:1]
    if kind == MESSAGE and text[1:2] in _MESSAGES:
        return kind, text[1:]
    if text in (PONG, CLOSE):
        return kind, ""
    raise Malformed
