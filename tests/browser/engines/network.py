"""The proxy that fails on command, for tests without an event loop."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Self

from tests.support.network.proxy import Proxy, Upgrades

STOP_SECONDS = 10


class Network:
    """A `Proxy` in a thread of its own."""

    def __init__(self, upstream: int) -> None:
        self._proxy = Proxy(upstream)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._proxy.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()

    @property
    def origin(self) -> str:
        """The address for browsers."""
        return self._proxy.origin

    def go_away(self) -> None:
        """Reset what is open and refuse connections."""
        self._run(self._proxy.refuse())

    def come_back(self, upgrades: Upgrades = Upgrades.PASS) -> None:
        """Take connections, and treat requests for websockets like this."""
        self._proxy.upgrades = upgrades
        self._run(self._proxy.accept())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_SECONDS)
