"""Counts refusals for the log, so that a flood of them makes a few lines, not one each."""

import asyncio
from collections import OrderedDict
from contextvars import Context
from time import monotonic
from uuid import UUID

from clinic_chat.logs import audit
from clinic_chat.metrics.process import REFUSALS

LOG_SECONDS = 5.0
# With more kinds at a time, the oldest is logged and forgotten.
MAX_KINDS = 1_000

Kind = tuple[tuple[str, str], ...]


class Refusals:
    """Logs the first refusal of a kind at once, and the number of further ones per LOG_SECONDS."""

    def __init__(self) -> None:
        self._kinds: OrderedDict[Kind, list[float]] = OrderedDict()

    def count(self, event: str, **ids: UUID | str | int | None) -> None:
        """Count a refusal; `ids` are ids and fixed words, never a client's input."""
        REFUSALS.add(event, str(ids.get("reason") or ""))
        kind: Kind = (("event", event), *((n, str(v)) for n, v in ids.items() if v is not None))
        entry = self._kinds.get(kind)
        now = monotonic()
        if entry is not None and now < entry[0]:
            entry[1] += 1
            return
        more = int(entry[1]) if entry else 0
        self._kinds[kind] = [now + LOG_SECONDS, 0]
        _say(kind, more + 1)
        if entry is None:
            self._later(kind)
        if len(self._kinds) > MAX_KINDS:
            self._tell(next(iter(self._kinds)))

    def _later(self, kind: Kind) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        # Those that follow are no part of the request or command that was the first.
        loop.call_later(LOG_SECONDS, self._tell, kind, context=Context())

    def _tell(self, kind: Kind) -> None:
        entry = self._kinds.pop(kind, None)
        if entry is not None and entry[1]:
            _say(kind, int(entry[1]))


def _say(kind: Kind, times: int) -> None:
    fields = dict(kind)
    audit(fields.pop("event"), times=times, **fields)


_refusals = Refusals()
count_refusal = _refusals.count
