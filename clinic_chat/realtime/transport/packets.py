"""Which packets a browser of ours may send; everything else ends its connection.

The libraries decode what is refused here: binary events, whose attachments they keep for as long
as the sender likes, base64, upgrades, acknowledgements of events that ask for none.
"""

# Engine.IO's: the socket's end, the answer to a ping, a message.
CLOSE, PONG, MESSAGE = "1", "3", "4"
# In a message, Socket.IO's: connect, disconnect, event.
_MESSAGES = frozenset("012")


class Malformed(Exception):
    """A packet that no page of ours sends."""


def decode(text: str) -> tuple[str, str]:
    """The kind and the data of an Engine.IO packet: a text frame, or a part of a polled body.

    Raises:
        Malformed: it is of a kind that is not taken.
    """
    kind = text[:1]
    if kind == MESSAGE and text[1:2] in _MESSAGES:
        return kind, text[1:]
    if text in (PONG, CLOSE):
        return kind, ""
    raise Malformed
