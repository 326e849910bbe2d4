"""Limits the TCP connections of a process: in all, per address, and silent ones."""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from uvicorn.middleware.proxy_headers import _TrustedHosts

from clinic_chat.web.rate_limits import address_key
from clinic_chat.web.refusals import count_refusal

# Open files for the database, the files being served and all else but clients' connections.
RESERVED_FILES = 200
# Of all connections, one address may hold at most this part, whatever is configured.
ADDRESS_PART = 0.5


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; return the limit in force then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Some systems name a hard limit that they do not grant.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if limit == resource.RLIM_INFINITY else limit


class ConnectionLimits:
    """Admits connections; one that is over a limit is closed before anything is read from it.

    A proxy's own address is not limited, because it stands for many clients: those are counted
    when the forwarded address is known (`handshakes.py`, `request_limits.py`).
    """

    def __init__(self, in_all: int, per_address: int, proxies: str, files: int) -> None:
        self.in_all = max(10, min(in_all, files - RESERVED_FILES))
        self.per_address = max(5, min(per_address, int(self.in_all * ADDRESS_PART)))
        self._proxies = _TrustedHosts(proxies)
        self._addresses: dict[asyncio.Protocol, str] = {}
        self._counts: Counter[str] = Counter()
        # Connections that have sent no whole request yet, in order of arrival, with their `close`.
        self._silent: dict[asyncio.Protocol, Callable[[], None]] = {}

    def enter(self, protocol: asyncio.Protocol, host: str | None) -> bool:
        """Count a connection; return False when it is to be closed.

        When the process's limit is reached, the oldest silent connection is closed instead.
        """
        address = "" if host in self._proxies else address_key(host)
        if address and self._counts[address] >= self.per_address:
            count_refusal("connection.refused", reason="address_limit")
            return False
        if len(self._addresses) >= self.in_all:
            if not self._silent:
                count_refusal("connection.refused", reason="connection_limit")
                return False
            silent, close = next(iter(self._silent.items()))
            self.leave(silent)
            close()
            count_refusal("connection.refused", reason="silent")
        self._addresses[protocol] = address
        if address:
            self._counts[address] += 1
        return True

    def leave(self, protocol: asyncio.Protocol) -> None:
        """Stop counting a connection; to call it again changes nothing."""
        self._silent.pop(protocol, None)
        address = self._addresses.pop(protocol, "")
        if address:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def silent(self, protocol: asyncio.Protocol, close: Callable[[], None]) -> None:
        """Mark a connection as silent: `close` may be called when its place is needed."""
        if protocol in self._addresses:
            self._silent[protocol] = close

    def spoke(self, protocol: asyncio.Protocol) -> None:
        """Mark a connection as no longer silent: it has sent a whole request."""
        self._silent.pop(protocol, None)

    def count(self) -> int:
        """How many connections there are."""
        return len(self._addresses)
