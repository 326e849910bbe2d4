"""What the real-time server does when the process is told to stop."""

from collections.abc import Awaitable, Callable

Goodbye = Callable[[], Awaitable[None]]

_goodbyes: list[Goodbye] = []


def on_goodbye(goodbye: Goodbye) -> None:
    """Call `goodbye` when the server has stopped accepting, before it closes connections."""
    _goodbyes.append(goodbye)


async def say_goodbye() -> None:
    """Call everyone who asked for it."""
    for goodbye in _goodbyes:
        await goodbye()
