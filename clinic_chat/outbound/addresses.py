"""Addresses of outbound requests: what may be asked at all, and where a name leads."""

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx

from clinic_chat.outbound.errors import Failure, OutboundError

ADDRESS_LIMIT = 500
LAST_PORT = 65_535
REQUESTS_PER_OWNER = 8
"""Further requests of the same owner wait, within their deadline."""
# A name server that never answers keeps a thread long after its request's deadline, so an owner has
# no more of them than requests.
LOOKUPS = 64
# Networks of IPv6 whose last 32 bits are an IPv4 address that a translator connects to (RFC 6052).
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_IPV4_MASK = 0xFFFF_FFFF

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_url(
    text: str, *, limit: int = ADDRESS_LIMIT, http_hosts: Collection[str] = ()
) -> httpx.URL:
    """An https address without a user, a fragment, or characters that parsers disagree on.

    It has at most `limit` characters; at `http_hosts` plain http will do.

    Raises:
        OutboundError: `not_https` or `address_invalid`.
    """
    if not 1 <= len(text) <= limit or not text.isascii() or not text.isprintable():
        raise OutboundError(Failure.ADDRESS_INVALID)
    if any(one in text for one in ' \\"<>^`{|}'):
        raise OutboundError(Failure.ADDRESS_INVALID)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise OutboundError(Failure.ADDRESS_INVALID) from None
    if url.scheme != "https" and not (url.scheme == "http" and url.host in http_hosts):
        raise OutboundError(Failure.NOT_HTTPS)
    if url.port is not None and not 1 <= url.port <= LAST_PORT:
        raise OutboundError(Failure.ADDRESS_INVALID)
    if not url.host or url.userinfo or url.fragment or "@" in text or "#" in text:
        raise OutboundError(Failure.ADDRESS_INVALID)
    return url


def literal_address(host: str) -> Address | None:
    """The address that a host is written as, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet, also when it carries another one in it."""
    if isinstance(address, ipaddress.IPv6Address):
        if carried := _carried(address):
            return is_public(carried)
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.teredo:
        return address.teredo[1]
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    # `::a.b.c.d`, which is deprecated, connects nowhere good either.
    if any(address in network for network in _TRANSLATED) or int(address) <= _IPV4_MASK:
        return ipaddress.IPv4Address(int(address) & _IPV4_MASK)
    return None


class Resolver:
    """Looks names up, in threads of its own and few at a time for each owner."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="outbound-lookup")
        self._under_way: Counter[UUID] = Counter()

    async def look_up(self, owner: UUID, host: str, port: int) -> list[Address]:
        """The addresses of a host, in the order in which they are to be tried.

        Raises:
            OutboundError: `unreachable`, or `too_slow` while too many look-ups of the owner wait.
        """
        if self._under_way[owner] >= REQUESTS_PER_OWNER:
            raise OutboundError(Failure.TOO_SLOW)
        self._under_way[owner] += 1
        lookup = asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host, port)
        lookup.add_done_callback(lambda done: self._ended(owner, done))
        try:
            # A cancelled request does not end its thread, which still counts.
            found = await asyncio.shield(lookup)
        except (OSError, UnicodeError):
            raise OutboundError(Failure.UNREACHABLE) from None
        if not found:
            raise OutboundError(Failure.UNREACHABLE)
        return found

    def close(self) -> None:
        """Look nothing up any more; threads that wait are left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, owner: UUID, lookup: "asyncio.Future[list[Address]]") -> None:
        self._under_way[owner] -= 1
        if not self._under_way[owner]:
            del self._under_way[owner]
        if not lookup.cancelled():
            lookup.exception()


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # Without the zone of a link-local address, which is refused in any case.
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ipaddress.ip_address(text) for text in texts]
