"""Where the screens find the real-time server of this process."""

from clinic_chat.realtime.server import RealtimeServer

_live: RealtimeServer | None = None


def use_live(instance: RealtimeServer) -> None:
    """Give the screens their real-time server; called once when the app is assembled."""
    global _live
    _live = instance


def live() -> RealtimeServer:
    """The real-time server of this process.

    Raises:
        RuntimeError: the app is not assembled yet.
    """
    if _live is None:
        raise RuntimeError("the app is not assembled yet")
    return _live
