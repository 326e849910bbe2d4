"""The websocket protocol (RFC 6455) as far as a load client needs it, cheaply.

A client has to mask what it sends. The mask here is all zeros: valid on the wire, unmasked by the
server like any other, and free for us.
"""

from enum import IntEnum

NO_MASK = bytes(4)
MASKED = 0x80
FINAL = 0x80


class Opcode(IntEnum):
    """What a frame carries (RFC 6455 section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class ProtocolError(Exception):
    """The peer sent what this client does not speak."""


def encode(payload: bytes, opcode: Opcode = Opcode.TEXT) -> bytes:
    """One whole frame from a client."""
    length = len(payload)
    if length < 126:
        header = bytes((FINAL | opcode, MASKED | length))
    elif length < 1 << 16:
        header = bytes((FINAL | opcode, MASKED | 126)) + length.to_bytes(2)
    else:
        header = bytes((FINAL | opcode, MASKED | 127)) + length.to_bytes(8)
    return header + NO_MASK + payload


def decode(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames of a server at the start of `data`, as (opcode, payload), and the rest.

    Raises:
        ProtocolError: a masked or fragmented frame, which no server that we measure sends.
    """
    frames = []
    start, end = 0, len(data)
    while end - start >= 2:
        first, length = data[start], data[start + 1]
        if length & MASKED or not first & FINAL or first & 0x0F == Opcode.CONTINUATION:
            raise ProtocolError(f"cannot read a frame that begins with {data[start : start + 2]!r}")
        body = start + 2
        if length == 126:
            body, length = body + 2, int.from_bytes(data[body : body + 2])
        elif length == 127:
            body, length = body + 8, int.from_bytes(data[body : body + 8])
        # The length itself may be cut off; then the body starts behind what is there.
        if body + length > end or body > end:
            break
        start = body + length
        frames.append((first & 0x0F, data[body:start]))
    return frames, data[start:]


def handshake(host: str, path: str, headers: dict[str, str]) -> bytes:
    """The request that opens a websocket, with the headers Chromium sends and `headers`."""
    lines = {
        "Host": host,
        "Connection": "Upgrade",
        "Pragma": "no-cache",
        "Cache-Control": "no-cache",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
        "Upgrade": "websocket",
        "Origin": f"http://{host}",
        "Sec-WebSocket-Version": "13",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "pt-BR,pt;q=0.9,en;q=0.8",
        "Sec-WebSocket-Key": "bG9hZCBnZW5lcmF0b3IhIQ==",
        **headers,
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{text}\r\n".encode()
