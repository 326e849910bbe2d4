"""Lists that many tabs get alike: read and encoded once for as long as they are current."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

import orjson

from clinic_chat.realtime.feeds import items

MOST = 256

Page = TypeVar("Page")


class Shelf(Generic[Page]):
    """The pages that were sent last, by what they are pages of, with their rows as JSON.

    Whoever reads says whether the page that is here is current; only then is it used again.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._pages: OrderedDict[Hashable, tuple[Page, orjson.Fragment]] = OrderedDict()

    def find(self, key: Hashable) -> Page | None:
        """The page of `key` that was sent last, which may be out of date."""
        kept = self._pages.get(key)
        return kept[0] if kept else None

    def encoded(self, key: Hashable, page: Page, rows: Iterable[Any]) -> orjson.Fragment:
        """The rows of a page as JSON; they are encoded unless the very same page is here."""
        kept = self._pages.get(key)
        if kept is None or kept[0] is not page:
            kept = (page, orjson.Fragment(orjson.dumps(items(rows))))
        self._pages[key] = kept
        self._pages.move_to_end(key)
        if len(self._pages) > self._most:
            self._pages.popitem(last=False)
        return kept[1]
