"""The server's clock, sent to browsers because their own may be hours or days wrong."""

from time import time


def milliseconds_now() -> int:
    """Milliseconds since 1970."""
    return int(time() * 1000)
