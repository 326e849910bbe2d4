"""The trail of a conversation: which of its blocks of messages its last events touched."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_BLOCKS = 256


@dataclass
class Trail:
    """What the events after the version `since` up to `until` touched, without a hole."""

    since: int
    until: int
    _touched: dict[int, int] = field(default_factory=dict)
    """By block, the version of the last event that touched it."""

    def says_current(self, block: int, version: int) -> bool:
        """Whether a block that was read at `version` is as it was, up to `until`."""
        return version >= self.until or (
            version >= self.since and self._touched.get(block, 0) <= version
        )

    def extend(self, touched: Iterable[tuple[int, int | None]], until: int) -> None:
        """Add what the events up to `until` touched; those that it has already change nothing."""
        for version, block in touched:
            if version <= self.until:
                continue
            if block is None or len(self._touched) >= MOST_BLOCKS:
                self.since = version
                self._touched.clear()
            if block is not None:
                self._touched[block] = version
        self.until = max(self.until, until)
