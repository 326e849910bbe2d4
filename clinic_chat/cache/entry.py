"""An entry of the cache: encoded items of a list, at the version of their subject."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import orjson

# What Python takes for each item besides its bytes.
ITEM_BYTES = 41


@dataclass(frozen=True)
class Entry:
    """Items in order, each as JSON, at least as new as `version`; it does not change."""

    version: int
    first: int
    """The number of the first item."""
    items: tuple[bytes, ...]

    @cached_property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(map(len, self.items)) + ITEM_BYTES * len(self.items)

    def pack(self) -> bytes:
        """The entry as bytes."""
        head = orjson.dumps([self.version, self.first, [len(item) for item in self.items]])
        return b"\n".join([head, b"".join(self.items)])


def unpack(packed: bytes) -> Entry | None:
    """The entry, None for bytes that another release may have packed."""
    head, _, body = packed.partition(b"\n")
    try:
        version, first, lengths = orjson.loads(head)
        ends = list(accumulate(lengths, initial=0))
        items = tuple(body[start:end] for start, end in pairwise(ends))
    except (ValueError, TypeError):
        return None
    return Entry(version, first, items) if ends[-1] == len(body) else None


def fragment(items: Any) -> orjson.Fragment:
    """The items as a JSON list that is not encoded again."""
    return orjson.Fragment(b"[%b]" % b",".join(items))
