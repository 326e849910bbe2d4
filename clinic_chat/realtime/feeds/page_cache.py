"""A cache of the last page of each key, with its rows already encoded."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

import orjson

from clinic_chat.metrics.database import CACHE_REQUESTS
from clinic_chat.realtime.feeds.protocol import items

MOST = 256

Page = TypeVar("Page")


class PageCache(Generic[Page]):
    """The last page of each key, and its rows as JSON, encoded once for all tabs that open it.

    The cache does not know whether a page is out of date; callers compare its version.
    `name` is the label of its metrics.
    """

    def __init__(self, name: str, most: int = MOST) -> None:
        self._name = name
        self._most = most
        self._pages: OrderedDict[Hashable, Page] = OrderedDict()
        self._encoded: dict[Hashable, orjson.Fragment] = {}

    def find(self, key: Hashable) -> Page | None:
        """The page that was stored last for `key`, or None."""
        return self._pages.get(key)

    def put(self, key: Hashable, page: Page) -> None:
        """Store a page in place of the one before; the least recently stored one is dropped."""
        # The caller stores the same page again if it is still current.
        if self._pages.get(key) is page:
            CACHE_REQUESTS.add(self._name, "hit")
        else:
            CACHE_REQUESTS.add(self._name, "miss")
            self._encoded.pop(key, None)
        self._pages[key] = page
        self._pages.move_to_end(key)
        if len(self._pages) > self._most:
            oldest, _ = self._pages.popitem(last=False)
            self._encoded.pop(oldest, None)

    def encoded(self, key: Hashable, page: Page, rows: Iterable[Any]) -> orjson.Fragment:
        """The rows of a page as JSON, encoded once; the page is stored."""
        self.put(key, page)
        if key not in self._encoded:
            self._encoded[key] = orjson.Fragment(orjson.dumps(items(rows)))
        return self._encoded[key]
